"""MediaPipe's hand network with a second trunk: one stays as it is, its copy learns.

The landmark network has seen far more real hands than we can show it, so what it says of a photo must not be lost
while features learn from rendered ones. Up to stride 8 both share the fixed weights; behind that a fixed trunk gives
the landmarks (exactly MediaPipe's) and a tuned one, which began as its copy, gives the maps and the global vector.
The shared part can be computed once and kept (`stem`), which makes learning several times cheaper.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from annotator.network.encoders.base import Encoder, Trunks
from annotator.network.encoders.mediapipe import features_of
from annotator.network.encoders.mediapipe_hand import MAP_CHANNELS, POOLED, MediaPipeHand, load_mediapipe_hand
from annotator.network.features import STRIDES, Features
from annotator.network.outline.head import load_outline_head

SHARED = 2  # stages (to stride 8) that both trunks share


class TunedMediaPipeEncoder(Encoder):
    """An `Encoder` in two steps: `forward(crops)` = `complete(stem(crops))`. Only `complete` has what learns."""

    channels = tuple(MAP_CHANNELS[stride] for stride in STRIDES)
    global_channels = 2 * POOLED  # the fixed trunk's global vector, then the tuned one's
    kept_stem = True
    keeps_landmarks = True
    packaged = ("network.", "outline.")

    def __init__(self, network: MediaPipeHand | None = None):
        super().__init__()
        self.network = load_mediapipe_hand() if network is None else network
        self.network.requires_grad_(False)  # see `stem`
        self.outline = load_outline_head().requires_grad_(False)  # of the fixed trunk's maps
        self.tuned = nn.ModuleList(copy.deepcopy(stage) for stage in self.network.stages[SHARED:])
        self.tuned_expand = copy.deepcopy(self.network.head_expand)
        self.tuned_depthwise = copy.deepcopy(self.network.head_depthwise)
        self.learned().requires_grad_(True)

    def learned(self) -> nn.ModuleList:
        """The part that training moves."""
        return nn.ModuleList([self.tuned, self.tuned_expand, self.tuned_depthwise])

    def trunks(self) -> Trunks:
        return Trunks(
            self.network, SHARED, tuple(self.tuned), self.tuned_expand, self.tuned_depthwise, outline=self.outline
        )

    @torch.no_grad()
    def stem(self, crops: Tensor) -> Features:
        """crops (B, 3, 224, 224) RGB in 0..1 -> the stride 8 map alone, and all that the fixed trunk says."""
        return features_of(self.network(crops), STRIDES[:1])

    def complete(self, stem: Features) -> Features:
        """The tuned trunk behind `stem`'s map."""
        x = stem.maps[0].contiguous(memory_format=torch.channels_last)
        maps = [x]
        for stage in self.tuned:
            x = stage(x)
            maps.append(x)
        x = F.relu6(self.tuned_depthwise(F.relu6(self.tuned_expand(x))))
        return stem._replace(maps=tuple(maps), pooled=torch.cat([stem.pooled, x.mean((2, 3))], dim=1))

    def forward(self, crops: Tensor) -> Features:
        """crops: (B, 3, 224, 224) RGB in 0..1."""
        with torch.no_grad():
            out = self.network(crops.contiguous(memory_format=torch.channels_last))
            outline = self.outline(out.maps)
        return self.complete(features_of(out, STRIDES[:1]))._replace(outline=outline)
