"""Shards of synthetic photos as a crop set for training: exact keypoints and joints, nothing of the mesh."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from annotator.hand.layer import HandLayer
from annotator.learning.data.photos import recoloured
from annotator.learning.data.samples import Labels
from annotator.network.crop_camera import plain_projection
from annotator.synthetic.shards import SyntheticShards


class RenderedCrops:
    """The samples of `SyntheticShards` with their sparse labels. jitter: small changes of colour (training)."""

    def __init__(self, folder: str | Path, jitter: bool = True):
        self.shards, self.jitter = SyntheticShards(folder), jitter

    def __len__(self) -> int:
        return len(self.shards)

    def sample(self, index: int, generator: np.random.Generator) -> tuple[np.ndarray, Labels]:
        """One crop (224, 224, 3) uint8 and its labels, a batch of one."""
        row = self.shards[index]
        crop = row["image"]
        if self.jitter and generator.random() < 0.5:
            crop = recoloured(crop.astype(np.float32), generator).clip(0, 255).astype(np.uint8)
        one = torch.ones(1)
        focal = torch.tensor([float(row["focal"])])
        return crop, Labels(
            keypoints=torch.from_numpy(row["keypoints"].astype(np.float32))[None],
            keypoint_weight=torch.ones(1, 21),
            visible=torch.from_numpy(row["visible"].astype(np.float32))[None],
            joints=torch.from_numpy(row["joints"].astype(np.float32))[None],
            joint_weight=torch.ones(1, 21),
            metric=one,
            projection=plain_projection(focal),
            focal=focal,
            exact=one,
        )

    @torch.inference_mode()
    def true_vertices(self, layer: HandLayer, count: int) -> np.ndarray:
        """(count, V, 3) m, the meshes the first photos were rendered from: for benchmarks, never for training."""
        labels = self.shards.labels
        if self.shards.meta.get("bones"):
            return np.array(
                [
                    self.shards.hand(k, layer.model).skin(labels["rotations"][k], labels["shape"][k])
                    for k in range(count)
                ]
            )
        parts = []
        for start in range(0, count, 64):
            stop = min(start + 64, count)
            rotations = torch.from_numpy(labels["rotations"][start:stop]).float()
            parts.append(layer(rotations, torch.from_numpy(labels["shape"][start:stop]).float()).numpy())
        return np.concatenate(parts)
