"""MediaPipe's hand landmark network as a trainable PyTorch module: the default encoder.

The architecture is that of `hand_landmark_full.tflite` in the wheel `mediapipe==0.10.21` (Apache-2.0, The
MediaPipe Authors): an EfficientNet-B0-like stack of inverted residuals with ReLU6 and folded batch
normalisation. The weights beside this file were copied from that graph by
`annotator.tools.convert_mediapipe`; see weights/NOTICE-mediapipe.txt.
"""

from __future__ import annotations

from importlib.resources import files
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from annotator.network.layers import SameConv, load_weights

WEIGHTS = "mediapipe_hand.safetensors"
MAP_CHANNELS = {4: 24, 8: 40, 16: 112, 32: 192}  # stride -> channels
POOLED = 1152

# One row per inverted residual: input channels, expanded channels, kernel, stride, output channels.
# A block adds its input where stride is 1 and the channels agree.
STAGES = (
    ((16, 64, 3, 2, 24), (24, 144, 3, 1, 24)),
    ((24, 144, 5, 2, 40), (40, 240, 5, 1, 40)),
    ((40, 240, 3, 2, 80), (80, 480, 3, 1, 80), (80, 480, 3, 1, 80),
     (80, 480, 5, 1, 112), (112, 672, 5, 1, 112), (112, 672, 5, 1, 112)),
    ((112, 672, 5, 2, 192), (192, 1152, 5, 1, 192), (192, 1152, 5, 1, 192), (192, 1152, 5, 1, 192)),
)  # fmt: skip
STRIDES = (4, 8, 16, 32)  # of the stages' outputs


class HandOutput(NamedTuple):
    """What the network says of a batch of B crops.

    maps: stride (4, 8, 16, 32) -> (B, C, 224/stride, 224/stride), C as in MAP_CHANNELS.
    pooled: (B, 1152) mean over space of the last layer.
    landmarks: (B, 21, 3) x, y in crop pixels with centres at .0 (MediaPipe's own numbers minus 0.5); z, same
    scale,
        relative to the wrist, smaller is nearer to the camera. Keypoint order: wrist; thumb to little, base
        to tip.
    presence: (B,) probability that the crop shows a hand. It stays high for turned crops: no test of
    rotation. right: (B,) P(right hand) of an unmirrored photo. world: (B, 21, 3) metres, origin near the
    hand's centre, axes of the (rotated) crop: x right, y down, z away.
    """

    maps: dict[int, Tensor]
    pooled: Tensor
    landmarks: Tensor
    presence: Tensor
    right: Tensor
    world: Tensor


class InvertedResidual(nn.Module):
    """1x1 expansion, depthwise convolution, 1x1 projection, and the input added where the shapes allow it."""

    def __init__(self, inputs: int, expanded: int, kernel: int, stride: int, outputs: int):
        super().__init__()
        self.expand = SameConv(inputs, expanded, 1)
        self.depthwise = SameConv(expanded, expanded, kernel, stride, groups=expanded)
        self.project = SameConv(expanded, outputs, 1)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu6(self.expand(x))
        y = self.project(F.relu6(self.depthwise(y)))
        return x + y if self.adds else y


class MediaPipeHand(nn.Module):
    """MediaPipe's hand landmark network. Input (B, 3, 224, 224) RGB in 0..1; runs and trains in
    channels_last.

    Layers are declared in the order in which the original graph runs them; the converter relies on it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = SameConv(3, 24, 3, 2)
        self.stem_depthwise = SameConv(24, 24, 3, groups=24)
        self.stem_project = SameConv(24, 16, 1)
        self.stages = nn.ModuleList(nn.Sequential(*(InvertedResidual(*row) for row in rows)) for rows in STAGES)
        self.head_expand = SameConv(192, POOLED, 1)
        self.head_depthwise = SameConv(POOLED, POOLED, 3, groups=POOLED)
        self.handedness = nn.Linear(POOLED, 1)
        self.presence = nn.Linear(POOLED, 1)
        self.landmarks = nn.Linear(POOLED, 63)
        self.world = nn.Linear(POOLED, 63)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it

    def features(self, crop: Tensor) -> tuple[dict[int, Tensor], Tensor]:
        """(B, 3, 224, 224) in 0..1 -> feature maps by stride, pooled (B, 1152); no output heads."""
        x = crop.contiguous(memory_format=torch.channels_last)
        x = F.relu6(self.stem(x))
        x = self.stem_project(F.relu6(self.stem_depthwise(x)))
        maps = {}
        for stride, stage in zip(STRIDES, self.stages, strict=True):
            x = maps[stride] = stage(x)
        x = F.relu6(self.head_depthwise(F.relu6(self.head_expand(x))))
        return maps, x.mean((2, 3))

    def forward(self, crop: Tensor) -> HandOutput:
        """Crops (B, 3, 224, 224), RGB, 0..1 -> HandOutput. ValueError on another shape."""
        if crop.ndim != 4 or tuple(crop.shape[1:]) != (3, 224, 224):
            raise ValueError(f"crops have shape {tuple(crop.shape)}, expected (B, 3, 224, 224)")
        return self.said(*self.features(crop))

    def said(self, maps: dict[int, Tensor], pooled: Tensor) -> HandOutput:
        """The heads alone, on what `features` gives."""
        # MediaPipe counts from the corner of the first pixel, this project from its centre.
        landmarks = self.landmarks(pooled).view(-1, 21, 3) - pooled.new_tensor((0.5, 0.5, 0.0))
        return HandOutput(
            maps=maps,
            pooled=pooled,
            landmarks=landmarks,
            presence=torch.sigmoid(self.presence(pooled))[:, 0],
            right=torch.sigmoid(self.handedness(pooled))[:, 0],
            world=self.world(pooled).view(-1, 21, 3),
        )


def load_mediapipe_hand() -> MediaPipeHand:
    """The network with MediaPipe's weights, float32, in evaluation mode (fp16 on disk, like the original)."""
    network = MediaPipeHand()
    load_weights(network, files("annotator.network") / "weights" / WEIGHTS)
    return network.eval()
