"""Hands found at any angle, from photos and from boxes, and the two symmetries: mirroring and turning."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from annotator.detection.crop_hypotheses import CropHypothesis
from annotator.detection.localization import locate
from annotator.detection.palms.palm_detector import PalmDetector
from annotator.detection.searching import each_once
from annotator.errors import InputError
from annotator.network.encoders.mediapipe_hand import load_mediapipe_hand
from annotator.vision.crops import Crop
from annotator.vision.photos import read_photo


@pytest.fixture(scope="module")
def parts():
    return load_mediapipe_hand(), PalmDetector()


@pytest.fixture(scope="module")
def photo(photo_file) -> np.ndarray:
    """The middle of the signing photo, at half size: less to compute."""
    whole = Image.fromarray(read_photo(photo_file))
    return np.asarray(whole.resize((310, 540), Image.Resampling.BOX))


@pytest.fixture(scope="module")
def hand(parts, photo):
    (hand,) = locate(photo, *parts)
    return hand


def turned(photo: np.ndarray, angle: float):
    """The photo turned by `angle` on a larger canvas, and the map of points that goes with it."""
    height, width = photo.shape[:2]
    cos, sin = math.cos(angle), math.sin(angle)
    side = math.ceil(math.hypot(height, width))
    turn = np.array([[cos, -sin], [sin, cos]])
    old, new = np.array([(width - 1) / 2, (height - 1) / 2]), np.array([(side - 1) / 2] * 2)
    offset = old + 0.5 - turn.T @ (new + 0.5)
    back = (turn[0, 0], turn[1, 0], offset[0], turn[0, 1], turn[1, 1], offset[1])
    image = Image.fromarray(photo).transform((side, side), Image.Transform.AFFINE, back, Image.Resampling.BICUBIC)
    return np.asarray(image), lambda points: (np.asarray(points) - old) @ turn.T + new


def box_of(points: np.ndarray, pad: float = 0.1) -> tuple[float, ...]:
    low, high = points.min(0), points.max(0)
    reach = pad * (high - low).max()
    return (*(low - reach), *(high + reach))


def test_a_photo_with_one_hand(hand, photo):
    assert hand.side == "right" and hand.right_probability > 0.9 and hand.presence > 0.9
    assert not hand.crop.flip and abs(hand.crop.angle) < math.pi / 4  # the hand is nearly upright
    assert hand.landmarks.shape == (21, 2) and not hand.landmarks.flags.writeable
    x0, y0, x1, y1 = hand.box
    assert (hand.landmarks > (x0, y0)).all() and (hand.landmarks < (x1, y1)).all()
    shown = hand.crop.to_crop(hand.landmarks)
    assert shown.min() > 10 and shown.max() < 214
    assert shown[0, 1] > shown[9, 1]  # wrist below the knuckles


def test_mirror_law(parts, photo, hand):
    (other,) = locate(photo[:, ::-1], *parts)
    assert other.side == "left" and other.crop.flip
    assert other.right_probability == pytest.approx(1 - hand.right_probability, abs=1e-4)
    assert np.abs(other.landmarks - (hand.landmarks * (-1, 1) + (photo.shape[1] - 1, 0))).max() < 0.02
    expected = hand.crop.mirrored(photo.shape[1])
    assert other.crop.angle == pytest.approx(expected.angle, abs=1e-4)
    assert (other.crop.cx, other.crop.cy) == (
        pytest.approx(expected.cx, abs=0.02),
        pytest.approx(expected.cy, abs=0.02),
    )


def test_mirror_law_with_a_loose_box_of_a_turned_hand(parts, photo, hand):
    picture, move = turned(photo, 2.2)
    box = box_of(move(hand.landmarks), 0.5)
    width = picture.shape[1]
    (found,) = locate(picture, *parts, boxes=[box])
    (other,) = locate(picture[:, ::-1], *parts, boxes=[(width - 1 - box[2], box[1], width - 1 - box[0], box[3])])
    assert (found.side, other.side) == ("right", "left")
    assert np.abs(other.landmarks - (found.landmarks * (-1, 1) + (width - 1, 0))).max() < 0.02


@pytest.mark.parametrize("angle", [0.6, 2.0, math.pi, -1.3])
def test_turning_the_photo_turns_the_crop(parts, photo, hand, angle):
    picture, move = turned(photo, angle)
    points = move(hand.landmarks)
    (found,) = locate(picture, *parts, boxes=[box_of(points)])
    assert found.side == hand.side and found.presence > 0.9
    off = math.degrees(abs(math.remainder(found.crop.angle - hand.crop.angle - angle, math.tau)))
    assert off < 4
    assert np.linalg.norm(found.landmarks - points, axis=1).mean() < 0.02 * hand.crop.size
    assert found.crop.size == pytest.approx(hand.crop.size, rel=0.05)


@pytest.mark.parametrize("pad", [0.0, 0.4])
def test_tight_and_loose_boxes(parts, photo, hand, pad):
    box = box_of(hand.landmarks, pad)
    (found,) = locate(photo, *parts, boxes=[box], sides=[None])
    assert found.box == pytest.approx(box)
    assert np.linalg.norm(found.landmarks - hand.landmarks, axis=1).mean() < 0.02 * hand.crop.size


def test_a_told_side_decides_the_flip(parts, photo, hand):
    box = box_of(hand.landmarks)
    left, right = locate(photo, *parts, boxes=[box, box], sides=["left", "right"])
    assert (left.side, left.crop.flip) == ("left", True) and (right.side, right.crop.flip) == ("right", False)
    assert left.right_probability > 0.9  # what is seen is still said


def test_a_box_without_a_hand_is_answered_with_low_presence(parts, photo):
    (found,) = locate(photo, *parts, boxes=[(5, 5, 65, 75)])
    assert found.presence < 0.5 and found.box == (5, 5, 65, 75)
    assert np.isfinite(found.landmarks).all()


def test_two_hands_found_once_each(parts, photo, hand):
    pair = np.concatenate([photo, photo[:, ::-1]], axis=1)[150:460]
    found = locate(pair, *parts)
    assert sorted(h.side for h in found) == ["left", "right"]
    assert len(locate(pair, *parts, max_hands=1)) == 1
    boxes = [h.box for h in found]
    again = locate(pair, *parts, boxes=boxes)
    assert [h.side for h in again] == [h.side for h in found]  # in the order of the boxes


def test_no_hand_no_boxes(parts):
    wall = np.full((120, 160, 3), 140, np.uint8)
    assert locate(wall, *parts) == []
    assert locate(wall, *parts, boxes=[]) == []


@pytest.mark.parametrize(
    ("hints", "what"),
    [
        ({"boxes": [(10, 10, 10, 40)]}, "empty"),
        ({"boxes": [(10, 10, 40)]}, "four numbers"),
        ({"boxes": [(math.nan, 10, 40, 40)]}, "NaN"),
        ({"boxes": [(500, 10, 540, 40)]}, "outside"),
        ({"boxes": [(10, 10, 40, 40)], "sides": ["both"]}, "side"),
        ({"boxes": [(10, 10, 40, 40)], "sides": []}, "sides were given"),
        ({"sides": ["left"]}, "without boxes"),
    ],
)
def test_bad_hints_are_named(parts, hints, what):
    with pytest.raises(InputError, match=what):
        locate(np.zeros((100, 100, 3), np.uint8), *parts, **hints)


def look_at_square(x: float, y: float, size: float, presence: float, disagreement: float = 0.0) -> CropHypothesis:
    """A look whose landmarks spread over a square of this crop's middle half."""
    spread = np.random.default_rng(0).uniform(-0.25, 0.25, (21, 2)) * size
    return CropHypothesis(Crop(x, y, size), spread + (x, y), presence, 0.9, disagreement)


