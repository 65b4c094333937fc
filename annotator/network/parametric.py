"""The parametric stage (P_GLFnet's idea 1): global features -> pose, shape and camera of the hand model -> mesh M0.

The estimate it starts carries the hand model's prior into all refinement: every later stage moves the same
parameters, so the answer stays a hand.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from annotator.hand.layer import HandLayer
from annotator.network.crop_camera import HALF, project, translation_of
from annotator.network.features import Features
from annotator.network.prompts import Prompts, as_evidence, residual

POSE, SHAPE, CAMERA = 16 * 6, 10, 3


class Estimate(NamedTuple):
    """Where the network stands: parameters of B hands in their crop cameras' frames.

    pose: (B, 16, 6) rotations, the first two columns of each (Zhou 2019), not yet orthonormal
    shape: (B, 10); camera: (B, 3), see `crop_camera.translation_of`
    offsets: (B, M, 3) metres at the offset level, in the rest pose
    hidden: (B, H) the global prior that refinement reads and writes
    """

    pose: Tensor
    shape: Tensor
    camera: Tensor
    offsets: Tensor
    hidden: Tensor

    def rotations(self) -> Tensor:
        """(B, 16, 3, 3) rotation matrices."""
        return rotation_from_6d(self.pose)

    def detach(self) -> Estimate:
        return Estimate(*(field.detach() for field in self))


def rotation_from_6d(columns: Tensor) -> Tensor:
    """(..., 6) -> (..., 3, 3) by Gram-Schmidt (Zhou et al. 2019, 'On the continuity of rotation representations')."""
    a, b = columns[..., :3], columns[..., 3:]
    x = F.normalize(a, dim=-1, eps=1e-6)
    y = F.normalize(b - (x * b).sum(-1, keepdim=True) * x, dim=-1, eps=1e-6)
    return torch.stack([x, y, torch.linalg.cross(x, y)], dim=-1)


class ResidualBlock(nn.Module):
    """LayerNorm, two linear layers, and the way round them."""

    def __init__(self, width: int, inner: int | None = None):
        super().__init__()
        inner = inner or width
        self.norm = nn.LayerNorm(width)
        self.first = nn.Linear(width, inner)
        self.second = nn.Linear(inner, width)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.gelu(self.first(self.norm(x))))


class ParametricStage(nn.Module):
    """Global vector and the encoder's landmarks as noisy prompts -> `Estimate`.

    The encoder's landmarks (2-D in the crop, and its root-relative 3-D) enter as evidence beside the global vector:
    they hold on real photos where features learned on synthetic ones do not. A person's prompts do not enter here: M0
    is computed once per hand and kept, corrections speak to the refinement stages.
    """

    def __init__(self, global_channels: int, width: int, offset_vertices: int, blocks: int = 3):
        super().__init__()
        self.offset_vertices = offset_vertices
        self.compress = nn.Sequential(nn.LayerNorm(global_channels), nn.Linear(global_channels, width // 2))
        self.evidence = nn.Linear(21 * 3 + 21 * 3 + 2, width)
        self.merge = nn.Linear(width // 2 + width, width)
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)))
        self.norm = nn.LayerNorm(width)
        self.answer = nn.Linear(width, POSE + SHAPE + CAMERA)
        nn.init.normal_(self.answer.weight, std=0.01)
        nn.init.zeros_(self.answer.bias)
        identity = torch.tensor([1.0, 0, 0, 0, 1.0, 0]).repeat(16, 1)
        self.register_buffer("mean_pose", identity, persistent=True)

    def forward(self, features: Features, focal: Tensor) -> Estimate:
        """focal: (B,) crop pixels."""
        landmarks = features.landmarks
        known = torch.isfinite(landmarks).all(-1).all(-1).to(features.pooled)
        seen = as_evidence(torch.nan_to_num(landmarks), known[:, None].expand(-1, 21))
        world = torch.nan_to_num(features.world)
        world = (world - world[:, :1]) * 10.0  # decimetres, so that a hand is a number near one
        evidence = torch.cat(
            [
                seen.flatten(1),
                world.flatten(1),
                torch.log(focal / HALF / 6.0)[:, None],
                known[:, None],
            ],
            dim=1,
        )
        hidden = self.merge(torch.cat([self.compress(features.pooled), F.gelu(self.evidence(evidence))], dim=1))
        hidden = self.blocks(hidden)
        pose, shape, camera = self.answer(self.norm(hidden)).split([POSE, SHAPE, CAMERA], dim=1)
        return Estimate(
            pose=self.mean_pose + pose.unflatten(1, (16, 6)),
            shape=shape,
            camera=camera,
            offsets=pose.new_zeros(pose.shape[0], self.offset_vertices, 3),
            hidden=hidden,
        )


class Placed(NamedTuple):
    """An estimate placed in front of its crop camera: (B, 21, 3) m and (B, 21, 2) crop px, and (B, 3) m."""

    joints: Tensor
    keypoints: Tensor
    translation: Tensor


def place(layer: HandLayer, estimate: Estimate, projection: Tensor, focal: Tensor) -> Placed:
    """The joints of the estimate's mesh and where they fall in the crop, without skinning the whole mesh."""
    translation = translation_of(estimate.camera, focal)
    offsets = estimate.offsets
    joints = layer.keypoints_from_pose(estimate.rotations(), estimate.shape, offsets) + translation[:, None]
    return Placed(joints, project(joints, projection), translation)


def guidance(features: Features, prompts: Prompts, keypoints: Tensor) -> Tensor:
    """(B, 21, 6): how far the projected joints are from the encoder's landmarks and from the person's prompts."""
    known = torch.isfinite(features.landmarks).all(-1).to(keypoints)
    return torch.cat(
        [
            residual(torch.nan_to_num(features.landmarks), known, keypoints),
            residual(prompts.points, prompts.weights, keypoints),
        ],
        dim=-1,
    )
