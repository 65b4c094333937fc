"""Pinned corrections are met exactly, whatever else is asked, and what cannot be met is said; what labels as evidence
do is in test_likeliest.py."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.correcting import SolverSettings, solve
from annotator.correcting.solver.angles import limit_excess, rotations_to_angles
from annotator.errors import InputError
from annotator.hand.joints import JOINT_NAMES
from annotator.hand.mesh import HandMesh
from annotator.hand.rotations import rotation_matrices
from annotator.vision.camera import project

seeds = st.integers(0, 2**32 - 1)


def crop_px(hand: HandMesh, a, b) -> np.ndarray:
    return np.linalg.norm(np.asarray(a) - np.asarray(b), axis=-1) * 224 / hand.crop_size


def excess_degrees(hand: HandMesh, model) -> float:
    rotations = rotation_matrices(hand.parameters.pose)[1:]
    return float(np.rad2deg(limit_excess(rotations_to_angles(rotations, model.anatomical_axes), model.limits).max()))


def some(hand: HandMesh, joints) -> dict[int, tuple[float, float]]:
    return {int(k): tuple(hand.keypoints[k]) for k in joints}


@settings(max_examples=25, deadline=None)
@given(seed=seeds, side=st.sampled_from(["right", "left"]), count=st.integers(1, 21))
def test_feasible_corrections_are_met(make_truth, make_proposal, hand_model, seed, side, count):
    truth = make_truth(seed, side)
    proposal = make_proposal(truth, seed)
    joints = np.random.default_rng(seed).permutation(21)[:count]
    solution = solve(proposal, hand_model, some(truth, joints), exact=True)
    hand = solution.hand
    assert solution.feasible and not solution.unmet
    assert crop_px(hand, hand.keypoints[joints], truth.keypoints[joints]).max() < 0.5
    # what it says is so: the mesh is its parameters', the joints are the mesh's, the residuals those of the
    # keypoints
    assert np.abs(hand.vertices - hand_model.vertices(hand.parameters, side)).max() < 1e-12
    assert np.abs(hand.joints - hand_model.joints(hand.vertices)).max() < 1e-12
    assert np.abs(hand.keypoints - project(hand.joints, hand.camera)).max() < 1e-9
    for k, residual in solution.residual_px.items():
        assert abs(crop_px(hand, hand.keypoints[k], truth.keypoints[k]) - residual) < 1e-6
    assert excess_degrees(hand, hand_model) < 1e-6
    assert hand.corrections == some(truth, sorted(joints))


def test_one_or_two_corrections_are_met_far_below_a_pixel_and_soon(make_truth, make_proposal, hand_model):
    worst, steps = [], []
    for seed in range(40):
        truth = make_truth(seed)
        proposal = make_proposal(truth, seed)
        off = crop_px(truth, proposal.keypoints, truth.keypoints)
        solution = solve(proposal, hand_model, some(truth, np.argsort(-off)[:2]), exact=True)
        worst.append(max(solution.residual_px.values()))
        steps.append(solution.iterations)
    assert max(worst) < 0.05
    assert np.mean(steps) < 9


@pytest.mark.parametrize("count", [1, 2, 4, 8])
def test_the_other_keypoints_get_better_on_average(make_truth, make_proposal, hand_model, count):
    before, after, mesh_before, mesh_after = [], [], [], []
    for seed in range(30):
        truth = make_truth(seed)
        proposal = make_proposal(truth, seed)
        off = crop_px(truth, proposal.keypoints, truth.keypoints)
        order = np.argsort(-off)
        hand = solve(proposal, hand_model, some(truth, order[:count]), exact=True).hand
        rest = order[count:]
        before.append(off[rest].mean())
        after.append(crop_px(truth, hand.keypoints[rest], truth.keypoints[rest]).mean())
        for errors, one in ((mesh_before, proposal), (mesh_after, hand)):
            errors.append(
                np.linalg.norm((one.vertices - one.joints[0]) - (truth.vertices - truth.joints[0]), axis=1).mean()
            )
    assert np.mean(after) < 0.85 * np.mean(before)
    assert np.mean(mesh_after) < np.mean(mesh_before)


def test_no_correction_changes_nothing(make_truth, make_proposal, hand_model):
    hand = make_proposal(make_truth(1), 1)
    solution = solve(hand, hand_model, {})
    assert solution.feasible and solution.strain < 1e-12
    assert np.abs(solution.hand.vertices - hand.vertices).max() < 1e-9
    assert np.array_equal(solution.hand.keypoint_sigma, hand.keypoint_sigma)


def test_the_order_of_corrections_does_not_matter(make_truth, make_proposal, hand_model):
    truth = make_truth(5)
    proposal = make_proposal(truth, 5)
    given_ones = some(truth, [8, 0, 4, 12, 17])
    hands = []
    for order in ([0, 1, 2, 3, 4], [4, 2, 0, 1, 3], [3, 4, 1, 0, 2]):
        keys = [list(given_ones)[i] for i in order]
        hands.append(solve(proposal, hand_model, {JOINT_NAMES[k]: given_ones[k] for k in keys}).hand)
    assert hands[0] == hands[1] == hands[2]


def test_a_left_hand_is_the_mirror_image_of_a_right_one(make_truth, make_proposal, hand_model):
    truth = make_truth(7)
    right = make_proposal(truth, 7)
    K = np.array(right.camera)
    mirrored_K = K.copy()
    mirrored_K[0, 2] = 1279 - K[0, 2]

    def mirrored(points):
        return np.asarray(points) * (-1, 1) + (1279, 0)

    left = right.replace(
        side="left", camera=mirrored_K, crop_center=mirrored(right.crop_center),
        faces=hand_model.faces_of("left"), vertices=right.vertices * (-1, 1, 1),
        joints=right.joints * (-1, 1, 1), keypoints=mirrored(right.keypoints),
    )  # fmt: skip
    corrections = some(truth, [4, 8, 20])
    a = solve(right, hand_model, corrections).hand
    b = solve(left, hand_model, {k: mirrored(p) for k, p in corrections.items()}).hand
    assert np.abs(a.vertices * (-1, 1, 1) - b.vertices).max() < 1e-6


def test_the_size_of_the_photo_does_not_matter(make_truth, make_proposal, hand_model):
    truth = make_truth(9)
    small = make_proposal(truth, 9)
    factor = np.diag([7.0, 7.0, 1.0])
    large = small.replace(
        camera=factor @ small.camera, crop_center=7 * small.crop_center, crop_size=7 * small.crop_size,
        keypoints=7 * small.keypoints, keypoint_sigma=7 * small.keypoint_sigma,
    )  # fmt: skip
    corrections = some(truth, [1, 6, 16])
    a = solve(small, hand_model, corrections)
    b = solve(large, hand_model, {k: (7 * x, 7 * y) for k, (x, y) in corrections.items()})
    assert np.abs(a.hand.vertices - b.hand.vertices).max() < 1e-6
    assert a.residual_px == pytest.approx(b.residual_px, abs=1e-4)


def test_earlier_corrections_stay_unless_named_again(make_truth, make_proposal, hand_model):
    truth = make_truth(11)
    proposal = make_proposal(truth, 11)
    first = solve(proposal, hand_model, some(truth, [8]), exact=True).hand
    second = solve(first, hand_model, some(truth, [20]), exact=True).hand
    assert sorted(second.corrections) == [8, 20]
    assert crop_px(truth, second.keypoints[[8, 20]], truth.keypoints[[8, 20]]).max() < 0.1
    moved = truth.keypoints[8] + (3.0, 2.0)
    third = solve(second, hand_model, {"index_tip": moved}, exact=True).hand
    assert crop_px(truth, third.keypoints[8], moved) < 0.1


def test_states(make_truth, make_proposal, hand_model):
    truth = make_truth(13)
    proposal = make_proposal(truth, 13)
    corrections = some(truth, [8, 12])
    # confirmed: stays where it is, though the correction beside it would carry it along
    free = solve(proposal, hand_model, corrections, exact=True).hand
    held = solve(proposal, hand_model, corrections, states={"index_dip": "confirmed"}, exact=True)
    assert crop_px(truth, free.keypoints[7], proposal.keypoints[7]) > 1
    assert crop_px(truth, held.hand.keypoints[7], proposal.keypoints[7]) < 0.05
    assert 7 in held.residual_px and 7 not in held.hand.corrections
    # occluded and out of frame: a correction counts no more
    for state in ("occluded", "out of frame"):
        states = ["proposed"] * 21
        states[12] = state
        solution = solve(proposal, hand_model, corrections, states=states, exact=True)
        assert list(solution.residual_px) == [8]
        only = solve(proposal, hand_model, {8: corrections[8]}, states=states, exact=True).hand
        assert np.array_equal(solution.hand.vertices, only.vertices)
    # all hidden but one: the proposal in the photo does not hold the hand back
    states = dict.fromkeys(range(21), "occluded") | {8: "corrected"}
    hidden = solve(proposal, hand_model, {8: corrections[8]}, states=states, exact=True)
    assert hidden.feasible and np.isfinite(hidden.hand.vertices).all()


def test_an_impossible_correction_is_named_and_the_others_are_met(make_truth, make_proposal, hand_model):
    truth = make_truth(17)
    proposal = make_proposal(truth, 17, 0.5)
    corrections = some(truth, [0, 5, 9, 13, 17, 4, 12])
    finger = truth.keypoints[8] - truth.keypoints[5]
    away = np.array([-finger[1], finger[0]]) / np.linalg.norm(finger)
    corrections[8] = tuple(truth.keypoints[5] + away * 2.5 * truth.crop_size)
    solution = solve(proposal, hand_model, corrections, exact=True)
    assert not solution.feasible
    assert solution.unmet == ("index_tip",) and "index_tip" in solution.message
    # the finger still reaches out for it
    before = solve(proposal, hand_model, {k: p for k, p in corrections.items() if k != 8}, exact=True).hand
    assert (solution.hand.keypoints[8] - before.keypoints[8]) @ away > 10 * truth.crop_size / 224
    assert excess_degrees(solution.hand, hand_model) < 1e-6
    assert np.isfinite(solution.hand.vertices).all() and solution.hand.joints[:, 2].min() > 0


def test_a_whole_hand_follows_one_keypoint_across_the_photo(make_truth, make_proposal, hand_model):
    truth = make_truth(19)
    proposal = make_proposal(truth, 19, 0.3)
    place = proposal.keypoints[0] + 1.2 * truth.crop_size
    solution = solve(proposal, hand_model, {0: place}, exact=True)
    assert solution.feasible
    assert crop_px(truth, solution.hand.keypoints[0], place) < 0.1
    others = solution.hand.keypoints - proposal.keypoints
    assert (others @ (1, 1)).min() > 0  # all went that way


@settings(max_examples=25, deadline=None)
@given(seed=seeds, kind=st.sampled_from(["far", "random", "one spot", "huge"]))
def test_absurd_corrections_give_a_possible_hand_or_a_clear_error(make_truth, hand_model, seed, kind):
    random = np.random.default_rng(seed)
    hand = make_truth(int(seed % 50), random.choice(["right", "left"]))
    centre, size = hand.crop_center, hand.crop_size
    if kind == "far":
        corrections = {int(k): centre + random.normal(0, 10 * size, 2) for k in random.permutation(21)[:3]}
    elif kind == "random":
        corrections = {k: centre + random.uniform(-0.5, 0.5, 2) * size for k in range(21)}
    elif kind == "one spot":
        corrections = {int(k): centre for k in random.permutation(21)[:2]}
    else:
        corrections = {int(random.integers(21)): 10.0 ** random.uniform(3, 30) * random.choice([-1, 1], 2)}
    try:
        solution = solve(hand, hand_model, corrections, exact=True)
    except InputError as error:
        assert "far outside" in str(error)
        return
    assert np.isfinite(solution.hand.vertices).all()
    assert excess_degrees(solution.hand, hand_model) < 1e-6
    # the pose's and the shape's own bone; the surface's field, for the last pixels, may then move either end a little
    field = solution.hand.parameters.offsets
    plain = solution.hand.parameters.replace(offsets=np.zeros_like(field))
    joints = hand_model.joints(hand_model.vertices(plain, solution.hand.side))
    assert 0.02 < np.linalg.norm(joints[5] - joints[6]) < 0.08
    assert np.linalg.norm(solution.hand.joints - joints, axis=1).max() < 0.02
    assert solution.feasible == (max(solution.residual_px.values()) <= SolverSettings().exact)


def test_what_corrections_teach_about_the_uncertainty(make_truth, make_proposal, hand_model):
    truth = make_truth(23)
    proposal = make_proposal(truth, 23)
    hand = solve(proposal, hand_model, some(truth, [8, 4]), definition="ours").hand
    ratio = hand.keypoint_sigma / proposal.keypoint_sigma
    assert (ratio <= 1 + 1e-12).all() and (hand.vertex_sigma <= proposal.vertex_sigma * (1 + 1e-12)).all()
    assert ratio[[4, 8]].max() < 0.7
    assert ratio[7] < ratio[19]  # the joint beside a corrected tip is better known than one far away
    index = hand_model.weights[:, 3] > 0.9
    little = hand_model.weights[:, 9] > 0.9
    shrunk = hand.vertex_sigma / proposal.vertex_sigma
    assert shrunk[index].mean() < shrunk[little].mean()


@pytest.mark.parametrize(
    ("corrections", "words"),
    [
        ({8: (math.nan, 3)}, "index_tip"),
        ({8: (1, math.inf)}, "index_tip"),
        ({8: (1, 2, 3)}, "index_tip"),
        ({8: "here"}, "index_tip"),
        ({8: (1e9, 0)}, "far outside"),
        ({21: (1, 2)}, "unknown joint"),
        ({"elbow": (1, 2)}, "elbow"),
        ({8: (1, 2), "index_tip": (3, 4)}, "twice"),
        ([(8, 1, 2)], "mapping"),
    ],
)
def test_bad_corrections(make_truth, hand_model, corrections, words):
    with pytest.raises(InputError, match=words):
        solve(make_truth(1), hand_model, corrections)


def test_a_hand_of_another_model_is_refused(make_truth, hand_model):
    hand = make_truth(1)
    other = hand.replace(parameters=hand.parameters.replace(offsets=np.zeros((7, 3))))
    with pytest.raises(InputError, match="is not of hand model"):
        solve(other, hand_model, {8: (100, 100)})


def test_nothing_seen_and_a_hand_that_is_surely_right(make_truth, hand_model):
    hand = make_truth(2)
    hidden = solve(hand, hand_model, {8: hand.keypoints[8]}, states=["occluded"] * 21, exact=True)
    assert not hidden.residual_px and np.abs(hidden.hand.vertices - hand.vertices).max() < 1e-9
    sure = hand.replace(keypoint_sigma=np.zeros(21))
    place = hand.keypoints[8] + 4 * hand.crop_size / 224
    solution = solve(sure, hand_model, {8: place}, exact=True)
    assert solution.feasible and crop_px(hand, solution.hand.keypoints[8], place) < 0.5


def test_bad_states_and_evidence(make_truth, hand_model):
    hand = make_truth(1)
    with pytest.raises(InputError, match="unknown joint state 'hidden'"):
        solve(hand, hand_model, {}, states={8: "hidden"})
    with pytest.raises(InputError, match="21 joint states"):
        solve(hand, hand_model, {}, states=["proposed"] * 20)
    with pytest.raises(InputError, match="evidence"):
        solve(hand, hand_model, {}, evidence=["index in front"])
