"""Pixel-aligned feature retrieval: what the maps say at the places where the estimate projects to.

P_GLFnet's idea 3: fine-grained features are taken at the projected positions, again and again as the estimate moves.
The module is asked anew for every retrieval of a stage; `RefinementStage` does the moving.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from annotator.network.crop_camera import HALF


class PixelAlignedRetrieval(nn.Module):
    """Features of one map at points of the crop.

    A 1 x 1 lateral convolution and a normalisation come first: the encoder's channels differ in spread by a factor
    of five. `aligned=False` is the ablation: every point gets the map's mean, so that only global features are left.
    """

    def __init__(self, channels: int, width: int, aligned: bool = True):
        super().__init__()
        self.lateral = nn.Conv2d(channels, width, 1)
        self.norm = nn.GroupNorm(4, width)
        self.aligned = aligned

    def prepare(self, feature_map: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, width, h, w): once per crop, however many retrievals follow."""
        return F.gelu(self.norm(self.lateral(feature_map.float())))

    def forward(self, prepared: Tensor, points: Tensor) -> Tensor:
        """prepared: (B, width, h, w); points: (B, N, 2) crop pixels -> (B, N, width).

        Outside the crop the border's features are returned, so that a hand that leaves the crop keeps its nearest
        evidence. `align_corners=False` with pixel centres at .0 is exact for maps of any stride.
        """
        if not self.aligned:
            return prepared.mean((2, 3))[:, None].expand(-1, points.shape[1], -1)
        grid = ((points - (HALF - 0.5)) / HALF).clamp(-2, 2)
        sampled = F.grid_sample(prepared, grid[:, :, None], mode="bilinear", padding_mode="border", align_corners=False)
        return sampled[..., 0].transpose(1, 2)


def finite_points(points: Tensor) -> Tensor:
    """Points far outside (a hand behind the camera in the first steps of a training) are pulled to the crop's rim."""
    return torch.nan_to_num(points, nan=HALF, posinf=4 * HALF, neginf=-4 * HALF)
