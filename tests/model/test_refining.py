"""annotator.Model.refine as a user meets it: labels, states, evidence, definitions, wrong input."""

from __future__ import annotations

import numpy as np
import pytest

import annotator
from annotator import InputError


def mirrored(points, width):
    return points * [-1, 1] + [width - 1, 0]


def test_the_mirror_law_holds_for_detection_and_corrections(model, photo, proposal):
    width = photo.shape[1]
    (mirror,) = model.propose(np.ascontiguousarray(photo[:, ::-1]))
    assert {proposal.side, mirror.side} == {"left", "right"}
    assert np.abs(mirror.vertices - proposal.vertices * [-1, 1, 1]).max() < 1e-4
    place = proposal.keypoints[8] + [9, -7]
    a = model.refine(proposal, {"index_tip": place})
    b = model.refine(mirror, {"index_tip": mirrored(place, width)})
    assert np.abs(b.vertices - a.vertices * [-1, 1, 1]).max() < 1e-4


@pytest.mark.parametrize("exact", [False, True])
def test_a_correction_is_kept_and_moves_the_mesh(model, proposal, exact):
    size = np.ptp(proposal.keypoints, axis=0).max()
    for joint in (4, 8, 17) if exact else (4, 8, 12):
        place = proposal.keypoints[joint] + size * np.array([0.08, -0.06])
        fixed = model.refine(proposal, {joint: place}, exact=exact)
        left = np.linalg.norm(fixed.keypoints[joint] - place) / size
        # of 0.1: pinned, or as far as is likely
        assert left < (0.005 if exact else 0.085)
        assert np.abs(fixed.vertices - proposal.vertices).max() > 1e-3
        assert fixed.corrections == {joint: tuple(place)} and proposal.corrections == {}
        # never less sure; no surer than a click can make it where the network was that sure before
        assert fixed.keypoint_sigma[joint] <= proposal.keypoint_sigma[joint]
        assert np.array_equal(fixed.joints, model.hand.joints(fixed.vertices))
        assert np.allclose(fixed.vertices, model.hand.vertices(fixed.parameters, fixed.side), atol=1e-9)


def test_corrections_add_up_and_names_are_numbers(model, proposal):
    places = {8: proposal.keypoints[8] + 5, 4: proposal.keypoints[4] - 5}
    once = model.refine(proposal, {"index_tip": places[8], "thumb_tip": places[4]})
    twice = model.refine(model.refine(proposal, {8: places[8]}), {"thumb_tip": places[4]})
    assert np.abs(once.vertices - twice.vertices).max() < 1e-6 and set(twice.corrections) == {4, 8}
    pinned = model.refine(proposal, places, exact=True)
    for joint, place in places.items():
        assert np.linalg.norm(twice.keypoints[joint] - place) < np.linalg.norm(proposal.keypoints[joint] - place)
        assert np.linalg.norm(pinned.keypoints[joint] - place) < 0.5
    back = model.refine(twice, {"index_tip": proposal.keypoints[8]})
    assert back.corrections == {4: tuple(places[4]), 8: tuple(proposal.keypoints[8])}
    none = model.refine(proposal, {})
    assert np.abs(none.vertices - proposal.vertices).max() < 2e-3  # the cache is in half precision


def test_a_hand_without_features_can_be_refined_and_remembered(model, photo, proposal):
    bare = proposal.replace(features=None)
    place = proposal.keypoints[12] + [-8, 6]
    assert np.linalg.norm(model.refine(bare, {"middle_tip": place}, exact=True).keypoints[12] - place) < 0.5
    alone = model.refine(bare, {"middle_tip": place})
    assert np.linalg.norm(alone.keypoints[12] - place) < np.linalg.norm(proposal.keypoints[12] - place)
    again = model.remember(photo, bare)
    assert again == bare and bare.features is None and again.features is not None
    fixed = [model.refine(hand, {"middle_tip": place}).vertices for hand in (again, proposal)]
    assert np.abs(fixed[0] - fixed[1]).max() < 1e-5


@pytest.mark.parametrize(
    ("correction", "message"),
    [
        ({"elbow": (1, 2)}, "elbow"),
        ({21: (1, 2)}, "21"),
        ({"wrist": (1, np.nan)}, "wrist"),
        ({"wrist": (1, 2, 3)}, "wrist"),
    ],
)
def test_wrong_corrections_are_named(model, proposal, correction, message):
    with pytest.raises(InputError, match=message):
        model.refine(proposal, correction)


