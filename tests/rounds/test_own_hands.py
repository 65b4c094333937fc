"""`evaluate`, `simulate` and `round --explain` on one's own project."""

from __future__ import annotations

import json

import numpy as np
import pytest

from annotator.cli import main
from annotator.project import Project


@pytest.fixture
def run(capfd):
    def call(*words) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main([str(word) for word in words])
        return code, *capfd.readouterr()

    return call


def test_proposals_and_meshes_are_held_against_what_people_said(run, project):
    code, out, _ = run("evaluate", project.folder, "--json", "--device", "cpu")
    rows = {row["estimate"]: row for row in json.loads(out)["rows"]}
    assert code == 0 and set(rows) == {"as proposed", "as this model proposes", "as accepted"}
    assert {row["hands"] for row in rows.values()} == {10}
    before, now, accepted = (rows[name] for name in ("as proposed", "as this model proposes", "as accepted"))
    assert accepted["px"] < before["px"] and now["px"] == pytest.approx(before["px"], rel=0.05)
    assert accepted["within_5_percent"] > before["within_5_percent"]
    # by hand, of one estimate
    off = []
    for entry in project.hands("accepted"):
        hand, proposal = project.hand(entry.id), project.proposal(entry.id)
        off.append(np.mean([np.linalg.norm(proposal.keypoints[k] - place) for k, place in hand.corrections.items()]))
    assert before["px"] == pytest.approx(np.mean(off), abs=1e-3)
    assert run("evaluate", project.folder, "--out", "x")[0] == 2


def test_a_simulated_annotator_on_ones_own_hands(run, project, tmp_path):
    words = ("simulate", project.folder, "--hands", 3, "--corrections", 3, "--policy", "worst", "--json")
    code, out, _ = run(*words, "--annotator", "steady", "--out", tmp_path / "out")
    said = json.loads(out)
    worst = said["policies"]["worst"]
    assert code == 0 and said["truth"] == "accepted hands" and worst["hands"] == 3
    assert worst["photo_px"]["mean"][-1] < worst["photo_px"]["mean"][0]
    assert (tmp_path / "out" / "simulate.json").is_file()


def test_a_project_in_which_nobody_said_anything_cannot_tell(run, project):
    for entry in project.hands("accepted"):
        project.set_state(entry.id, "rejected")
    with Project.create(project.folder / "other") as bare:
        place = bare.folder
    for command in ("evaluate", "simulate"):
        code, out, err = run(command, place)
        assert (code, out) == (2, "") and "no accepted hand with a keypoint" in err


def test_a_round_explains_which_hands_count(run, project):
    open_hand = project.hands("proposed")[0]
    project.set_state(open_hand.id, "accepted")
    before = project.status()
    code, out, _ = run("round", project.folder, "--explain", "--json", "--least-gold", 4)
    said = json.loads(out)
    assert code == 0 and project.status() == before and not (project.folder / "rounds").exists()
    assert (len(said["learns"]), len(said["judges"]), said["keypoints"]) == (6, 4, 18)
    assert said["left_out"] == [{"id": open_hand.id, "why": "no person set or confirmed a keypoint of it"}]
    assert said["not_accepted"] == {"proposed": 2}
    out = run("round", project.folder, "--explain", "--least-gold", 4)[1]
    assert f"does not count 1 accepted hands: no person set or confirmed a keypoint of it: {open_hand.id}" in out
