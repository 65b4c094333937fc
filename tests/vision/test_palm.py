"""Palms on real photos: one hand, hands of different sizes in a large photo, none, and the mirror law."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from annotator.vision.crops import Crop
from annotator.vision.palm import PalmDetector, overlap
from annotator.vision.palm_scan import Scan, anchors
from annotator.vision.photos import read_photo


@pytest.fixture(scope="module")
def detector() -> PalmDetector:
    return PalmDetector()


@pytest.fixture(scope="module")
def hand(sample_photos) -> np.ndarray:
    return read_photo(next(path for path in sample_photos if path.name.startswith("digit-5")))


def placed(hand: np.ndarray, canvas: tuple[int, int], spots) -> np.ndarray:
    """The hand's photo pasted at (x, y, side) on a smooth background of about its own brightness."""
    background = np.full((*canvas, 3), np.median(hand, axis=(0, 1)), np.uint8)
    for x, y, side in spots:
        background[y : y + side, x : x + side] = np.asarray(Image.fromarray(hand).resize((side, side)))
    return background


def middles(palms) -> np.ndarray:
    return np.array([((p.box[0] + p.box[2]) / 2, (p.box[1] + p.box[3]) / 2) for p in palms])


def test_one_hand(detector, photo_file):
    photo = read_photo(photo_file)
    palm = detector.detect(photo)[0]
    assert palm.score > 0.9 and palm.points.shape == (7, 2)
    x0, y0, x1, y1 = palm.box
    assert 0 <= x0 < x1 < 620 and 0 <= y0 < y1 < 1080
    # the signing hand is upright: its wrist below its knuckles
    assert palm.points[0, 1] > palm.points[1:5, 1].max()
    assert np.array_equal(detector.detect(photo)[0].points, palm.points)  # deterministic


def test_mirrored_photo_gives_mirrored_palms(detector, photo_file):
    photo = read_photo(photo_file)
    (palm,), (mirrored,) = detector.detect(photo), detector.detect(photo[:, ::-1])
    assert mirrored.score == pytest.approx(palm.score, abs=1e-5)
    x0, y0, x1, y1 = palm.box
    assert np.allclose(mirrored.box, (619 - x1, y0, 619 - x0, y1), atol=0.05)
    assert np.allclose(mirrored.points, palm.points * (-1, 1) + (619, 0), atol=0.05)


def test_small_hands_in_a_large_photo(detector, hand):
    spots = [(150, 200, 150), (1500, 900, 700)]
    palms = detector.detect(placed(hand, (1800, 2400), spots))
    on = [[x < u < x + side and y < v < y + side for u, v in middles(palms)] for x, y, side in spots]
    assert all(any(row) for row in on)  # both hands
    assert all(any(column) for column in zip(*on, strict=True))  # and nothing else


def test_nothing_there(detector):
    noise = np.random.default_rng(0).integers(90, 160, (240, 320, 3), dtype=np.uint8)
    assert detector.detect(noise) == []
    assert detector.detect_in(noise, []) == []


def test_a_turned_view_finds_what_lies_on_its_side(detector, photo_file):
    photo = read_photo(photo_file)
    (upright,) = detector.detect(photo)
    lying = np.ascontiguousarray(np.rot90(photo, -1))  # clockwise: (x, y) -> (1079 - y, x)
    view = Crop(539.5, 309.5, 1080, np.pi / 2)
    (found,) = detector.detect_in(lying, [view])
    expected = np.stack([1079 - upright.points[:, 1], upright.points[:, 0]], 1)
    side = upright.box[2] - upright.box[0]
    assert np.abs(found.points - expected).max() < 0.15 * side


def test_scores_below_the_threshold_are_left_out(detector, photo_file):
    view = [Crop(309.5, 539.5, 1080)]
    photo = read_photo(photo_file)
    assert len(detector.detect_in(photo, view, threshold=0.999999)) == 0
    assert all(palm.score >= 0.01 for palm in detector.detect_in(photo, view, threshold=0.01))


def test_anchors_and_overlap():
    middles = anchors(192, 192)
    assert middles.shape == (2016, 2)
    assert np.allclose(middles[0], 4) and np.allclose(middles[-1], 184)
    assert np.allclose(middles[2], (12, 4))  # x runs first
    assert anchors(64, 96).shape == (8 * 12 * 2 + 4 * 6 * 6, 2)
    box = np.array([0.0, 0, 2, 2])
    assert np.allclose(overlap(box, np.array([[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6]])), [1, 1 / 3, 0])


@pytest.mark.parametrize("shape", [(100, 100), (1080, 620), (333, 517), (40, 1000)])
@pytest.mark.parametrize("longer, margin", [(192, 1.0), (120, 1.6), (384, 1.0)])
def test_places_on_a_canvas_are_places_in_the_photo(shape, longer, margin):
    """A spot drawn in the photo is where the canvas shows it, mirrored or not."""
    photo = np.zeros((*shape, 3), np.uint8)
    rng = np.random.default_rng(shape[0])
    half = max(2, max(shape) // 60)
    y, x = (int(rng.integers(half, length - half)) for length in shape)
    photo[y - half : y + half + 1, x - half : x + half + 1] = 255
    for picture in (photo, photo[:, ::-1]):
        scan = Scan.of(picture, longer, margin)
        height, width = scan.canvas.shape[:2]
        assert height % 32 == 0 and width % 32 == 0 and max(height, width) >= longer
        weights = scan.canvas[..., 0]
        at = [(weights.sum(axis) @ (np.arange(n) + 0.5)) / weights.sum() for axis, n in ((0, width), (1, height))]
        # an answer that says: a palm right there, at an anchor's middle
        number = int(np.linalg.norm(anchors(height, width) - at, axis=1).argmin())
        rows, scores = np.zeros((len(anchors(height, width)), 18), np.float32), np.zeros(len(anchors(height, width)))
        rows[number, :2] = np.subtract(at, anchors(height, width)[number])
        rows[number, 2:4] = 10
        rows[number, 4:] = np.tile(rows[number, :2], 7)
        scores[number] = 1
        (score,), (box,), (points,) = scan.palms(scores, rows, 0.5)
        truth = (x if picture is photo else shape[1] - 1 - x, y)
        assert score == 1 and np.abs(points - truth).max() < 0.15 * max(1, max(shape) / longer)
        assert np.allclose(np.mean([box[:2], box[2:]], axis=0), points[0])
        assert np.allclose(box[2:] - box[:2], 10 * np.array(scan.factor))


def test_network_is_a_module_of_float32(detector):
    assert all(p.dtype == torch.float32 for p in detector.parameters()) and not detector.training
