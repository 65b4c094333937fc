"""Proposals to try corrections on: a model's answers on rendered photos, whose meshes are known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from annotator.correcting.simulation.simulated import Truth
from annotator.hand.definitions import frames_of
from annotator.hand.mesh import HandMesh, HandParameters
from annotator.hand.rotations import rotation_vectors
from annotator.learning.data.noise import simulate_landmarks
from annotator.learning.data.rendered import RenderedCrops
from annotator.learning.data.sources import in_batches
from annotator.model import Model
from annotator.network.crop_camera import CropView
from annotator.network.hand_meshes import CachedFeatures, for_keeping, on_cpu
from annotator.network.parametric import Estimate
from annotator.synthetic.shards import SyntheticShards
from annotator.vision.crops import MIDDLE, Crop


def rendered_hands(
    model: Model, folder: str | Path, count: int, simulated: bool = True, batch: int = 16
) -> Iterator[tuple[HandMesh, Truth]]:
    """The first `count` rendered photos of a folder of shards: the model's proposal of each, and the truth.

    A rendered photo is the crop itself. simulated: landmarks with the noise of real photos in place of the
    encoder's own, which on rendered photos are far worse than on real ones (as in `annotator evaluate`).
    """
    crops = RenderedCrops(folder, jitter=False)
    crop = Crop(MIDDLE, MIDDLE, 224.0)
    generator = torch.Generator().manual_seed(0)
    at = 0
    for pictures, labels in in_batches(crops, min(count, len(crops)), batch):
        with torch.inference_mode():
            features = model.finder.features(pictures)
            if simulated:
                landmarks, world = simulate_landmarks(labels, generator)
                features = features._replace(landmarks=landmarks.to(model.device), world=world.to(model.device))
            answer = model.network.answer(features, labels.projection.to(model.device), labels.focal.to(model.device))
        features, answer = for_keeping(features), on_cpu(answer)
        for row, focal in enumerate(labels.focal.double().tolist()):
            K = np.array([[focal, 0.0, MIDDLE], [0.0, focal, MIDDLE], [0.0, 0.0, 1.0]])
            one = slice(row, row + 1)
            kept = CachedFeatures(
                features.select(one),
                Estimate(*(f[one] for f in answer.parametric)),
                CropView.of(crop, K),
                crop,
            )
            presence = float(np.nan_to_num(features.presence[row].item(), nan=1.0))
            hand = model.hand_of(answer, row, kept, K, "right", presence, {})
            yield CachedFeatures.with_proposal(hand), _truth(model, crops.shards, at)
            at += 1


def _truth(model: Model, shards: SyntheticShards, at: int) -> Truth:
    labels = shards.labels
    parameters = HandParameters(
        pose=rotation_vectors(labels["rotations"][at].astype(np.float64)),
        shape=labels["shape"][at],
        translation=labels["translation"][at],
        offsets=np.zeros((model.hand.offset_count, 3)),
    )
    vertices = shards.hand(at, model.hand).vertices(parameters)
    visible = labels["visible"][at] > 0
    keypoints = labels["keypoints"][at].astype(np.float64)
    return Truth(keypoints, visible, vertices, model.hand.joints(vertices), frames_of(parameters.pose))
