"""Pinned corrections are met exactly, whatever else is asked; what labels as evidence do is in test_likeliest.py."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measures import crop_px, excess_degrees, some

from annotator.correcting import solve
from annotator.vision.camera import project

seeds = st.integers(0, 2**32 - 1)


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


def test_a_whole_hand_follows_one_keypoint_across_the_photo(make_truth, make_proposal, hand_model):
    truth = make_truth(19)
    proposal = make_proposal(truth, 19, 0.3)
    place = proposal.keypoints[0] + 1.2 * truth.crop_size
    solution = solve(proposal, hand_model, {0: place}, exact=True)
    assert solution.feasible
    assert crop_px(truth, solution.hand.keypoints[0], place) < 0.1
    others = solution.hand.keypoints - proposal.keypoints
    assert (others @ (1, 1)).min() > 0  # all went that way


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


def test_nothing_seen_and_a_hand_that_is_surely_right(make_truth, hand_model):
    hand = make_truth(2)
    hidden = solve(hand, hand_model, {8: hand.keypoints[8]}, states=["occluded"] * 21, exact=True)
    assert not hidden.residual_px and np.abs(hidden.hand.vertices - hand.vertices).max() < 1e-9
    sure = hand.replace(keypoint_sigma=np.zeros(21))
    place = hand.keypoints[8] + 4 * hand.crop_size / 224
    solution = solve(sure, hand_model, {8: place}, exact=True)
    assert solution.feasible and crop_px(hand, solution.hand.keypoints[8], place) < 0.5
