"""Joint angles about anatomical axes, and how far a pose leaves a hand's range of motion (torch).

A joint's rotation is R = F(flexion) A(abduction) T(twist), intrinsic, each about its anatomical axis
(HandModel.anatomical_axes). In that frame the axes are x, y, z, so these are Tait-Bryan x-y'-z'' angles; they
are unique for abduction within +-90 deg, which every joint's limits are.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import torch
from torch import Tensor

from annotator.hand.model import HandModel, load_hand
from annotator.hand.topology import HAND

FLEXION, ABDUCTION, TWIST = 0, 1, 2
# Splay goes away as a finger's MCP joint flexes: its collateral ligaments tighten and hold it straight at
# 70 deg.
SPLAY_ENDS = math.radians(70.0)
# A PIP joint does not overextend while its DIP joint flexes; the last of it is gone at 20 deg of the
# DIP joint.
OVEREXTENSION_ENDS = math.radians(20.0)
# The thumb's saddle joint turns about its bone as it opposes (flexes and abducts), not by itself: this share
# of its twist range is there at rest, all of it once flexion and abduction make 40 deg.
TWIST_AT_REST, TWIST_FULL = 0.4, math.radians(40.0)
# Rows of the fifteen joints (index, middle, little, ring; the thumb's three come last).
_LONG = [HAND.articulated_of[finger].start for finger in HAND.model_fingers if finger != "thumb"]
_MCP, _PIP, _DIP = _LONG, [row + 1 for row in _LONG], [row + 2 for row in _LONG]
_CMC = HAND.articulated_of["thumb"].start


@functools.lru_cache(maxsize=8)
def _tensors(model: HandModel, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    axes, limits = (
        torch.tensor(np.array(a), dtype=dtype, device=device) for a in (model.anatomical_axes, model.limits)
    )
    return axes, limits


def _axes(axes: Tensor | np.ndarray | None, like: Tensor) -> Tensor:
    if axes is None:
        return _tensors(load_hand(), like.dtype, like.device)[0]
    return torch.as_tensor(
        np.array(axes) if isinstance(axes, np.ndarray) else axes, dtype=like.dtype, device=like.device
    )


def angles_to_rotations(angles: Tensor, axes: Tensor | np.ndarray | None = None) -> Tensor:
    """Rotations (...,15,3,3) of angles (...,15,3) rad: flexion, abduction, twist.

    axes (15,3,3) are HandModel.anatomical_axes; the free hand's if None.
    """
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
    """Angles (...,15,3) rad of rotations (...,15,3,3), the inverse of `angles_to_rotations`.

    Abduction comes out within +-90 deg, the others within +-180 deg.
    """
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

    The constant limits (15,3,2) (the free hand's if None) with three couplings: a finger's splay range
    shrinks linearly to nothing as its MCP joint flexes to 70 deg; a PIP joint's overextension shrinks to
    nothing as its DIP joint flexes to 20 deg; the thumb's CMC twist range grows from 40 % to all of it as the
    thumb opposes. They carry gradients.
    """
    if limits is None:
        limits = _tensors(load_hand(), angles.dtype, angles.device)[1]
    limits = torch.as_tensor(
        np.array(limits) if isinstance(limits, np.ndarray) else limits,
        dtype=angles.dtype,
        device=angles.device,
    )
    # The couplings only shrink limits, so they are factors on them; 1 where nothing is coupled.
    shrink_least, shrink_most = torch.ones_like(angles), torch.ones_like(angles)
    splay = 1.0 - (angles[..., _MCP, FLEXION] / SPLAY_ENDS).clamp(0.0, 1.0)
    shrink_least[..., _MCP, ABDUCTION] = splay
    shrink_most[..., _MCP, ABDUCTION] = splay
    shrink_least[..., _PIP, FLEXION] = 1.0 - (angles[..., _DIP, FLEXION] / OVEREXTENSION_ENDS).clamp(0.0, 1.0)
    opposed = angles[..., _CMC, FLEXION].clamp(min=0.0) + angles[..., _CMC, ABDUCTION].clamp(min=0.0)
    twist = TWIST_AT_REST + (1.0 - TWIST_AT_REST) * (opposed / TWIST_FULL).clamp(max=1.0)
    shrink_least[..., _CMC, TWIST] = twist
    shrink_most[..., _CMC, TWIST] = twist
    least, most = limits[..., 0] * shrink_least, limits[..., 1] * shrink_most
    return least, most


def limit_excess(
    rotations: Tensor, axes: Tensor | np.ndarray | None = None, limits: Tensor | np.ndarray | None = None
) -> Tensor:
    """How far (...,15,3) rad each angle of rotations (...,15,3,3) lies outside its coupled limits, >= 0.

    axes (15,3,3) and limits (15,3,2) are a HandModel's; the free hand's if None.
    """
    angles = rotations_to_angles(rotations, axes)
    least, most = coupled_limits(angles, limits)
    return torch.relu(angles - most) + torch.relu(least - angles)


def clamp_angles(angles: Tensor, limits: Tensor | np.ndarray | None = None) -> Tensor:
    """The angles (...,15,3) drawn into their coupled limits: constant limits first, then the coupled ones."""
    for _ in range(2):
        least, most = coupled_limits(angles, limits)
        angles = torch.minimum(torch.maximum(angles, least), most)
    return angles
