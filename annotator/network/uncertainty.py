"""How sure the network is: a sigma for every keypoint (px) and, through the joints, for every vertex (m).

Trained by likelihood on keypoints alone (Laplace, Kendall and Gal 2017): a joint's 3-D sigma is learned where labels
have joints; a vertex inherits the sigmas of the joints it lies next to, by fixed weights on the hand model.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

LOG_PX = (-1.0, 4.0)  # sigma between 0.4 and 55 px of the crop
LOG_METRE = (-7.6, -2.3)  # between 0.5 mm and 100 mm


class UncertaintyHead(nn.Module):
    """Last tokens of the 21 keypoints and the hidden state -> (B, 21) sigmas in crop px and in metres."""

    calibration: Tensor

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.context = nn.Linear(hidden, width)
        self.norm = nn.LayerNorm(width)
        self.block = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, 2))
        # calibration factors, fitted on held-out data and stored with the weights; 1 = as trained
        self.register_buffer("calibration", torch.ones(2))

    def forward(self, tokens: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        raw = self.block(self.norm(tokens + self.context(hidden)[:, None]))
        pixels = squash(raw[..., 0], *LOG_PX).exp() * self.calibration[0]
        metres = squash(raw[..., 1], *LOG_METRE).exp() * self.calibration[1]
        return pixels, metres


def squash(x: Tensor, low: float, high: float) -> Tensor:
    """A smooth map of the real line into (low, high): a likelihood cannot be driven to infinity by one easy joint."""
    return low + (high - low) * torch.sigmoid(x)


def vertex_weights(template: np.ndarray, keypoints: np.ndarray, skin: np.ndarray, bone_of: np.ndarray) -> np.ndarray:
    """(V, 21) weights, rows sum to one: which keypoints' uncertainty a vertex shares.

    template (V, 3), keypoints (21, 3): rest pose, metres; skin (V, 16): skinning weights; bone_of (21,): the bone
    (0..15) that ends or begins at each keypoint, so that a fingertip does not inherit from the finger beside it.
    """
    distance = np.linalg.norm(template[:, None] - keypoints[None], axis=-1)
    closeness = np.exp(-((distance / 0.025) ** 2)) + 1e-6
    related = skin[:, bone_of] + 0.02
    weights = closeness * related
    return weights / weights.sum(1, keepdims=True)
