"""Landmarks as a real landmark network would have given them, made from exact labels.

On synthetic photos MediaPipe's landmarks are about 19 px of 224 off, on real ones about 5: a network trained on the
former learns to distrust them. So the rendered hands' landmarks are the truth, moved to where MediaPipe means each
joint (`teacher_joints`), plus noise that behaves as on real photos: a whole-hand shift, turn and scale, fingers that
bend together, joints on their own, now and then a finger taken for another; in 3-D a turn, a flattening in depth, and
fingers wrong along the view. How difficult a photo is varies widely (log-normal), so that the network learns to tell
from the evidence's agreement with itself.

Sizes: on average about 3.5 % of the hand's box in 2-D and 12 mm after alignment in 3-D, which is what MediaPipe's
network shows on real photos; in views along the fingers its 3-D error is near 19 mm (two calibrated cameras), mostly
because fingers come out flat.
"""

from __future__ import annotations

import torch
from torch import Tensor

from annotator.learning.data.samples import Labels
from annotator.learning.data.teacher_joints import as_teacher
from annotator.network.crop_camera import HALF

# how much of its finger's error each keypoint carries: wrist, then base to tip
ALONG = torch.tensor([0.0] + [0.35, 0.65, 0.9, 1.15] * 5)
FINGER = torch.tensor([0] + [finger for finger in range(5) for _ in range(4)])
# the joint that a finger hangs on; wrist and roots stay where they are
ROOT = torch.tensor([0] + [1 + 4 * finger for finger in range(5) for _ in range(4)])


def simulate_landmarks(labels: Labels, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """Labels with exact keypoints and joints -> landmarks (B, 21, 2) crop px and world (B, 21, 3) m, centred."""

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator)

    batch = labels.keypoints.shape[0]
    difficulty = torch.exp(0.7 * normal(batch, 1, 1) - 0.25)
    hidden = (1 + 0.8 * (1 - labels.visible.to(labels.keypoints)))[..., None]
    along = ALONG[None, :, None]

    points, joints = as_teacher(labels.keypoints, labels.joints)
    middle = points.mean(1, keepdim=True)
    turn = 0.03 * difficulty[:, 0, 0] * normal(batch)
    size = torch.exp(0.025 * normal(batch, 1, 1))
    points = (points - middle) @ planar_rotation(turn) * size + middle
    points = points + 1.5 * difficulty * normal(batch, 1, 2)
    finger = 2.2 * difficulty * normal(batch, 5, 2)
    gross = (uniform(batch, 5, 1) < 0.03).float() * 18.0 * normal(batch, 5, 2)
    points = points + (finger + gross)[:, FINGER] * along * hidden
    points = points + 1.4 * difficulty * hidden * normal(batch, 21, 2)

    world = joints - joints.mean(1, keepdim=True)
    difficulty = torch.sqrt(difficulty * torch.exp(0.8 * normal(batch, 1, 1)))  # depth has its own difficulties
    flat = torch.ones(batch, 5, 3)
    flattened = (uniform(batch, 1) < 0.35) * (uniform(batch, 5) < 0.8)
    flat[..., 2] = torch.where(flattened, 0.2 + 0.9 * uniform(batch, 5), flat[..., 2])
    root = world[:, ROOT]
    world = root + (world - root) * flat[:, FINGER]
    strong = (uniform(batch) < 0.08).float() * 0.35 + 0.10 * difficulty[:, 0, 0]
    axis = torch.nn.functional.normalize(normal(batch, 3), dim=-1)
    world = world @ axis_rotation(axis * (strong * normal(batch))[:, None])
    world = world * torch.exp(0.08 * normal(batch, 1, 1))
    depth = torch.ones(batch, 1, 3)
    depth[:, 0, 2] = 0.75 + 0.35 * uniform(batch)
    spread = torch.tensor([0.004, 0.004, 0.009])
    world = world * depth + (spread * difficulty * normal(batch, 5, 3))[:, FINGER] * along * hidden
    world = world + 0.5 * spread * difficulty * hidden * normal(batch, 21, 3)
    return points.clamp(-HALF, 3 * HALF), world


def planar_rotation(angle: Tensor) -> Tensor:
    """(B,) rad -> (B, 2, 2), to be multiplied from the right."""
    c, s = angle.cos(), angle.sin()
    return torch.stack([torch.stack([c, s], -1), torch.stack([-s, c], -1)], -2)


def axis_rotation(vector: Tensor) -> Tensor:
    """(B, 3) rotation vectors -> (B, 3, 3)."""
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))
    return torch.linalg.matrix_exp(cross)
