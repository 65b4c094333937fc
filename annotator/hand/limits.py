"""Joint angles about anatomical axes, and how far a pose leaves a hand's range of motion (torch, differentiable).

A joint's rotation is R = F(flexion) A(abduction) T(twist), intrinsic, each about its anatomical axis
(HandModel.anatomical_axes). In that frame the axes are x, y, z, so these are Tait-Bryan x-y'-z'' angles; they are unique
for abduction within +-90 deg, which every joint's limits are.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import torch
from torch import Tensor

from annotator.hand.model import HandModel, load_hand

FLEXION, ABDUCTION, TWIST = 0, 1, 2
# Splay goes away as a finger's MCP joint flexes: its collateral ligaments tighten and hold it straight at 70 deg.
SPLAY_ENDS = math.radians(70.0)
# A PIP joint does not overextend while its DIP joint flexes; the last of it is gone at 20 deg of the DIP joint.
OVEREXTENSION_ENDS = math.radians(20.0)
# Rows of the fifteen joints (index, middle, little, ring; the thumb's three come last).
_MCP, _PIP, _DIP = [0, 3, 6, 9], [1, 4, 7, 10], [2, 5, 8, 11]


@functools.lru_cache(maxsize=8)
def _tensors(model: HandModel, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    return tuple(torch.tensor(np.array(a), dtype=dtype, device=device) for a in (model.anatomical_axes, model.limits))


def _axes(axes: Tensor | np.ndarray | None, like: Tensor) -> Tensor:
    if axes is None:
        return _tensors(load_hand(), like.dtype, like.device)[0]
    return torch.as_tensor(np.array(axes) if isinstance(axes, np.ndarray) else axes, dtype=like.dtype, device=like.device)


def angles_to_rotations(angles: Tensor, axes: Tensor | np.ndarray | None = None) -> Tensor:
    """Rotations (...,15,3,3) of angles (...,15,3) rad (flexion, abduction, twist); axes (15,3,3), the free hand's if None."""
    axes = _axes(axes, angles)
    (cx, cy, cz), (sx, sy, sz) = torch.cos(angles).unbind(-1), torch.sin(angles).unbind(-1)
    rows = (
        cy * cz, -cy * sz, sy,
        cx * sz + sx * sy * cz, cx * cz - sx * sy * sz, -sx * cy,
        sx * sz - cx * sy * cz, sx * cz + cx * sy * sz, cx * cy,
    )  # fmt: skip
    local = torch.stack(rows, dim=-1).unflatten(-1, (3, 3))
    return axes.transpose(-1, -2) @ local @ axes


def rotations_to_angles(rotations: Tensor, axes: Tensor | np.ndarray | None = None) -> Tensor:
    """Angles (...,15,3) rad of rotations (...,15,3,3): the inverse of `angles_to_rotations` for |abduction| < 90 deg."""
    axes = _axes(axes, rotations)
    local = axes @ rotations @ axes.transpose(-1, -2)
    flexion = torch.atan2(-local[..., 1, 2], local[..., 2, 2])
    # atan2 instead of asin: its gradient stays finite for a matrix that is a little off a rotation.
    cosine = torch.sqrt(local[..., 1, 2] ** 2 + local[..., 2, 2] ** 2 + 1e-20)
    abduction = torch.atan2(local[..., 0, 2], cosine)
    twist = torch.atan2(-local[..., 0, 1], local[..., 0, 0])
    return torch.stack([flexion, abduction, twist], dim=-1)


def coupled_limits(angles: Tensor, limits: Tensor | np.ndarray | None = None) -> tuple[Tensor, Tensor]:
    """Least and most angles, each (...,15,3) rad, for a hand that has the angles (...,15,3).

    The constant limits (15,3,2) (the free hand's if None) with two couplings: a finger's splay range shrinks linearly to
    nothing as its MCP joint flexes to 70 deg, and a PIP joint's overextension to nothing as its DIP joint flexes to
    20 deg. The couplings carry gradients.
    """
    if limits is None:
        limits = _tensors(load_hand(), angles.dtype, angles.device)[1]
    limits = torch.as_tensor(
        np.array(limits) if isinstance(limits, np.ndarray) else limits, dtype=angles.dtype, device=angles.device
    )
    least, most = (limits[..., side].expand_as(angles).clone() for side in (0, 1))
    splay = 1.0 - (angles[..., _MCP, FLEXION] / SPLAY_ENDS).clamp(0.0, 1.0)
    least[..., _MCP, ABDUCTION] = least[..., _MCP, ABDUCTION] * splay
    most[..., _MCP, ABDUCTION] = most[..., _MCP, ABDUCTION] * splay
    over = 1.0 - (angles[..., _DIP, FLEXION] / OVEREXTENSION_ENDS).clamp(0.0, 1.0)
    least[..., _PIP, FLEXION] = least[..., _PIP, FLEXION] * over
    return least, most


def limit_excess(
    rotations: Tensor, axes: Tensor | np.ndarray | None = None, limits: Tensor | np.ndarray | None = None
) -> Tensor:
    """How far (...,15,3) rad, never negative, each angle of rotations (...,15,3,3) lies outside its coupled limits.

    axes (15,3,3) and limits (15,3,2) are a HandModel's; the free hand's if None.
    """
    angles = rotations_to_angles(rotations, axes)
    least, most = coupled_limits(angles, limits)
    return torch.relu(angles - most) + torch.relu(least - angles)


def clamp_angles(angles: Tensor, limits: Tensor | np.ndarray | None = None) -> Tensor:
    """The angles (...,15,3) drawn into their coupled limits: flexion first, then what depends on it."""
    for _ in range(2):
        least, most = coupled_limits(angles, limits)
        angles = torch.minimum(torch.maximum(angles, least), most)
    return angles
