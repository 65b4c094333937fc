"""What the tuned palm network is asked to say, by what its teacher says of the twin picture."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from annotator.detection.anchors import anchors
from annotator.detection.palms.palm_scan import CELLS
from annotator.learning.detection.judging import Followed, followed
from annotator.learning.detection.judging import fitted as fitted_judge
from annotator.learning.detection.palms import loss, targets
from annotator.learning.detection.pictures import SIDE, Pair
from annotator.learning.detection.presence import Looks, fitted
from annotator.network.encoders.mediapipe_hand import POOLED, load_mediapipe_hand
from annotator.synthetic.whole.cutouts import Cutout
from annotator.vision.photos import read_photo

MIDDLES = anchors(SIDE, SIDE, CELLS)
BLANK = np.zeros((SIDE, SIDE, 3), np.uint8)


def hand_at(x: float, y: float, size: float = 60.0) -> np.ndarray:
    """Keypoints (21, 2): palm joints in the middle, the others round them."""
    turns = np.linspace(0, 2 * np.pi, 21, endpoint=False)
    points = np.stack([x + size / 2 * np.cos(turns), y + size / 2 * np.sin(turns)], 1)
    points[[0, 1, 5, 9, 13, 17]] = (x, y)
    return points


def said(places) -> tuple[torch.Tensor, torch.Tensor]:
    """A teacher that sees a palm of 30 px at each place, with score 0.8, at the nearest anchor."""
    rows, scores = torch.zeros(1, len(MIDDLES), 18), torch.full((1, len(MIDDLES)), 0.01)
    for place in places:
        at = int(np.linalg.norm(MIDDLES - place, axis=1).argmin())
        rows[0, at, :2] = torch.from_numpy(np.subtract(place, MIDDLES[at])).float()
        rows[0, at, 2:4] = 30
        scores[0, at] = 0.8
    return rows, scores


def nearest(place) -> int:
    return int(np.linalg.norm(MIDDLES - place, axis=1).argmin())


def test_a_hand_that_the_teacher_sees_is_asked_for_more_surely():
    pair = Pair(BLANK, BLANK, [(hand_at(60, 60), 1.0)])
    target, weight = targets(*said([(60, 60)]), [pair])
    assert target[0, nearest((60, 60))] == pytest.approx(0.9) and weight.min() == 1


def test_what_the_teacher_sees_beside_hands_is_unlearned():
    pair = Pair(BLANK, BLANK, [(hand_at(60, 60), 1.0)])
    target, weight = targets(*said([(60, 60), (150, 150)]), [pair])
    assert target[0, nearest((150, 150))] == 0 and weight[0, nearest((150, 150))] == 1


@pytest.mark.parametrize("places, seen", [([], 1.0), ([(60, 60)], 0.1)])
def test_a_hand_that_is_missed_or_hidden_teaches_nothing(places, seen):
    pair = Pair(BLANK, BLANK, [(hand_at(60, 60), seen)])
    _, weight = targets(*said(places), [pair])
    assert weight[0, nearest((60, 60))] == 0 and weight[0, nearest((150, 150))] == 1


def test_of_a_real_photo_the_teacher_is_repeated():
    rows, scores = said([(150, 150)])
    target, weight = targets(rows, scores, [Pair(BLANK, BLANK, None)])
    assert torch.equal(target, scores)
    assert weight.min() == 1


def test_the_loss_falls_with_what_is_asked_for():
    rows, scores = said([(60, 60)])
    target, weight = targets(rows, scores, [Pair(BLANK, BLANK, [(hand_at(60, 60), 1.0)])])
    right = (rows, torch.logit(target.clamp(1e-4, 1 - 1e-4)))
    lost = (rows, torch.full_like(target, -9.0))
    moved = (rows + 10, right[1])
    least = loss(right, rows, scores, target, weight)
    assert least < loss(lost, rows, scores, target, weight) and least < loss(moved, rows, scores, target, weight)


def test_a_fitted_presence_tells_hands_from_none_and_keeps_bare_ones():
    network = load_mediapipe_hand()
    rng = np.random.default_rng(0)
    count = 120
    pooled = rng.random((3 * count, 2, POOLED), dtype=np.float32)
    hand, bare = np.repeat([True, True, False], count), np.repeat([False, True, False], count)
    weight = network.presence.weight.detach().numpy()[0]
    pooled[:count] -= 5 * weight / (weight @ weight)  # MediaPipe sees less of a hand in gloves
    pooled[2 * count :] -= 8 * weight / (weight @ weight)
    pooled[:count, :, :40] += 1.0  # what gloves share
    layer = fitted(Looks(pooled, hand, bare), network)
    with torch.no_grad():
        now = torch.sigmoid(layer(torch.from_numpy(pooled)))[..., 0].mean(1).numpy()
        before = torch.sigmoid(network.presence(torch.from_numpy(pooled)))[..., 0].mean(1).numpy()
    assert now[:count].mean() > before[:count].mean() + 0.2 and now[:count].mean() > 0.7
    assert now[2 * count :].mean() < 0.3
    assert np.abs(now - before)[count : 2 * count].mean() < 0.1


def test_a_fitted_judge_tells_hands_from_none_and_their_sides(model):
    rng = np.random.default_rng(0)
    count = 400
    pooled = rng.random((count, 2, 2 * POOLED), dtype=np.float32)
    hand, right = np.arange(count) % 2 == 0, rng.random(count) < 0.5
    pooled[hand, :, :30] += 0.5
    pooled[right, 0, POOLED : POOLED + 30] += 0.5
    pooled[~right, 1, POOLED : POOLED + 30] += 0.5
    told = Followed(pooled, rng.normal(0, 0.1, (count, 2)), hand, right & hand, np.zeros(count, bool))
    weights = fitted_judge(told, model.network.encoder)
    logits = pooled.mean(1) @ weights["hand"] + weights["bias"]
    sides = (pooled[:, 0] - pooled[:, 1])[hand, POOLED:] @ weights["side"]
    assert ((logits > 0) == hand).mean() > 0.95 and ((sides > 0) == right[hand]).mean() > 0.95
    assert weights["trunk"].shape == (2 * POOLED,) and weights["moved"] > 0


def test_the_judge_is_shown_hands_and_none(model, sample_photos):
    photos = [read_photo(path) for path in sample_photos[:2]]
    colour = np.full((60, 60, 3), (200, 150, 120), np.uint8)
    cover = np.full((60, 60), 255, np.uint8)
    points = hand_at(30, 30, 50.0)[None]
    cutout = Cutout(colour, cover, points, np.array([True]), np.ones(1), (colour, cover))
    told = followed(np.random.default_rng(0), model.finder, [cutout], photos, [], 3)
    assert told.pooled.shape[1:] == (2, 2 * POOLED) and len(told.hand) == len(told.pooled) == len(told.beside)
    assert told.hand.sum() >= 2 and not told.hand.all() and not told.right[~told.hand].any()
