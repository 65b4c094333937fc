"""A whole round on a small project: what it changes, what it leaves alone, and how it goes on after an interruption."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch

from annotator.cli import main
from annotator.errors import InputError
from annotator.learning.old_names import RENAMED
from annotator.network.checkpoint import load_checkpoint, save_checkpoint
from annotator.rounds import current_checkpoint, rank, run_round
from annotator.rounds.settings import RoundSettings
from annotator.rounds.storage import STATE, one_at_a_time, round_folders

SMALL = RoundSettings(
    steps=3, batch=4, warmup=1, replayed=8, old=4, looks=1, least_gold=4, pictures=2, encoder_learning_rate=0.0
)


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory):
    """A checkpoint that places every hand too far to the right: there is something to learn in a few steps."""
    network, card = load_checkpoint(None)
    with torch.no_grad():
        network.parametric.answer.bias[-2] += 0.8
    path = tmp_path_factory.mktemp("spoilt") / "spoilt.safetensors"
    save_checkpoint(path, network, card)
    return path


def stored(project, state: str) -> dict:
    return {entry.id: project.hand(entry.id) for entry in project.hands(state)}


def test_a_better_model_takes_over(project, spoilt, replay):
    accepted, still_open = stored(project, "accepted"), stored(project, "proposed")
    # two old photos say nothing about what was forgotten: that rule has tests of its own
    settings = dataclasses.replace(SMALL, steps=40, learning_rate=1e-3, warmup=4, ema_decay=0.8, forgotten=9.0)
    steps = []
    result = run_round(project, settings, spoilt, replay, progress=lambda step, *_: steps.append(step))
    assert result["promoted"] and result["error"]["after"] < result["error"]["before"], result["why"]
    assert list(dict.fromkeys(steps)) == ["definition", "features", "train", "judge", "repropose"]
    assert (result["hands"], result["keypoints"], result["held"]["hands"]) == (6, 18, 4)
    # accepted hands are as they were, to the byte; open ones are the new model's
    for hand_id, before in accepted.items():
        after = project.hand(hand_id)
        assert after.version == before.version and after.provenance == before.provenance
        assert np.array_equal(after.parameters.pose, before.parameters.pose)
    assert result["reproposed"] == {"refreshed": 3, "current": 0, "left": 0}
    for hand_id in still_open:
        after = project.hand(hand_id)
        assert after.state == "proposed" and after.provenance["model_digest"] == result["model"]
        assert after.provenance["parent"] == result["parent"]
    assert project.verify() == []
    # the checkpoint is kept with its parent, and is where the next round starts
    network, card = load_checkpoint(result["checkpoint"])
    assert card["parent"] == result["parent"] and str(current_checkpoint(project)) == result["checkpoint"]
    again = run_round(project, SMALL, replay=replay)
    assert again["round"] == 2 and again["parent"] == result["model"] and len(round_folders(project)) == 2
    for name in ("page", "curves", "before_after", "card"):
        assert result["report"][name] and open(result["report"][name], "rb").read(8)
    written = json.loads((round_folders(project)[0] / "report.json").read_text())
    assert written["why"] == result["why"] and written["report"] == result["report"]


def test_without_a_gain_nothing_changes(project, replay):
    before = {entry.id: entry.version for entry in project.hands()}
    result = run_round(project, dataclasses.replace(SMALL, learning_rate=1e-9), replay=replay)
    assert not result["promoted"] and current_checkpoint(project) is None
    assert {entry.id: entry.version for entry in project.hands()} == before


class Interrupted(Exception):
    pass


@pytest.fixture(scope="module")
def straight(answered, replay, tmp_path_factory) -> dict:
    """The result of a small round that nobody interrupts."""
    folder = tmp_path_factory.mktemp("straight") / "project"
    shutil.copytree(answered, folder)
    return run_round(folder, SMALL, replay=replay)


@pytest.mark.parametrize("where", [("definition", 4), ("features", 6), ("train", 2), ("judge", 3)])
def test_an_interrupted_round_goes_on_to_the_same_end(project, replay, straight, where):

    def stop(step, done, *_):
        if (step, done) >= where and step == where[0]:
            raise Interrupted

    with pytest.raises(Interrupted):
        run_round(project, SMALL, replay=replay, progress=stop)
    assert current_checkpoint(project) is None
    if where[0] == "train":  # as a version wrote it that had other names for the settings
        path = round_folders(project)[0] / STATE
        state = json.loads(path.read_text())
        once = {new: old for old, new in RENAMED.items()}
        state["settings"] = {once.get(name, name): value for name, value in state["settings"].items()}
        path.write_text(json.dumps(state))
    # what is accepted meanwhile belongs to the next round
    project.set_state(project.hands("proposed")[0].id, "rejected")
    resumed = run_round(project, replay=replay)
    assert resumed["round"] == 1 and resumed["settings"] == straight["settings"]
    for key in ("model", "error", "definition", "from_definition", "from_weights"):
        assert resumed[key] == straight[key]


def test_nothing_to_learn_from(project, replay):
    for entry in project.hands("accepted"):
        project.set_state(entry.id, "rejected")
    with pytest.raises(InputError, match="nothing to learn from"):
        run_round(project, SMALL, replay=replay)
    assert round_folders(project) == []


def test_one_round_at_a_time(project, replay):
    with one_at_a_time(project), pytest.raises(InputError, match="another round of .* is running"):
        run_round(project, SMALL, replay=replay)


def test_rank_names_hands_and_joints_and_changes_nothing(project):
    before = project.status()
    ranked = rank(project, count=2)
    assert len(ranked) == 2 and {one.state for one in ranked} == {"proposed"} and project.status() == before
    assert ranked[0].joint == ranked[0].joints[0] and ranked[0].gain_mm > 0
    names = [one.id for one in rank(project, "random", seed=3)]
    assert sorted(names) == sorted(entry.id for entry in project.hands("proposed"))
    # a keypoint that nobody can see is not asked for
    first = ranked[0]
    project.edit(first.id, joint_states={first.joint: "occluded"})
    again = {one.id: one for one in rank(project, count=3)}[first.id]
    assert first.joint not in again.joints and again.state == "in work"


def test_commands(project, replay, capfd):
    def run(*words) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main([str(word) for word in words])
        return code, *capfd.readouterr()

    code, out, err = run("rank", project.folder, "--count", 2, "--json")
    hands = json.loads(out)["hands"]
    assert code == 0 and all(one["joint"] == one["joints"][0] and one["why"] for one in hands) and "rank 13/13" in err
    code, out, err = run("rank", project.folder, "--strategy", "best")
    assert code == 2 and "unknown strategy 'best'" in err
    code, out, err = run("round", project.folder, "--steps", 1, "--replay", replay, "--replayed", 8, "--json")
    assert code == 2 and "holds 12 rendered photos, 308 are needed" in err
    # the round was begun; it goes on with what it began with
    state = round_folders(project)[0] / "state.json"
    begun = json.loads(state.read_text())
    state.write_text(
        json.dumps(begun | {"settings": begun["settings"] | {"old": 4, "batch": 4, "looks": 1, "least_gold": 4}})
    )
    code, out, err = run("round", project.folder, "--replay", replay, "--json")
    assert code == 0 and json.loads(out)["round"] == 1 and "train 1/1" in err
    state.write_text("{")
    code, out, err = run("round", project.folder, "--replay", replay)
    assert code == 2 and "state.json is damaged" in err
