"""Which pixels of a crop are the hand: a small head on the maps of the fixed landmark network.

It learned from rendered photos, whose silhouettes cost nothing (`annotator.tools.outline_head`); forearm, sleeve and
what hides the hand are not the hand. It reads maps that no training moves, so its weights stay right for every
checkpoint, and are packaged beside the landmark network's.
"""

from __future__ import annotations

from importlib.resources import files

import torch.nn.functional as F
from torch import Tensor, nn

from annotator.network.encoders.mediapipe_hand import MAP_CHANNELS
from annotator.network.layers import load_weights

WEIGHTS = "outline_head.safetensors"
WIDTH, FINE = 48, 32  # channels at strides 8 to 32, and at stride 4
STRIDE = 2  # of the answer, crop px


class OutlineHead(nn.Module):
    """Maps at strides 4, 8, 16, 32 -> (B, 1, 112, 112) logits: how much of each 2 x 2 px of the crop is hand."""

    def __init__(self) -> None:
        super().__init__()
        self.from32, self.from16, self.from8 = (nn.Conv2d(MAP_CHANNELS[stride], WIDTH, 1) for stride in (32, 16, 8))
        self.from4 = nn.Conv2d(MAP_CHANNELS[4], FINE, 1)
        self.mix16, self.mix8 = Mix(WIDTH), Mix(WIDTH)
        self.down = nn.Conv2d(WIDTH, FINE, 1)
        self.mix4, self.mix4b = Mix(FINE), Mix(FINE)
        self.say = nn.Conv2d(FINE, (4 // STRIDE) ** 2, 1)

    def forward(self, maps: dict[int, Tensor]) -> Tensor:
        x = self.mix16(self.from16(maps[16]) + doubled(self.from32(maps[32])))
        x = self.mix8(self.from8(maps[8]) + doubled(x))
        x = self.mix4b(self.mix4(self.from4(maps[4]) + doubled(self.down(x))))
        return F.pixel_shuffle(self.say(F.relu(x)), 4 // STRIDE)


class Mix(nn.Module):
    """A depthwise convolution, two pointwise ones, and the way round them."""

    def __init__(self, channels: int):
        super().__init__()
        self.depth = nn.Conv2d(channels, channels, 5, padding=2, groups=channels)
        self.a = nn.Conv2d(channels, 2 * channels, 1)
        self.b = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.b(F.relu(self.a(self.depth(F.relu(x)))))


def doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def load_outline_head() -> OutlineHead:
    """The head with its packaged weights, float32, in evaluation mode (fp16 on disk)."""
    head = OutlineHead()
    load_weights(head, files("annotator.network") / "weights" / WEIGHTS)
    return head.eval()
