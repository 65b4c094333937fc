"""A photo that is hardly a photo of a hand takes little from what a good one says, and nothing of the side."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from small_rigs import SIZES, rig_of

from annotator.correcting.views import Sighting, join
from annotator.correcting.views.asking import asked_again
from annotator.correcting.views.joining import agreeing
from annotator.correcting.views.sighting import landmarks_of
from annotator.correcting.views.weighing import in_effect, weighed
from annotator.evaluation.metrics import point_errors
from annotator.hand.definitions import MEDIAPIPE
from annotator.network.hand_meshes import CachedFeatures
from annotator.vision.camera import project
from annotator.vision.crops import Crop


def seen_as(hand, presence: float, right: float):
    """The hand with what a landmark network says of its crop: presence, and that its side is right."""
    nothing = torch.full((1, 21, 2), torch.nan)
    features = SimpleNamespace(presence=torch.tensor([presence]), right=torch.tensor([right]), landmarks=nothing)
    return hand.replace(features=CachedFeatures(features, None, None, None))


def sightings(rig, there):
    return [Sighting.of(rig[name], hand) for name, hand in there.items()]


def test_the_surest_is_not_doubted_and_others_are_by_their_confidence(scene):
    rig = rig_of(3)
    _, there = scene(rig, 2)
    there["cam1"] = there["cam1"].replace(confidence=0.3)
    first, second, third = weighed(sightings(rig, there))
    assert first.doubted == third.doubted == 1.0
    assert second.doubted == pytest.approx(9.0)
    np.testing.assert_allclose(second.sigma, 9.0 * there["cam1"].keypoint_sigma)
    assert 1.9 < in_effect([first, third]) <= 2.0 and in_effect([first]) == 1.0
    assert in_effect([first, second]) < 1.4


def test_a_doubtful_photo_hardly_bends_the_hand_of_a_good_one(scene, hand_model):
    rig, errors = rig_of(2), {0.9: [], 0.1: []}
    for seed in range(6):
        world, there = scene(rig, seed)
        bad, another = there["cam1"], scene(rig, 50 + seed)[1]["cam1"].keypoints
        # half way to another hand in the same place: all keypoints are wrong, together
        moved = 0.5 * (bad.keypoints + another - another.mean(axis=0) + bad.keypoints.mean(axis=0))
        for confidence, found in errors.items():
            two = {"cam0": [there["cam0"]], "cam1": [bad.replace(keypoints=moved, confidence=confidence)]}
            (hand,) = join(two, rig, hand_model, SIZES)
            truth = rig["cam0"].to_camera(world)
            found.append(point_errors(hand.views["cam0"].joints[None], truth[None]).mean())
    assert np.mean(errors[0.1]) < 0.7 * np.mean(errors[0.9])


def test_the_side_is_of_who_is_sure_of_it_not_of_who_is_sure_of_places(scene):
    rig = rig_of(2)
    _, there = scene(rig, 3, "right")
    blurred = there["cam1"].replace(side="left", keypoint_sigma=there["cam1"].keypoint_sigma / 3)
    two = {"cam0": seen_as(there["cam0"], 1.0, 0.9), "cam1": seen_as(blurred, 0.9, 0.7)}
    inside, left_out = agreeing(sightings(rig, two))
    assert [one.camera.name for one in inside] == ["cam0"] and "left hand" in left_out["cam1"]


@pytest.mark.parametrize(("presence", "right", "counts"), [(0.9, 0.8, True), (0.02, 0.9, False), (0.9, 0.1, False)])
def test_landmarks_of_nothing_do_not_count(scene, hand_model, presence, right, counts):
    rig = rig_of(2)
    _, there = scene(rig, 4)
    (hand,) = join({"cam0": [there["cam0"]], "cam1": []}, rig, hand_model, SIZES)
    again = asked_again(hand, hand_model, SIZES, lambda name, box, side: seen_as(there[name], presence, right))
    assert again.seen_by == (("cam0", "cam1") if counts else ("cam0",))


def test_an_encoder_that_says_no_side_is_believed(scene):
    rig = rig_of(2)
    _, there = scene(rig, 5)
    (one, _) = sightings(rig, there | {"cam0": seen_as(there["cam0"], float("nan"), float("nan"))})
    assert one.is_seen and one.side_odds > 0


def test_landmarks_are_read_as_mediapipe_means_them(scene):
    rig = rig_of(2)
    _, there = scene(rig, 6, "left")
    hand = there["cam0"]
    hand = hand.replace(keypoints=project(hand.joints, hand.camera))
    crop = Crop.of_hand(hand)
    said = torch.tensor(crop.to_crop(MEDIAPIPE.keypoints(hand)))[None]
    kept = CachedFeatures(SimpleNamespace(landmarks=said), None, None, crop)
    assert np.abs(crop.to_photo(said[0].numpy()) - hand.keypoints).max() > 3
    np.testing.assert_allclose(landmarks_of(hand.replace(features=kept)), hand.keypoints, atol=1e-6)
