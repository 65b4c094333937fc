"""What a round learns of how its people mean the joints: offsets that their labels share, and when they hold."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest

from annotator.errors import InputError
from annotator.evaluation.bootstrap import paired
from annotator.hand.definitions import ANATOMICAL, UNKNOWN_LABELLER, JointDefinition
from annotator.hand.joints import JOINT_NAMES, joint_index
from annotator.learning.data.photos import KeypointTable
from annotator.project import Project
from annotator.rounds import run_round
from annotator.rounds.retraining import defining, judging, samples
from annotator.rounds.retraining.defining import Learned, adoption, as_ours
from annotator.rounds.retraining.judging import contradicting, judge
from annotator.rounds.settings import RoundSettings
from annotator.rounds.storage import STATE, round_folders

WRIST, TIP = joint_index("wrist"), joint_index("index_tip")
KNOWN = 0.5  # weight of a label whose joint is known, at least
SMALL = RoundSettings(
    steps=2,
    batch=4,
    warmup=1,
    replayed=8,
    old=4,
    looks=1,
    least_gold=4,
    pictures=0,
    encoder_learning_rate=0.0,
    learning_rate=1e-9,
)


def moved(**mm: float) -> JointDefinition:
    """Joints this far from ours along the forearm."""
    offsets = np.zeros((21, 3))
    for name, far in mm.items():
        offsets[joint_index(name), 0] = far / 1000
    return JointDefinition("moved", offsets, np.full(21, 0.001), 30)


@pytest.fixture(scope="module")
def taught(tmp_path_factory, answered, model):
    """The taught hands' table and the model's proposals."""
    folder = tmp_path_factory.mktemp("taught")
    shutil.copytree(answered, folder / "project")
    with Project.open(folder / "project") as project:
        samples.save_train(samples.taken(project, 4, 5).train, folder / "table")
    table, crops, _ = samples.read(folder / "table")
    return table, judging.answers(model, table, crops)


def labels_by(definition: JointDefinition, table, hands, noise: float = 0.0):
    """The table as if people of this definition had set all keypoints, true but for the definition."""
    random = np.random.default_rng(0)
    points = np.array([definition.keypoints(hand) for hand in hands])
    return dataclasses.replace(
        table, keypoints=points + random.normal(0, noise, points.shape), weight=np.ones((len(hands), 21))
    )


def test_labels_are_read_where_our_joints_are(taught):
    table, hands = taught
    definition = moved(wrist=8.0, index_tip=-3.0)
    read = as_ours(labels_by(definition, table, hands), hands, definition)
    np.testing.assert_allclose(read.keypoints, [hand.keypoints for hand in hands], atol=0.05)
    # what nobody said is left where it is, and stays without weight
    some = dataclasses.replace(table, weight=np.where(np.arange(21) == TIP, table.weight, 0.0))
    read = as_ours(some, hands, definition)
    others = np.arange(21) != TIP
    np.testing.assert_array_equal(read.keypoints[:, others], table.keypoints[:, others])
    assert (read.weight[:, others] == 0).all()


def test_a_joint_of_unknown_definition_counts_little(taught, make_hand):
    table = taught[0]
    hands = [make_hand(seed) for seed in range(len(table))]  # at arm's length, whatever a network makes of the photos
    full = dataclasses.replace(table, weight=np.ones((len(hands), 21)))
    unknown = as_ours(full, hands, ANATOMICAL).weight
    assert (unknown[:, WRIST] < 0.4).all() and (unknown[:, WRIST] < 0.6 * unknown[:, TIP]).all()
    assert (unknown[:, TIP] > 0.5).all()
    known = as_ours(full, hands, moved()).weight
    assert (known > KNOWN).all() and (known[:, WRIST] > 2 * unknown[:, WRIST]).all(), known.min()


def test_a_shared_offset_is_no_contradiction_and_wrong_corrections_are(taught, model):
    """Labels of people who put wrist, thumb base and knuckles elsewhere; then three of ten hands answered wrongly.

    The parent's proposals stand for the new model's, too: what the weights would learn is not the question.
    """
    table, hands = taught
    rows = np.arange(60) % len(hands)
    table, hands = table.select(rows), [hands[k] for k in rows]
    definition = moved(wrist=9.0, thumb_cmc=-9.0, index_mcp=5.0, middle_mcp=5.0, ring_mcp=5.0, little_mcp=5.0)
    labels = labels_by(definition, table, hands, noise=1.0)
    held = judging.errors(hands[:20], labels.select(np.arange(20)), definition).photo
    bad = np.zeros(60, bool)
    bad[20:38] = True
    points = np.array(labels.keypoints)
    for k in np.flatnonzero(bad):
        middle, turn = points[k].mean(0), np.array([[-0.5, -0.87], [0.87, -0.5]])
        points[k] = (points[k] - middle) @ turn.T + middle
    for poisoned, keypoints in ((False, labels.keypoints), (True, points)):
        said = dataclasses.replace(labels, keypoints=keypoints)
        found = defining.shared(said, hands, ANATOMICAL, "theirs")
        assert found.hands == 60 - poisoned * bad.sum()
        # six poses do not tell an offset in depth, yet in the photo labels are read as they were meant
        clean = judging.errors(hands[:20], labels.select(np.arange(20)), found).photo
        assert clean.mean() < 1.25 * held.mean()
        read = judging.errors(hands, said, found).photo
        against = contradicting(read, read, held)
        before = np.random.default_rng(1).uniform(0.05, 0.2, 40)
        verdict = judge(before, before - 0.02, np.arange(40).astype(str), None, RoundSettings(), against)
        assert verdict.promoted is not poisoned
        if poisoned:
            assert against[bad].all() and "accepted hands contradict" in verdict.why
    # as the mesh has the joints, hands of theirs are off
    assert judging.errors(hands, labels).photo.mean() > 1.3 * held.mean()


def test_held_out_hands_decide_of_a_definition():
    found, settings = Learned(moved(wrist=8.0), ANATOMICAL), RoundSettings()
    before = np.linspace(0.05, 0.1, 12)
    adopted, why = adoption(found, paired(before, before - 0.01), settings)
    assert adopted and "12 held-out hands" in why and "confidence 1.00" in why
    adopted, why = adoption(found, paired(before, before + 0.01), settings)
    assert not adopted and "0.95 is asked for" in why


@pytest.mark.parametrize(("hands", "far", "adopted"), [(30, 8.0, False), (10, 30.0, True), (9, 30.0, False)])
def test_without_held_out_hands_the_offsets_themselves_decide(hands, far, adopted):
    definition = dataclasses.replace(moved(wrist=far, index_tip=0.1), spread=UNKNOWN_LABELLER, hands=hands)
    got, why = adoption(Learned(definition, ANATOMICAL), None, RoundSettings())
    assert got is adopted and "0 held-out hands cannot tell" in why
    # the same as what holds already is no news
    assert not adoption(Learned(definition, definition), None, RoundSettings())[0]


def test_a_hand_far_from_what_the_others_share_is_left_out(taught):
    table, hands = taught
    labels = labels_by(moved(wrist=8.0), table, hands, noise=1.0)
    assert defining.shared(labels, hands, ANATOMICAL, "all").hands == len(hands)
    random = np.random.default_rng(1)
    labels.keypoints[2] += random.normal(0, 40.0, labels.keypoints[2].shape)
    assert defining.shared(labels, hands, ANATOMICAL, "all but one").hands == len(hands) - 1


def test_a_round_keeps_what_it_learned_and_it_holds_from_its_end(project, replay, monkeypatch):
    # which hands lie too far from the rest to be learned from is the weights' affair: here none does
    monkeypatch.setattr(defining, "WIDE", np.inf)
    in_force = []
    result = run_round(project, SMALL, replay=replay, progress=lambda *_: in_force.append(project.definition().name))
    (folder,) = round_folders(project)
    values = json.loads((folder / "definition.json").read_text())
    definition = JointDefinition.from_dict(values["definition"])
    assert definition.hands == values["learned_from"] == result["definition"]["learned_from"] == 6
    assert values["parent"] == result["parent"] and set(values["offsets_mm"]) == set(JOINT_NAMES)
    assert values["offsets_mm"]["wrist"] == pytest.approx(1000 * np.linalg.norm(definition.offsets[0]), abs=0.006)
    assert set(in_force) == {"anatomical"}
    assert values["adopted"] is result["definition"]["adopted"] and result["definition"]["why"]
    assert (project.definition().name == "round 1") is values["adopted"]
    # the labels as they were set are still there, beside those that the weights learn from
    as_set, as_read = (KeypointTable.load(folder / one) for one in (defining.LABELS, defining.READ))
    said = as_set.weight > 0
    assert (as_read.keypoints != as_set.keypoints)[said].any() and (as_read.weight <= as_set.weight).all()
    # with weights that did not move, all of the change is the definition's
    total, part, weights = (result[key] for key in ("error", "from_definition", "from_weights"))
    assert weights["before"] == pytest.approx(weights["after"], abs=1e-4) and part["before"] == total["before"]
    assert weights["before"] == (part["after"] if values["adopted"] else part["before"])


def test_a_round_begun_before_there_were_definitions_ends_without_one(project, replay):
    class Stop(Exception):
        pass

    def stop(step, *_):
        raise Stop

    with pytest.raises(Stop):
        run_round(project, SMALL, replay=replay, progress=stop)
    (folder,) = round_folders(project)
    state = json.loads((folder / STATE).read_text())
    del state["definition"]
    (folder / STATE).write_text(json.dumps(state))
    result = run_round(project, replay=replay)
    assert result["round"] == 1 and result["definition"] is None and result["from_definition"] is None
    assert result["from_weights"] == result["error"] and not (folder / "definition.json").exists()


def test_a_damaged_definition_is_said_in_one_line(project, replay):
    def stop(step, *_):
        if step == "judge":
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run_round(project, SMALL, replay=replay, progress=stop)
    (folder,) = round_folders(project)
    (folder / "definition.json").write_text("{}")
    with pytest.raises(InputError, match="definition.json is damaged"):
        run_round(project, replay=replay)
