"""Where the network says another thing without its landmarks: there a keypoint is uncertain."""

from __future__ import annotations

import numpy as np
import torch

from annotator.hand.mesh import HandMesh
from annotator.model import Model
from annotator.network.crop_camera import cameras
from annotator.network.features import Features
from annotator.network.hand_meshes import CachedFeatures, on_cpu


def without_landmarks(features: Features) -> Features:
    """The features of a landmark network that found nothing."""
    return features._replace(landmarks=torch.full_like(features.landmarks, torch.nan))


@torch.inference_mode()
def without_landmarks_keypoints(model: Model, hand: HandMesh) -> np.ndarray:
    """(21, 2) photo px: the network's answer to the crop that `hand.features` remembers, without landmarks; no fit to
    them either."""
    kept: CachedFeatures = hand.features
    features = without_landmarks(kept.features).to(model.device)
    answer = on_cpu(model.network.answer(features, *cameras([kept.view], model.device)))
    return model.records.of(answer, 0, kept, hand.camera, hand.side, 1.0, {}).keypoints


@torch.inference_mode()
def landmark_disagreement(model: Model, hand: HandMesh) -> np.ndarray:
    """(21,) photo px: how far each keypoint of a fresh proposal moves when the network is not told the landmarks; for
    `correcting.next_keypoint`. hand: with features, as `Model.propose` and `Model.remember` give them; corrected
    or not."""
    kept: CachedFeatures = hand.features
    answer = on_cpu(model.network.answer(kept.features.to(model.device), *cameras([kept.view], model.device)))
    fresh = model.hand_of(answer, 0, kept, hand.camera, hand.side, 1.0, {})
    return np.linalg.norm(fresh.keypoints - without_landmarks_keypoints(model, hand), axis=1)
