"""MediaPipe's hand landmark network as an `Encoder`: the default."""

from __future__ import annotations

import torch
from torch import Tensor

from annotator.network.encoders.base import Encoder, Trunks
from annotator.network.encoders.mediapipe_hand import HandOutput, MediaPipeHand, load_mediapipe_hand
from annotator.network.features import STRIDES, Features


def features_of(out: HandOutput, strides: tuple[int, ...]) -> Features:
    """What MediaPipe's network says, with its maps at these strides."""
    return Features(
        maps=tuple(out.maps[stride] for stride in strides),
        pooled=out.pooled,
        landmarks=out.landmarks[..., :2],
        world=out.world,
        presence=out.presence,
        right=out.right,
    )


class MediaPipeEncoder(Encoder):
    """MediaPipe's hand landmark network (Apache-2.0), converted to PyTorch, as an `Encoder`."""

    channels = (40, 112, 192)
    global_channels = 1152

    def __init__(self, network: MediaPipeHand | None = None):
        super().__init__()
        self.network = load_mediapipe_hand() if network is None else network

    def trunks(self) -> Trunks:
        return Trunks(self.network)

    def forward(self, crops: Tensor) -> Features:
        """crops: (B, 3, 224, 224) RGB in 0..1."""
        return features_of(self.network(crops.contiguous(memory_format=torch.channels_last)), STRIDES)
