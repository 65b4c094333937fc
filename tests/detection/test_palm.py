"""Palms on real photos: one hand, hands of different sizes in a large photo, none, and the mirror law."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from annotator.detection.anchors import anchors
from annotator.detection.palms.palm_detector import PalmDetector
from annotator.detection.palms.palm_scan import CELLS, pieces
from annotator.vision.boxes import overlap
from annotator.vision.crops import Crop
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
    # the points that place a crop: wrist and middle knuckle (of a fist the scales see the thumb differently)
    assert np.abs(found.points - expected)[[0, 2]].max() < 0.15 * side


def test_scores_below_the_threshold_are_left_out(detector, photo_file):
    view = [Crop(309.5, 539.5, 1080)]
    photo = read_photo(photo_file)
    assert len(detector.detect_in(photo, view, threshold=0.999999)) == 0
    assert all(palm.score >= 0.01 for palm in detector.detect_in(photo, view, threshold=0.01))


def test_anchors_and_overlap():
    middles = anchors(192, 192, CELLS)
    assert middles.shape == (2016, 2)
    assert np.allclose(middles[0], 4) and np.allclose(middles[-1], 184)
    assert np.allclose(middles[2], (12, 4))  # x runs first
    assert anchors(64, 96, CELLS).shape == (8 * 12 * 2 + 4 * 6 * 6, 2)
    box = np.array([0.0, 0, 2, 2])
    assert np.allclose(overlap(box, np.array([[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6]])), [1, 1 / 3, 0])


@pytest.mark.parametrize("shape", [(100, 100), (1080, 620), (333, 517), (40, 1000)])
@pytest.mark.parametrize("longer, margin", [(192, 1.0), (120, 1.6), (384, 1.0), (1536, 1.0)])
def test_places_in_a_piece_are_places_in_the_photo(shape, longer, margin):
    """A spot drawn in the photo is where a piece shows it, mirrored or not, cut or whole."""
    photo = np.zeros((*shape, 3), np.uint8)
    rng = np.random.default_rng(shape[0])
    half = max(2, max(shape) // 60)
    y, x = (int(rng.integers(half, length - half)) for length in shape)
    photo[y - half : y + half + 1, x - half : x + half + 1] = 255
    for picture in (photo, photo[:, ::-1]):
        found = 0
        for piece in pieces(picture, longer, margin):
            height, width = piece.picture.shape[:2]
            assert height % 32 == 0 and width % 32 == 0 and max(height, width) <= 768
            weights = piece.picture[..., 0]
            if weights.sum() == 0 or any(
                edge.any() for edge in (weights[0], weights[-1], weights[:, 0], weights[:, -1])
            ):
                continue  # not here, or cut
            at = [(weights.sum(axis) @ (np.arange(n) + 0.5)) / weights.sum() for axis, n in ((0, width), (1, height))]
            score, box, points = said_to(piece, at, 10)
            truth = (x if picture is photo else shape[1] - 1 - x, y)
            assert score == 1 and np.abs(points - truth).max() < 0.15 * max(1, max(shape) / longer)
            assert np.allclose(np.mean([box[:2], box[2:]], axis=0), points[0])
            assert np.allclose(box[2:] - box[:2], 10 * np.array(piece.factor))
            found += 1
        assert found


def said_to(piece, at, size: float):
    """What a piece makes of an answer that says: a palm of this size right there."""
    middles = anchors(*piece.picture.shape[:2], CELLS)
    number = int(np.linalg.norm(middles - at, axis=1).argmin())
    rows, scores = np.zeros((len(middles), 18), np.float32), np.zeros(len(middles))
    rows[number] = np.tile(np.subtract(at, middles[number]), 9)
    rows[number, 2:4] = size
    scores[number] = 1
    return next(zip(*piece.palms(scores, rows, 0.5), strict=True), None)


def test_a_palm_cut_by_a_piece_is_left_to_its_neighbour():
    photo = np.full((900, 1800, 3), 100, np.uint8)
    parts = list(pieces(photo, 1536))
    assert len(parts) > 2 and all(max(part.picture.shape[:2]) <= 768 for part in parts)
    first = parts[0]
    height, width = first.picture.shape[:2]
    assert first.goes_on == (False, False, True, height < 768) or first.goes_on[2]
    assert said_to(first, (width - 20, height / 2), 100) is None  # half of it is in the next piece
    assert said_to(first, (width / 2, height / 2), 100) is not None
    assert said_to(first, (20, height / 2), 100) is not None  # cut by the photo's edge: nobody else sees more of it


def test_every_spot_is_whole_in_some_piece():
    """Palms of up to 180 px: more than a third of what the network was trained on."""
    photo = np.full((3000, 4000, 3), 100, np.uint8)
    factor = 4000 / 1536
    for x, y in np.random.default_rng(0).uniform((300, 300), (3700, 2700), (40, 2)):
        seen = 0
        for part in pieces(photo, 1536):
            at = np.array([x, y]) / factor + part.offset
            at[0] = at[0] if part.mirror is None else part.mirror - at[0]
            height, width = part.picture.shape[:2]
            inside = 0 < at[0] < width and 0 < at[1] < height
            seen += inside and said_to(part, at, 180) is not None
        assert seen


@torch.inference_mode()
def test_long_and_large_photos_take_little_at_once(detector, monkeypatch):
    passes = []
    said = PalmDetector._said
    monkeypatch.setattr(
        PalmDetector,
        "_said",
        lambda self, p, *a: passes.append(p.shape[-2] * p.shape[-1] * len(p)) or said(self, p, *a),
    )
    for shape in ((8, 20000), (20000, 8), (1000, 3100)):  # the last in pieces along both sides
        assert detector.detect(np.full((*shape, 3), 120, np.uint8)) == []
    assert max(passes) <= 768 * 768


def test_network_is_a_module_of_float32(detector):
    assert all(p.dtype == torch.float32 for p in detector.parameters()) and not detector.training
