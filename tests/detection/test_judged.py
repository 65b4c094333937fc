"""What judges crops: mirror images have mirrored answers, and it knows the trunk that it was fitted to."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from annotator.detection.dressed import DressedSearch
from annotator.detection.judged import SigmaJudge, TrunkJudge, judge_of
from annotator.detection.searching import search
from annotator.network.encoders.tuned import TunedMediaPipeEncoder
from annotator.vision.crops import Crop
from annotator.vision.photos import read_photo


@pytest.fixture(scope="module")
def photo(photo_file) -> np.ndarray:
    return read_photo(photo_file)


@pytest.fixture(scope="module")
def pair(model, photo):
    finder = model.finder
    ((look,),) = search([photo], finder.landmark_network(), finder.detector, finder.bodies)
    assert look.right > 0.95
    (pair,) = finder.answers.ways(photo, [replace(look.next_crop, flip=False)])
    return pair


@pytest.fixture(scope="module")
def presence():
    return DressedSearch().presence


@pytest.mark.parametrize("kind", ["trunk", "sigma"])
def test_a_hand_and_its_side_and_those_of_the_mirror_image(pair, presence, kind):
    judge = TrunkJudge() if kind == "trunk" else SigmaJudge(presence)
    assert judge.hand(pair) > 2 and judge.right(pair) > 1
    assert judge.right(pair[::-1]) == pytest.approx(-judge.right(pair), abs=1e-4)
    assert judge.hand(pair[::-1]) == pytest.approx(judge.hand(pair), abs=1e-4)


def test_where_no_hand_is_both_say_so(model, photo, presence):
    noise = np.random.default_rng(0).integers(90, 160, (240, 320, 3), dtype=np.uint8)
    for pair in model.finder.answers.ways(noise, [Crop(160, 120, 120), Crop(80, 60, 90, 1.0)]):
        assert TrunkJudge().hand(pair) < -3 and SigmaJudge(presence).hand(pair) < 0


def test_the_layers_serve_the_trunk_they_were_fitted_to_and_its_near_kin(model, presence):
    own = model.network.encoder
    assert isinstance(judge_of(own, presence), TrunkJudge)
    moved = copy.deepcopy(own)
    with torch.no_grad():
        for parameter in moved.learned().parameters():
            parameter.mul_(1.001)
    assert isinstance(judge_of(moved, presence), TrunkJudge)
    assert isinstance(judge_of(TunedMediaPipeEncoder(), presence), SigmaJudge)
    assert isinstance(judge_of(torch.nn.Identity(), presence), SigmaJudge)
