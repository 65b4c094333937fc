"""Hands that the landmark network loses, followed by the network that answers: what is found stays, more is added."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from annotator.detection.answered import FEW, LEAST, PATTERN, AnswerSearch, _same, unknown
from annotator.detection.crop_hypotheses import CropHypothesis
from annotator.detection.palms.palm_detector import Palm
from annotator.detection.searching import search
from annotator.vision.boxes import bounds, overlap
from annotator.vision.crops import Crop
from annotator.vision.photos import read_photo


@pytest.fixture(scope="module")
def photo(photo_file) -> np.ndarray:
    return read_photo(photo_file)


@pytest.fixture(scope="module")
def answers(model) -> AnswerSearch:
    return model.finder.answers


def looks_of(model, photo: np.ndarray, answers: AnswerSearch | None) -> list[CropHypothesis]:
    finder = model.finder
    (looks,) = search([photo], finder.landmark_network(), finder.detector, finder.bodies, finder.dressed, answers)
    return looks


@pytest.fixture(scope="module")
def hand(model, photo) -> CropHypothesis:
    (hand,) = looks_of(model, photo, None)
    return hand


def palm_of(look: CropHypothesis, score: float = 0.9, x: float = 0.0) -> Palm:
    points = look.landmarks[[0, 5, 9, 13, 17, 1, 2]] + (x, 0)
    x0, y0, x1, y1 = bounds(points)
    return Palm(score, (x0, y0, x1, y1), points)


def test_what_is_found_without_stays_the_same(model, answers, photo, hand):
    (again,) = looks_of(model, photo, answers)
    assert again.crop == hand.crop and np.array_equal(again.landmarks, hand.landmarks)
    assert (again.presence, again.right) == (hand.presence, hand.right)


def test_a_crop_near_a_hand_leads_to_it_and_to_its_side_mirrored_too(answers, photo, hand):
    """Off by a fifth of its size, a fifth too large, turned by 20 degrees."""
    crop = hand.next_crop
    start = replace(crop, cx=crop.cx + 0.2 * crop.size, size=1.2 * crop.size, angle=crop.angle + 0.35)
    width = photo.shape[1]
    ((look,),) = answers.looks([photo], [[]], [[start]], [[]])
    assert look.presence > 0.9 and look.right > 0.9 and look.found and not look.placed
    assert overlap(look.box, hand.box[None])[0] > 0.8
    assert np.linalg.norm(look.landmarks - hand.landmarks, axis=1).mean() < 0.06 * crop.size
    other = np.ascontiguousarray(photo[:, ::-1])
    ((mirrored,),) = answers.looks([other], [[]], [[replace(start.mirrored(width), flip=False)]], [[]])
    assert mirrored.right < 0.1
    assert np.abs(mirrored.landmarks * (-1, 1) + (width - 1, 0) - look.landmarks).max() < 0.5


def test_where_no_hand_is_there_is_no_answer(answers, photo):
    noise = np.random.default_rng(0).integers(90, 160, (240, 320, 3), dtype=np.uint8)
    crops = [Crop(160, 120, 120), Crop(80, 60, 90, 1.0)]
    assert answers.looks([noise], [[]], [crops], [[]]) == [[]]
    assert answers.looks([photo], [[]], [[Crop(60, 60, 110), Crop(560, 1000, 140, 2.0)]], [[]]) == [[]]
    assert answers.looks([photo, photo], [[], []], [[], []], [[], []]) == [[], []]


def test_what_is_repeated_many_times_is_a_pattern(answers, photo, hand):
    crop = replace(hand.next_crop, angle=0.0)
    x, y, half = round(crop.cx), round(crop.cy), round(0.45 * crop.size)
    tile = np.asarray(Image.fromarray(photo[y - half : y + half, x - half : x + half]).resize((120, 120)))
    starts = [Crop(59.5 + 120 * k, 59.5, 133) for k in range(PATTERN + 1)]
    (few,) = answers.looks([np.tile(tile, (1, PATTERN, 1))], [[]], [starts[:PATTERN]], [[]])
    assert len(few) == PATTERN
    assert answers.looks([np.tile(tile, (1, PATTERN + 1, 1))], [[]], [starts], [[]]) == [[]]


def test_a_known_hand_is_not_found_again(answers, photo, hand):
    assert answers.looks([photo], [[palm_of(hand)]], [[hand.next_crop]], [[hand]]) == [[]]
    (again,) = answers.follow(photo, [(hand.next_crop, 0.9)])
    assert _same(again, hand) and not _same(again, replace(hand, landmarks=hand.landmarks + (hand.crop.size, 0.0)))


def test_a_palm_beside_a_known_one_is_another_hand_s(hand):
    """Also within the box of the known hand; a part of its palm is not."""
    size = float(np.ptp(hand.landmarks[[0, 5, 9, 13, 17]], 0).max())
    beside = palm_of(hand, x=0.9 * size)
    assert unknown([beside], [hand]) == [beside] and unknown([palm_of(hand)], [hand]) == []
    x0, y0, x1, y1 = palm_of(hand).box
    part = Palm(0.9, (x0, y0, x0 + 0.3 * (x1 - x0), y0 + 0.3 * (y1 - y0)), palm_of(hand).points)
    assert unknown([part], [hand]) == []
    # each once, not the faintest
    better = replace(beside, score=0.95)
    assert unknown([beside, better], []) == [better]
    assert unknown([replace(beside, score=0.2)], []) == []


def test_few_of_what_only_may_be_palms_are_followed(hand):
    size = float(np.ptp(hand.landmarks[[0, 5, 9, 13, 17]], 0).max())
    clear = [palm_of(hand, 0.9, 3 * size * k) for k in range(FEW + 3)]
    faint = [palm_of(hand, 0.4, -3 * size * (k + 1)) for k in range(FEW + 3)]
    assert unknown(faint + clear, []) == clear + faint[:FEW]
    larger = replace(hand, crop=replace(hand.crop, size=1.5 / LEAST * Crop.from_palm(faint[0]).size))
    assert unknown([faint[0], clear[1]], [larger]) == [clear[1]]


def test_a_doubtful_side_is_judged_again_a_clear_one_is_not(answers, photo, hand):
    assert hand.right > 0.95 and answers.sided(photo, hand) is hand
    wrong, doubted = replace(hand, right=0.4), replace(hand, right=0.6)
    assert answers.sided(photo, wrong).right > 0.9
    assert answers.sided(photo, doubted) is doubted
    arm = replace(hand, right=0.4, placed=True)
    assert answers.sided(photo, arm) is arm


def test_a_network_that_says_nothing_of_use_adds_nothing(answers, photo, hand, monkeypatch):
    def nothing(features, *told):
        answer = type(answers._network).answer(answers._network, features, *told)
        return answer._replace(keypoint_sigma=torch.full_like(answer.keypoint_sigma, torch.nan))

    monkeypatch.setattr(answers._network, "answer", nothing)
    assert answers.looks([photo], [[]], [[hand.next_crop]], [[]]) == [[]]
    doubtful = replace(hand, right=0.5)
    assert answers.sided(photo, doubtful) is doubtful
