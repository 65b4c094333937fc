"""Prompts: any subset of the 21 keypoints, set by a person, as an input of the network."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from annotator.network.crop_camera import HALF


class Prompts(NamedTuple):
    """points: (B, 21, 2) crop pixels (anything where the weight is 0); weights: (B, 21) in 0..1, 0 = not given."""

    points: Tensor
    weights: Tensor

    @staticmethod
    def none(batch: int, like: Tensor) -> Prompts:
        return Prompts(like.new_zeros(batch, 21, 2), like.new_zeros(batch, 21))


def as_evidence(points: Tensor, weights: Tensor) -> Tensor:
    """(B, 21, 2) px and (B, 21) -> (B, 21, 3): position in crop half sides (0 where absent) and the weight."""
    known = weights[..., None] > 0
    unit = torch.where(known, (points - (HALF - 0.5)) / HALF, torch.zeros_like(points))
    return torch.cat([unit, weights[..., None]], dim=-1)


def residual(points: Tensor, weights: Tensor, projected: Tensor) -> Tensor:
    """How far the estimate is from the evidence: (B, 21, 3), in crop half sides, 0 where the weight is 0.

    Scaled by 4 so that ten pixels are a number near one half: a correction must not drown among the features.
    """
    known = weights[..., None] > 0
    difference = torch.where(known, (points - projected) * (4 / HALF), torch.zeros_like(points))
    return torch.cat([difference, weights[..., None]], dim=-1)


def random_prompts(keypoints: Tensor, visible: Tensor, generator: torch.Generator | None = None) -> Prompts:
    """Training prompts: half of the hands get none, the others 1 to 21 keypoints with 1-2 px of a person's noise."""
    batch = keypoints.shape[0]
    share = torch.rand(batch, 1, generator=generator) ** 2
    share = share * (torch.rand(batch, 1, generator=generator) < 0.5)
    given = (torch.rand(batch, 21, generator=generator) < share).to(keypoints) * visible.to(keypoints)
    noise = 1.5 * torch.randn(keypoints.shape, generator=generator).to(keypoints)
    return Prompts(keypoints + noise, given)
