"""The last word of a proposal: it comes to lie on the landmarks, and a person's word counts above them."""

from __future__ import annotations

import numpy as np
import pytest

from annotator.correcting import solve
from annotator.correcting.photo_fit import fit_to_landmarks

NOTHING = np.full((21, 2), np.nan)


def off(hand, points) -> np.ndarray:
    """(21,) crop px."""
    return np.linalg.norm(hand.keypoints - points, axis=1) * 224 / hand.crop_size


@pytest.mark.parametrize("side", ["right", "left"])
def test_the_hand_comes_to_lie_on_its_landmarks(make_truth, make_proposal, hand_model, side):
    before, after, surer = [], [], []
    for seed in range(8):
        truth = make_truth(seed, side)
        proposal = make_proposal(truth, seed)
        fitted = fit_to_landmarks(proposal, hand_model, truth.keypoints)
        before.append(off(proposal, truth.keypoints).mean())
        after.append(off(fitted, truth.keypoints).mean())
        surer.append((fitted.keypoint_sigma / proposal.keypoint_sigma).max())
        assert np.array_equal(fitted.vertex_sigma, proposal.vertex_sigma)
    assert np.mean(after) < 0.5 * np.mean(before) and max(surer) < 1.61


def test_without_landmarks_nothing_moves(make_truth, make_proposal, hand_model):
    proposal = make_proposal(make_truth(1), 1)
    assert fit_to_landmarks(proposal, hand_model, NOTHING) is proposal


def test_one_gross_landmark_moves_the_hand_little(make_truth, make_proposal, hand_model):
    truth = make_truth(2)
    proposal = make_proposal(truth, 2, 0.3)
    right = fit_to_landmarks(proposal, hand_model, truth.keypoints)
    wrong = truth.keypoints.copy()
    wrong[8] += 0.4 * truth.crop_size
    spoilt = fit_to_landmarks(proposal, hand_model, wrong)
    others = np.delete(np.arange(21), [5, 6, 7, 8])
    assert off(spoilt, right.keypoints)[others].mean() < 3
    assert spoilt.keypoint_sigma[8] > 1.2 * right.keypoint_sigma[8]  # two witnesses that disagree


def test_a_corrected_finger_is_not_drawn_to_landmarks_that_contradict_it(make_truth, make_proposal, hand_model):
    truth = make_truth(3)
    proposal = make_proposal(truth, 3, 0.3)
    corrected = solve(proposal, hand_model, {8: truth.keypoints[8]}).hand
    wrong = truth.keypoints.copy()
    wrong[5:9] += 0.12 * truth.crop_size  # the network has the whole finger elsewhere
    fitted = fit_to_landmarks(corrected, hand_model, wrong)
    assert off(fitted, wrong)[6:9].min() > 0.5 * 0.12 * 224
    assert dict(fitted.corrections) == dict(corrected.corrections)