def test_an_unsure_part_of_a_sure_hand_is_no_hand():
    sure, part = look_at_square(50, 50, 100, 0.99), look_at_square(45, 55, 30, 0.8)
    assert each_once([part, sure]) == [sure]
    assert each_once([part]) == [part]
    elsewhere = look_at_square(250, 50, 30, 0.8)
    assert each_once([elsewhere, sure]) == [sure, elsewhere]
    hand_before_a_larger_one = look_at_square(45, 55, 30, 0.97)
    assert each_once([hand_before_a_larger_one, sure]) == [sure, hand_before_a_larger_one]
    unsure = look_at_square(50, 50, 100, 0.99, disagreement=0.05)  # trusted by 0.6
    assert part in each_once([part, unsure])


def test_a_hand_that_fills_the_photo_is_not_taken_for_its_fingers(parts, photo, hand):
    """Cut so that the hand reaches from edge to edge: the palm network, which looks for smaller ones, is no help."""
    x0, y0, x1, y1 = (round(v) for v in hand.box)
    cut = np.ascontiguousarray(photo[max(y0, 0) : y1, max(x0, 0) : x1])
    (found,) = locate(cut, *parts)
    apart = np.linalg.norm(found.landmarks + (max(x0, 0), max(y0, 0)) - hand.landmarks, axis=1).mean()
    assert apart < 0.05 * hand.crop.size
