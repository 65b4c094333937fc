"""What may be asked of the model: bounded memory, numbers that fit the photo, an end at any time."""

from __future__ import annotations

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from annotator.detection.crop_hypotheses import look_at
from annotator.detection.hand_detector import MANY
from annotator.errors import InputError
from annotator.model.answering import AT_ONCE
from annotator.model.proposing import Waiting, camera_of
from annotator.stopping import asking
from annotator.vision.camera import check_camera
from annotator.vision.crops import Crop
from annotator.vision.photos import read_photo


@pytest.fixture(scope="module")
def photo(photo_file):
    return read_photo(photo_file)


class Blind(nn.Module):
    """A landmark network that sees the same in everything, and remembers how many pictures it was given together."""

    def __init__(self):
        super().__init__()
        self.most = 0
        self.register_buffer("nothing", torch.zeros(1))

    def forward(self, pictures):
        self.most = max(self.most, len(pictures))
        points = torch.arange(63, dtype=torch.float32).reshape(1, 21, 3).expand(len(pictures), -1, -1)
        half = torch.full((len(pictures),), 0.5)
        return SimpleNamespace(landmarks=points, presence=half, right=half)


def test_looking_needs_no_more_memory_for_more_views(photo):
    def peak(count: int) -> int:
        views = [(photo, Crop(300, 500, 200 + k)) for k in range(count)]
        tracemalloc.start()
        assert len(look_at(network, views)) == count
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    network = Blind()
    few, many = peak(40), peak(240)
    assert many < 1.5 * few and network.most <= 32


def test_very_many_hands_of_a_photo_are_answered_part_by_part(model, photo, monkeypatch):
    """The same answers; no pass of the encoder or of the heads has more hands than any other."""
    ((found, features),) = model.finder.find([photo], [None], [None])
    K = camera_of(photo, found, None)
    ((alone,),) = model.proposing.answers([Waiting(photo, found, features, K)])
    assert model.finder._seen([photo], [found * (MANY + 1)]) == [None]
    passes, answer = [], model.network.answer
    monkeypatch.setattr(
        model.network, "answer", lambda some, *rest: passes.append(len(some.pooled)) or answer(some, *rest)
    )
    count = MANY + 1
    both = [Waiting(photo, found * count, None, K), Waiting(photo, [], None, K), Waiting(photo, found, features, K)]
    many, none, one = model.proposing.answers(both)
    assert len(many) == count and none == [] and len(one) == 1
    assert max(passes) <= AT_ONCE and sum(passes) == count + 1
    for hand in (many[0], many[-1], one[0]):
        assert np.abs(hand.vertices - alone.vertices).max() < 1e-6
        assert hand.features.features.pooled.shape == alone.features.features.pooled.shape
    fixed = model.refine(many[-1], {"index_tip": alone.keypoints[8] + 5}, exact=True)
    assert np.abs(fixed.keypoints[8] - alone.keypoints[8] - 5).max() < 0.5


class Left(Exception):
    pass


def test_work_ends_where_nobody_waits_any_more(model, photo):
    asked = []

    def wanted():
        asked.append(None)
        if len(asked) == 3:
            raise Left

    with asking(wanted), pytest.raises(Left):
        model.propose(photo)
    assert len(asked) == 3
    with asking(lambda: asked.append(None)):
        model.propose(photo)
    assert len(asked) > 6  # there are pieces enough to end between
    before = len(asked)
    model.propose(photo)
    assert len(asked) == before


@pytest.mark.parametrize(
    "box",
    [(-1e9, -1e9, 1e9, 1e9), (0, 0, 1e300, 1e300), (0, 0, 10**400, 9), (-5000, 0, 100, 100), (1, 1, 1, 5)],
)
def test_boxes_are_checked_against_the_photo(model, photo, box):
    with pytest.raises(InputError, match="box 0") as caught:
        model.propose(photo, [box])
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("K", "what"),
    [
        ([[1e-300, 0, 0], [0, 1e-300, 0], [0, 0, 1]], "focal length"),
        ([[1e300, 0, 0], [0, 1e300, 0], [0, 0, 1]], "focal length"),
        ([[900, 1e9, 300], [0, 900, 500], [0, 0, 1]], "skew"),
        ([[900, 0, 1e12], [0, 900, 500], [0, 0, 1]], "middle"),
        ([[10**400, 0, 0], [0, 900, 500], [0, 0, 1]], "not numeric"),
    ],
)
def test_cameras_are_checked_against_the_photo_before_any_work(model, photo, K, what, monkeypatch):
    monkeypatch.setattr(model.finder, "find", lambda *_: pytest.fail("work had begun"))
    with pytest.raises(InputError, match=what):
        model.propose(photo, None, None, K)


def test_cameras_that_exist_are_taken():
    part_of_a_large_photo = ((300, 300), 4000, (4000, -2000))
    ordinary = ((224, 224), 480, (112, 112)), ((1080, 1920), 1400, (960, 540)), ((500, 500), 3e5, (0, 0))
    for size, focal, middle in (*ordinary, part_of_a_large_photo):
        K = np.array([[focal, 0, middle[0]], [0, focal, middle[1]], [0, 0, 1.0]])
        assert np.array_equal(check_camera(K, size), K)


@pytest.mark.parametrize("size", [3e6, 1e8, 9e8])
def test_a_crop_far_larger_than_its_photo_takes_no_room(size):
    """It used to be laid out in memory with all the black round it: 580 TB for a box of 1e9 px."""
    photo = np.full((60, 80, 3), 200, np.uint8)
    tracemalloc.start()
    picture = Crop(40, 30, size).extract(photo)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 20e6 and picture.shape == (224, 224, 3) and picture.max() < 0.1


def test_large_blocks_have_the_same_means():
    from annotator.vision import crops

    random = np.random.default_rng(0)
    photo = random.integers(0, 256, (37, 51, 3), dtype=np.uint8)
    crop = Crop(20, 15, 224 * 11, 0.3)
    few = crop.extract(photo)
    before, crops.FEW = crops.FEW, 1e-9  # never
    try:
        padded = crop.extract(photo)
    finally:
        crops.FEW = before
    assert np.abs(few - padded).max() <= 1.01 / 255


@pytest.mark.parametrize("value", [1e10, -1e12, 1e300, float("nan"), float("inf")])
def test_crops_are_of_this_world(value):
    for place in ((value, 0, 100), (0, value, 100), (0, 0, value)):
        with pytest.raises(InputError, match="crop"):
            Crop(*place)


def test_features_of_a_hand_with_an_impossible_camera_are_not_made(model, photo, make_hand):
    hand = make_hand().replace(camera=np.array([[1e9, 0, 0], [0, 1e9, 0], [0, 0, 1.0]]))
    with pytest.raises(InputError, match="focal length"):
        model.remember(photo, hand)
