"""Bodies and arms: in photos that scikit-image carries, and where an arm is told to end in a hand of the samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from skimage import data

from annotator.detection.anchors import merged
from annotator.detection.bodies.arms import Arm
from annotator.detection.bodies.hands_by_arms import BodySearch, _left, _once, hands_by_arms
from annotator.detection.crop_hypotheses import CropHypothesis
from annotator.detection.localization import hand_seen, locate_many
from annotator.detection.palms.palm_detector import PalmDetector
from annotator.detection.searching import each_once
from annotator.network.encoders.exported_hand import exported_hand
from annotator.network.encoders.mediapipe_hand import load_mediapipe_hand
from annotator.vision.boxes import overlap
from annotator.vision.crops import Crop
from annotator.vision.photos import read_photo


@pytest.fixture(scope="module")
def search() -> BodySearch:
    return BodySearch()


@pytest.fixture(scope="module")
def networks():
    return exported_hand(load_mediapipe_hand().eval()), PalmDetector()


@pytest.fixture(scope="module")
def cameraman() -> np.ndarray:
    return np.repeat(data.camera()[..., None], 3, axis=2)


def test_a_face_leads_to_a_body(search):
    (bodies,) = search.bodies.detect_many([data.astronaut()], [False])
    best = bodies[0]
    assert best.score > 0.7
    # her face is at (225, 115); the hips are below the photo, straight under it
    assert abs(best.hips[0] - 225) < 70 and best.hips[1] > 400 and best.reach[1] < best.hips[1]


def test_a_mirrored_photo_gives_the_mirrored_arms(search, cameraman):
    width = cameraman.shape[1]
    (arms,), (other,) = (search.arms_in([photo], [[]]) for photo in (cameraman, cameraman[:, ::-1]))
    assert len(arms) == len(other) >= 2
    for one, two in zip(arms, other, strict=True):
        assert one.side != two.side and one.visibility == pytest.approx(two.visibility, abs=1e-4)
        again = two.crop.mirrored(width)
        assert again.cx == pytest.approx(one.crop.cx, abs=0.1) and again.cy == pytest.approx(one.crop.cy, abs=0.1)
        assert again.size == pytest.approx(one.crop.size, rel=1e-3)


class Told(BodySearch):
    """A search that finds this one arm."""

    def __init__(self, arm: Arm):
        super().__init__()
        self.arm = arm

    def arms_in(self, photos, found):
        return [[self.arm] for _ in photos]


def test_an_arm_leads_to_the_hand_at_its_end(networks, photo_file):
    """Also where the crop is no better than a body tells it; where the hand looks like none, the arm is the answer."""
    landmark_network, palms = networks
    photo = read_photo(photo_file)
    ((known,),) = locate_many([photo], landmark_network, palms, [None], [None])
    crop = replace(known.crop, cx=known.crop.cx + 0.1 * known.crop.size, size=1.2 * known.crop.size, angle=0.3)
    arm = Arm(known.side, crop, 0.95, 1.0, 0.9)
    ((look,),) = hands_by_arms(landmark_network, Told(arm), [photo], [[]])
    assert look.found and not look.placed and np.abs(look.box - known.box).max() < 0.05 * known.crop.size
    x0, y0, x1, y1 = (round(v) for v in known.box)
    gloved = photo.copy()
    gloved[y0:y1, x0:x1] = (60, 50, 40)
    ((look,),) = hands_by_arms(landmark_network, Told(arm), [gloved], [[]])
    assert look.found and look.placed and look.trust < 0.6 and look.next_crop == crop
    hand = hand_seen(look)
    assert hand.side == known.side and hand.crop == replace(crop, flip=known.side == "left")
    assert overlap(hand.box, np.array([known.box]))[0] > 0.3
    # not beyond doubt: hidden, small, cut off, hardly a person, hardly a body
    small = replace(crop, size=40.0)
    outside = replace(crop, cx=-5.0)
    for doubtful in (
        replace(arm, visibility=0.8),
        replace(arm, crop=small),
        replace(arm, crop=outside),
        replace(arm, person=0.95),
        replace(arm, body=0.5),
    ):
        ((look,),) = hands_by_arms(landmark_network, Told(doubtful), [gloved], [[]])
        assert not look.found
    # nor where a hand is seen at the same place
    ((other,),) = hands_by_arms(landmark_network, Told(arm), [photo], [[]])
    ((alone,),) = hands_by_arms(landmark_network, Told(arm), [gloved], [[]])
    assert each_once([alone, other]) == [other] and each_once([alone]) == [alone]


def test_a_photo_full_of_one_hand_is_not_searched_for_bodies(search, cameraman):
    hand = CropHypothesis(Crop(256, 256, 300), np.zeros((21, 2)), 0.99, 0.9, 0.001)
    assert search.arms_in([cameraman], [[hand]]) == [[]]


@pytest.mark.parametrize("name", ["coffee", "chelsea", "brick", "text", "rocket", "astronaut"])
def test_no_hand_where_none_is_seen(search, networks, name):
    photo = getattr(data, name)()
    photo = photo if photo.ndim == 3 else np.repeat(photo[..., None], 3, axis=2)
    assert locate_many([photo], *networks, [None], [None], search) == [[]]


def an_arm(x: float, side: str = "right", visibility: float = 0.9) -> Arm:
    return Arm(side, Crop(x, 100, 80), visibility, 1.0, 0.9)


def a_hand(x: float) -> CropHypothesis:
    return CropHypothesis(Crop(x, 100, 70), np.zeros((21, 2)), 0.99, 0.9, 0.001)


def test_each_arm_once_and_each_hand_is_one_arms():
    twice = [an_arm(100, visibility=0.8), an_arm(105), an_arm(110, "left"), an_arm(300)]
    once = _once(twice)
    assert [(arm.crop.cx, arm.side) for arm in once] == [(105, "right"), (110, "left"), (300, "right")]
    # one found hand between two arms is the nearer one's: the other arm's hand is still to be found
    assert [arm.crop.cx for arm in _left(once, [a_hand(108)])] == [105, 300]
    assert [arm.crop.cx for arm in _left(once, [a_hand(108), a_hand(104)])] == [300]
    assert _left(once, [a_hand(200)]) == once  # too far from all of them
    assert merged([]) == []
