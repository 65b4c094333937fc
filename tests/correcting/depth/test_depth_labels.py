"""What a person says of a hand's depth bends the hand, is kept with it, and can be taken back."""

from __future__ import annotations

import numpy as np
import pytest

from annotator.correcting import InFront, PalmDepths, PalmDistance, solve
from annotator.errors import InputError
from annotator.hand.depth_labels import FARTHEST, MOST_RELATIONS, PALM_KEYPOINTS, DepthLabels, depths_from_palm

TIPS = [4, 8, 12, 16, 20]


def relative_error(hand, truth):
    """Mean joint error, m, root at the palm's middle."""
    palm = list(PALM_KEYPOINTS)
    apart = (hand.joints - hand.joints[palm].mean(axis=0)) - (truth.joints - truth.joints[palm].mean(axis=0))
    return np.linalg.norm(apart, axis=1).mean()


@pytest.mark.parametrize("side", ["right", "left"])
def test_depths_of_fingertips_bend_the_fingers(make_truth, make_proposal, hand_model, side):
    before, after, moved = [], [], []
    for seed in range(8):
        truth = make_truth(seed, side)
        hand = make_proposal(truth, seed)
        said = PalmDepths({k: depths_from_palm(truth.joints)[k] for k in TIPS})
        found = solve(hand, hand_model, {}, evidence=[said]).hand
        assert found.depth_labels.from_palm == pytest.approx(dict(said.depths)) and not found.corrections
        before.append(relative_error(hand, truth))
        after.append(relative_error(found, truth))
        moved.append(np.linalg.norm(found.keypoints - hand.keypoints, axis=1).mean() * 224 / hand.crop_size)
        missed = np.abs(depths_from_palm(found.joints) - depths_from_palm(truth.joints))[TIPS]
        assert np.median(missed) < 0.004
    assert np.mean(after) < 0.87 * np.mean(before)
    assert np.mean(moved) < 4  # px of the crop: the photo still counts


def test_what_was_said_counts_in_later_corrections(make_truth, make_proposal, hand_model):
    truth = make_truth(3)
    hand = make_proposal(truth, 3)
    told = solve(
        hand, hand_model, {}, evidence=[PalmDepths({8: depths_from_palm(truth.joints)[8]}), InFront(4, 17)]
    ).hand
    later = solve(told, hand_model, {20: tuple(truth.keypoints[20])}).hand
    assert later.depth_labels == told.depth_labels and later.depth_labels.in_front == ((4, 17),)
    again = solve(later, hand_model, {}, evidence=[PalmDepths({8: 0.01}), InFront(17, 4)]).hand
    assert again.depth_labels == DepthLabels({8: 0.01}, [(17, 4)])
    assert abs(depths_from_palm(again.joints)[8] - 0.01) < abs(depths_from_palm(told.joints)[8] - 0.01) / 3
    untold = again.replace(depth_labels=again.depth_labels.without(8))
    assert solve(untold, hand_model, {}).hand.depth_labels == DepthLabels(in_front=[(17, 4)])
    assert not again.unlabelled().depth_labels and not again.unlabelled().corrections


def test_the_palms_distance_moves_the_whole_hand(make_truth, make_proposal, hand_model):
    hand = make_proposal(make_truth(5), 5)
    palm = hand.joints[list(PALM_KEYPOINTS), 2].mean()
    far = solve(hand, hand_model, {}, evidence=[PalmDistance(1.05 * palm, 0.002)]).hand
    assert far.joints[list(PALM_KEYPOINTS), 2].mean() == pytest.approx(1.05 * palm, abs=0.01)
    assert np.linalg.norm(far.keypoints - hand.keypoints, axis=1).max() * 224 / hand.crop_size < 8


def test_the_model_keeps_them_through_refinements(model, photo_file):
    from annotator import read_photo

    hand = model.propose(read_photo(photo_file))[0]
    wanted = depths_from_palm(hand.joints)[8] - 0.02
    nearer = model.refine(hand, {}, evidence=[PalmDepths({8: wanted})])
    assert depths_from_palm(nearer.joints)[8] < depths_from_palm(hand.joints)[8] - 0.012
    later = model.refine(nearer, {"ring_tip": tuple(nearer.keypoints[16] + 3)})
    assert later.depth_labels.from_palm == {8: wanted}
    assert abs(depths_from_palm(later.joints)[8] - wanted) < 0.008
    back = model.refine(later.replace(corrections={}, depth_labels=DepthLabels()), {})
    assert np.abs(back.vertices - model.refine(hand, {}).vertices).max() < 1e-9


@pytest.mark.parametrize(
    "said, words",
    [
        (lambda: DepthLabels({"nose": 0.1}), "nose"),
        (lambda: DepthLabels({8: float("nan")}), "depth of index_tip from the palm is nan m"),
        (lambda: DepthLabels({8: 2 * FARTHEST}), "at most 0.3 m"),
        (lambda: DepthLabels([8]), "mapping"),
        (lambda: DepthLabels(in_front=[(8, 8)]), "cannot be in front of itself"),
        (lambda: DepthLabels(in_front=[(8, 7), (7, 8)]), "cannot be in front of each other"),
        (lambda: DepthLabels(in_front=[(0, k) for k in range(1, MOST_RELATIONS + 2)]), "17 depth relations"),
        (lambda: DepthLabels(distance=0.0), "distance"),
        (lambda: PalmDepths({8: 0.01}, sigma=0.0), "sigma"),
        (lambda: PalmDistance(float("inf")), "distance"),
    ],
)
def test_what_no_hand_has_is_refused(said, words):
    with pytest.raises(InputError, match=words):
        said()
