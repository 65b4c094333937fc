"""What does not matter to the solver, and what stays: the order of labels, the side, the size of the photo, earlier
labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st
from measures import crop_px, some

from annotator.correcting import solve
from annotator.hand.joints import JOINT_NAMES

seeds = st.integers(0, 2**32 - 1)


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
