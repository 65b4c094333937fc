"""Where the network says another thing without its landmarks: there a keypoint is in doubt."""

from __future__ import annotations

import numpy as np
import torch

from annotator.hand.mesh import HandMesh
from annotator.model import Model
from annotator.network.crop_camera import cameras
from annotator.network.encoder import Features
from annotator.network.hand_meshes import Remembered, on_cpu


def without_landmarks(features: Features) -> Features:
    """The features of a landmark network that found nothing."""
    return features._replace(landmarks=torch.full_like(features.landmarks, torch.nan))


@torch.inference_mode()
def keypoints_of(model: Model, kept: Remembered, hand: HandMesh, led: bool) -> np.ndarray:
    """(21, 2) photo px: the network's answer to a crop that it remembers, with (led) or without its landmarks. hand: whose
    camera and side it has."""
    features = kept.features if led else without_landmarks(kept.features)
    answer = on_cpu(model.network.answer(features.to(model.device), *cameras([kept.view], model.device)))
    return model.records.of(answer, 0, kept, hand.camera, hand.side, 1.0, {}).keypoints


def doubt_of(model: Model, hand: HandMesh) -> np.ndarray:
    """(21,) photo px: how far each keypoint of the network's own answer moves when it is not told the landmarks; for
    `correcting.choosing`. hand: with features, as `Model.propose` and `Model.remember` give them."""
    led, unled = (keypoints_of(model, hand.features, hand, led) for led in (True, False))
    return np.linalg.norm(led - unled, axis=1)
