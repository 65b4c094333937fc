"""What a training step eats: crops (or their cached features), cameras, and sparse keypoint labels."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

MEAN_PALM = 0.087  # m, wrist to middle knuckle of the free hand's mean shape (see annotator.hand.building.anatomy)


class Labels(NamedTuple):
    """Sparse labels of B crops of right hands (left ones are flipped crops). No mesh, no hand-model parameter.

    keypoints: (B, 21, 2) crop px; keypoint_weight: (B, 21) 0 = no label, 1 = exact, between = a teacher's
    visible: (B, 21) 1 where a person could click it
    joints: (B, 21, 3) m in the crop camera's frame, any origin; joint_weight: (B, 21)
    metric: (B,) 1 where the joints' scale is known, 0 where it is not
    projection: (B, 3, 3), focal: (B,): the crop's camera, see `CropView`
    exact: (B,) 1 = rendered (labels exact), 0 = a real photo
    """

    keypoints: Tensor
    keypoint_weight: Tensor
    visible: Tensor
    joints: Tensor
    joint_weight: Tensor
    metric: Tensor
    projection: Tensor
    focal: Tensor
    exact: Tensor

    def select(self, index) -> Labels:
        return Labels(*(field[index] for field in self))

    def hand_sized(self) -> Tensor:
        """The joints (B, 21, 3) in metres; where the scale is unknown (a triangulation without a ruler), scaled to an
        ordinary hand's palm."""
        palm = (self.joints[:, 9] - self.joints[:, 0]).norm(dim=-1)
        scale = torch.where(self.metric > 0, torch.ones_like(palm), MEAN_PALM / palm.clamp(min=1e-9))
        return self.joints * scale[:, None, None]

    def sparser(self, keep: Tensor) -> Labels:
        """Only the keypoints `keep` (21,) bool are labelled: for experiments on sparser supervision."""
        mask = keep.to(self.keypoint_weight)
        return self._replace(keypoint_weight=self.keypoint_weight * mask, joint_weight=self.joint_weight * mask)


def concatenate(parts: list[Labels]) -> Labels:
    return Labels(*(torch.cat(fields) for fields in zip(*parts, strict=True)))
