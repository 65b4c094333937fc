"""A keypoint is in disagreement where the network says another thing without its landmarks."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from annotator import sample_data
from annotator.correcting.next_keypoint import expected_gain, next_keypoint
from annotator.hand.joints import joint_index
from annotator.rounds.selection.disagreement import landmark_disagreement, without_landmarks
from annotator.vision.photos import read_photo

TIP = joint_index("middle_tip")


@pytest.fixture(scope="module")
def hand(model):
    """Of a photo that is larger than the network's crop: of the samples of 100 px it is unsure with any landmarks."""
    (photo,) = (path for path in sample_data.photos() if path.name == "signing-0225.jpg")
    return model.propose(read_photo(photo))[0]


def misled(hand, joint: int, by: float):
    """The hand as if its landmark of `joint` lay `by` crop px aside."""
    landmarks = hand.features.features.landmarks.clone()
    landmarks[0, joint, 0] += by
    features = hand.features.features._replace(landmarks=landmarks)
    return hand.replace(features=dataclasses.replace(hand.features, features=features))


@pytest.mark.parametrize("by", [40.0, -40.0])
def test_a_landmark_put_aside_brings_its_keypoint_into_doubt(model, hand, by):
    before, after = landmark_disagreement(model, hand), landmark_disagreement(model, misled(hand, TIP, by))
    assert before.shape == (21,) and np.isfinite(before).all()
    assert after[TIP] > 3 * before[TIP] and after.argmax() in range(TIP - 2, TIP + 1)


def test_without_landmarks_there_is_no_doubt(model, hand):
    blind = dataclasses.replace(hand.features, features=without_landmarks(hand.features.features))
    assert np.allclose(landmark_disagreement(model, hand.replace(features=blind)), 0.0)
    assert torch.isfinite(hand.features.features.landmarks).all()  # nothing was written over


def test_the_next_keypoint_is_the_doubted_one(model, hand):
    disagreement = np.zeros(21)
    disagreement[TIP] = 50.0
    assert np.allclose(expected_gain(hand, model.hand, disagreement=np.zeros(21)), expected_gain(hand, model.hand))
    assert next_keypoint(hand, model.hand, disagreement=disagreement) == TIP
    assert next_keypoint(hand, model.hand, {TIP: "occluded"}, disagreement) != TIP
