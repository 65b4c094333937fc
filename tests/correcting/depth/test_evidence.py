"""Depth relations and second views are obeyed, and tell what one view cannot."""

from __future__ import annotations

import numpy as np
import pytest

from annotator.correcting import Depths, InFront, SecondView, solve
from annotator.errors import InputError
from annotator.hand.rotations import rotation_matrices
from annotator.vision.camera import project


def second_camera(truth, angle=1.2):
    """A camera that looks at the hand from the side: R, t and intrinsics."""
    middle = truth.joints.mean(axis=0)
    R = rotation_matrices(np.array([0.0, angle, 0.0]))
    t = np.array([0.0, 0.0, 0.6]) - R @ middle
    return R, t, np.array([[700.0, 0, 400], [0, 700, 300], [0, 0, 1]])


def placed_error(hand, truth):
    """Mean joint error, m, in the camera's own frame: nothing aligned."""
    return np.linalg.norm(hand.joints - truth.joints, axis=1).mean()


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_second_view_tells_depth_and_size(make_truth, make_proposal, hand_model, side):
    errors = []
    for seed in range(8):
        truth = make_truth(seed, side)
        proposal = make_proposal(truth, seed)
        tips = [0, 4, 8, 12, 16, 20]
        corrections = {k: truth.keypoints[k] for k in tips}
        R, t, K = second_camera(truth)
        other = project(truth.joints @ R.T + t, K)
        view = SecondView(K, R, t, {k: other[k] for k in tips})
        one = solve(proposal, hand_model, corrections, definition="ours")
        two = solve(proposal, hand_model, corrections, evidence=[view], definition="ours")
        assert two.feasible
        again = project(two.hand.joints[tips] @ R.T + t, K)
        assert np.linalg.norm(again - other[tips], axis=1).max() < 3 * view.sigma
        errors.append((placed_error(one.hand, truth), placed_error(two.hand, truth)))
    one, two = np.mean(errors, axis=0)
    assert two < 0.3 * one and two < 0.005


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_depth_relation_turns_the_order_round(make_truth, make_proposal, hand_model, side):
    turned = 0
    for seed in range(10):
        truth = make_truth(seed, side)
        hand = make_proposal(truth, seed, 0.3)
        z = hand.joints[:, 2]
        near, far = (8, 7) if z[8] > z[7] else (7, 8)  # the index finger's last bone: ask for the other order
        kept = {k: hand.keypoints[k] for k in (0, 5, 8)}
        pinned = solve(hand, hand_model, kept, evidence=[InFront(near, far)], exact=True)
        assert max(pinned.residual_px.values()) < 0.5
        solution = solve(hand, hand_model, kept, evidence=[InFront(near, far)])
        assert solution.feasible
        after = solution.hand.joints[:, 2]
        if z[near] > z[far]:
            turned += after[near] < after[far]
    assert turned >= 9


@pytest.mark.parametrize("side", ["right", "left"])
def test_measured_depths_bring_the_hand_to_its_distance(make_truth, make_proposal, hand_model, side):
    before, after = [], []
    for seed in range(6):
        truth = make_truth(seed, side)
        proposal = make_proposal(truth, seed)
        corrections = {k: truth.keypoints[k] for k in (0, 5, 17)}
        depths = Depths({k: float(truth.joints[k, 2]) for k in (0, 5, 8, 17)})
        one = solve(proposal, hand_model, corrections)
        two = solve(proposal, hand_model, corrections, evidence=[depths])
        assert two.feasible
        before.append(placed_error(one.hand, truth))
        after.append(placed_error(two.hand, truth))
    assert np.mean(after) < 0.6 * np.mean(before)


def test_a_relation_that_holds_already_changes_nothing(make_truth, hand_model):
    hand = make_truth(3)
    z = hand.joints[:, 2]
    solution = solve(hand, hand_model, {}, evidence=[InFront(int(z.argmin()), int(z.argmax()))])
    assert np.abs(solution.hand.vertices - hand.vertices).max() < 1e-9


def test_bad_evidence():
    with pytest.raises(InputError, match="in front of itself"):
        InFront("index_tip", 8)
    with pytest.raises(InputError, match="margin"):
        InFront(8, 4, margin=-1)
    with pytest.raises(InputError, match="wrist"):
        Depths({0: -1.0})
    with pytest.raises(InputError, match="sigma"):
        Depths({0: 1.0}, sigma=0)
    K, R, t = np.diag([500.0, 500, 1]), np.eye(3), np.zeros(3)
    with pytest.raises(InputError, match="not a rotation"):
        SecondView(K, 2 * R, t, {0: (1, 2)})
    with pytest.raises(InputError, match="no keypoints"):
        SecondView(K, R, t, {})
    with pytest.raises(InputError, match="sigma"):
        SecondView(K, R, t, {0: (1, 2)}, sigma=0)
    with pytest.raises(InputError, match="index_tip"):
        SecondView(K, R, t, {8: (np.nan, 2)})
    with pytest.raises(InputError, match="shape"):
        SecondView(K, R, np.zeros(2), {8: (1, 2)})