def test_refine_heeds_states_and_evidence(model, proposal):
    scale = 224 / proposal.crop_size
    held = {k: "confirmed" for k in (0, 5, 17)}
    moved = tuple(proposal.keypoints[12] + [14 / scale, -10 / scale])
    fixed = model.refine(proposal, {12: moved}, held)
    assert np.linalg.norm(fixed.keypoints[[0, 5, 17]] - proposal.keypoints[[0, 5, 17]], axis=1).max() * scale < 1.5
    fixed = model.refine(proposal, {12: moved}, held, exact=True)
    assert np.linalg.norm(fixed.keypoints[[0, 5, 17]] - proposal.keypoints[[0, 5, 17]], axis=1).max() * scale < 0.5
    assert dict(fixed.corrections) == {12: moved}  # what is confirmed is no correction

    hidden = model.refine(proposal, {12: moved}, {12: "occluded"})
    assert np.linalg.norm(hidden.keypoints[12] - moved) * scale > 3  # nobody was told

    near, far = (8, 16) if proposal.joints[8, 2] > proposal.joints[16, 2] else (16, 8)
    turned = model.refine(proposal, {}, evidence=[annotator.InFront(near, far)])
    assert turned.joints[near, 2] < turned.joints[far, 2] + 0.001
    with pytest.raises(annotator.InputError, match="unknown joint state"):
        model.refine(proposal, {}, {0: "lost"})


def test_a_correction_that_no_hand_can_meet_lowers_the_confidence(model, proposal):
    """A fingertip set far off: kept as it was set, said to be strained, and the confidence falls instead of rising."""
    from annotator.correcting.strain import strained

    far = tuple(proposal.keypoints[0] + 2.5 * (proposal.keypoints[0] - proposal.keypoints[8]))
    fixed = model.refine(proposal, {"index_tip": far})
    assert fixed.corrections[8] == far and fixed.confidence < 0.7 * proposal.confidence
    assert [one.joint for one in strained(fixed)] == ["index_tip"]
    back = model.refine(fixed, {"index_tip": proposal.keypoints[8]})
    assert back.confidence == pytest.approx(proposal.confidence, abs=0.01) and not strained(back)


def test_a_definition_says_how_labels_are_read(model, proposal):
    """Labels of somebody whose wrist is a centimetre nearer the forearm: by their definition the hand hardly moves."""
    offsets = np.zeros((21, 3))
    offsets[0] = 0.01, 0.0, 0.0
    theirs = annotator.JointDefinition("theirs", offsets, np.full(21, 0.001))
    label = {"wrist": tuple(theirs.keypoints(proposal)[0])}
    as_meant, as_ours = (model.refine(proposal, label, definition=one) for one in (theirs, "ours"))
    off = [np.abs(one.vertices - proposal.vertices).max() for one in (as_meant, as_ours)]
    assert off[0] < 0.1 * off[1] and as_meant.corrections == as_ours.corrections
    learned = annotator.learn_definition([proposal] * 20, [theirs.keypoints(proposal)] * 20)
    assert np.linalg.norm(learned.joints(proposal)[0] - theirs.joints(proposal)[0]) < 0.006
    with pytest.raises(annotator.InputError, match="unknown joint definition"):
        model.refine(proposal, label, definition="hers")


def test_alternatives_look_the_same(model, proposal):
    for other in model.alternatives(proposal):
        off = np.linalg.norm(other.hand.keypoints - proposal.keypoints, axis=1) * 224 / proposal.crop_size
        assert off.max() < 2.5 and other.moved_mm > 5


def test_absurd_corrections_give_a_hand_or_one_clear_error(model, proposal):
    random = np.random.default_rng(0)
    for number in range(30):
        joints = [int(k) for k in random.permutation(21)[:4]]
        reach = 10.0 ** random.uniform(-1, 4) * proposal.crop_size
        corrections = {k: proposal.crop_center + random.normal(0, reach, 2) for k in joints}
        if number % 3 == 0:
            corrections = {k: proposal.keypoints[joints[0]] for k in joints}  # all on one spot
        try:
            answer = model.refine(proposal, corrections)
        except annotator.InputError as error:
            assert "far outside" in str(error)
            continue
        assert np.isfinite(answer.vertices).all() and 0 < answer.joints[:, 2].min()
