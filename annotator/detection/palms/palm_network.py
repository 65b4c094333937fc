"""The network of MediaPipe's palm detector as a PyTorch module.

The network is that of `palm_detection_full.tflite` in the wheel `mediapipe==0.10.21` (Apache-2.0, The
MediaPipe Authors), a small single-shot detector (BlazePalm: Zhang et al. 2020, "MediaPipe Hands", arXiv
2006.10214). The weights were copied from that graph by `annotator.tools.convert_mediapipe`; see
weights/NOTICE-mediapipe.txt.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from annotator.network.layers import SameConv

PALM_WEIGHTS = "palm_detector.safetensors"
WIDTHS = (32, 64, 128, 256, 256)  # channels at 96, 48, 24, 12 and 6 px


class Block(nn.Module):
    """5x5 depthwise, 1x1 convolution, the input added, PReLU. Stride 2 pools the input, pads its channels."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1):
        super().__init__()
        self.depthwise = SameConv(inputs, inputs, 5, stride, groups=inputs, bias=False)
        self.project = SameConv(inputs, outputs, 1)
        self.activation = nn.PReLU(outputs)
        self.stride = stride
        self.extra = outputs - inputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(x))
        if self.stride == 2:
            x = F.max_pool2d(x, 2)
        if self.extra:
            x = F.pad(x, (0, 0, 0, 0, 0, self.extra))
        return self.activation(x + y)


class Raise(nn.Module):
    """Doubles a map's size, 1x1 convolution and PReLU, adds the finer map of the way down, two blocks."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.lateral = SameConv(inputs, outputs, 1)
        self.activation = nn.PReLU(outputs)
        self.blocks = nn.Sequential(Block(outputs, outputs), Block(outputs, outputs))

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        x = F.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False)
        return self.blocks(fine + self.activation(self.lateral(x)))


class PalmNetwork(nn.Module):
    """(B, 3, 192, 192) RGB in 0..1 -> raw boxes (B, 2016, 18), score logits (B, 2016).

    Layers are declared in the order in which the original graph runs them; the converter relies on it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = SameConv(3, WIDTHS[0], 5, 2)
        self.stem_activation = nn.PReLU(WIDTHS[0])
        self.levels = nn.ModuleList()
        inputs = WIDTHS[0]
        for level, width in enumerate(WIDTHS):
            first = [] if level == 0 else [Block(inputs, width, 2)]
            self.levels.append(nn.Sequential(*first, *(Block(width, width) for _ in range(4))))
            inputs = width
        self.raise_12 = Raise(256, 256)
        self.score_12 = SameConv(256, 6, 1)
        self.box_12 = SameConv(256, 108, 1)
        self.raise_24 = Raise(256, 128)
        self.score_24 = SameConv(128, 2, 1)
        self.box_24 = SameConv(128, 36, 1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        x = self.stem_activation(self.stem(image.contiguous(memory_format=torch.channels_last)))
        maps = []
        for level in self.levels:
            x = level(x)
            maps.append(x)
        at_12 = self.raise_12(maps[4], maps[3])
        at_24 = self.raise_24(at_12, maps[2])

        def rows(x: Tensor, size: int) -> Tensor:  # (B, C, H, W) -> (B, anchors, size)
            return x.permute(0, 2, 3, 1).reshape(x.shape[0], -1, size)

        boxes = torch.cat((rows(self.box_24(at_24), 18), rows(self.box_12(at_12), 18)), 1)
        scores = torch.cat((rows(self.score_24(at_24), 1), rows(self.score_12(at_12), 1)), 1)
        return boxes, scores[..., 0]
