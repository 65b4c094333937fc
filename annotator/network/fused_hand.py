"""MediaPipe's hand network and the encoders made of it, run by fused calls (`vision.fused`): same numbers, less time."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from annotator.network.encoder import STRIDES, Features, MediaPipeEncoder, features_of
from annotator.network.mediapipe_hand import STRIDES as STAGE_STRIDES
from annotator.network.mediapipe_hand import HandOutput, MediaPipeHand
from annotator.network.tuned_encoder import SHARED, TunedMediaPipeEncoder
from annotator.vision.fused import RELU6, FusedConv, available, turned


class FusedResidual(nn.Module):
    """An `InvertedResidual` in three calls."""

    def __init__(self, block):
        super().__init__()
        self.expand, self.depthwise = FusedConv(block.expand, RELU6), FusedConv(block.depthwise, RELU6)
        self.project, self.adds = FusedConv(block.project), block.adds

    def forward(self, x: Tensor) -> Tensor:
        return self.project(self.depthwise(self.expand(x)), x if self.adds else None)


class FusedTail(nn.Module):
    """Stages, and the two layers behind the last of them: a turned map -> the stages' turned maps and the pooled vector."""

    def __init__(self, stages, expand, depthwise):
        super().__init__()
        self.stages = nn.ModuleList(nn.Sequential(*(FusedResidual(block) for block in stage)) for stage in stages)
        self.head = nn.Sequential(FusedConv(expand, RELU6), FusedConv(depthwise, RELU6))

    def forward(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps, self.head(x).mean((2, 3))


class FusedHand(nn.Module):
    """`MediaPipeHand` for a CPU."""

    def __init__(self, network: MediaPipeHand):
        super().__init__()
        self.stem = nn.Sequential(
            FusedConv(network.stem, RELU6),
            FusedConv(network.stem_depthwise, RELU6),
            FusedConv(network.stem_project),
        )
        self.tail = FusedTail(network.stages, network.head_expand, network.head_depthwise)
        self.heads = [network.presence, network.handedness, network.landmarks, network.world]

    def forward(self, crop: Tensor) -> HandOutput:
        """As `MediaPipeHand.forward`, but the maps are turned by 180 degrees."""
        maps, pooled = self.tail(self.stem(turned(crop)))
        presence, right, landmarks, world = (head(pooled) for head in self.heads)
        return HandOutput(
            maps=dict(zip(STAGE_STRIDES, maps, strict=True)),
            pooled=pooled,
            landmarks=landmarks.view(-1, 21, 3) - landmarks.new_tensor((0.5, 0.5, 0.0)),
            presence=torch.sigmoid(presence)[:, 0],
            right=torch.sigmoid(right)[:, 0],
            world=world.view(-1, 21, 3),
        )


class FusedEncoder(nn.Module):
    """`MediaPipeEncoder` or `TunedMediaPipeEncoder` for a CPU, float32: the same `Features`, to rounding."""

    def __init__(self, encoder: MediaPipeEncoder | TunedMediaPipeEncoder):
        super().__init__()
        self.network, self.tuned = FusedHand(encoder.network), None
        if isinstance(encoder, TunedMediaPipeEncoder):
            self.tuned = FusedTail(encoder.tuned, encoder.tuned_expand, encoder.tuned_depthwise)

    def forward(self, crops: Tensor) -> Features:
        """crops: (B, 3, 224, 224) RGB in 0..1."""
        out = self.network(crops)
        seen = features_of(out, STRIDES)
        maps = list(seen.maps)
        if self.tuned is not None:
            later, pooled = self.tuned(out.maps[STAGE_STRIDES[SHARED - 1]])
            maps, seen = [maps[0], *later], seen._replace(pooled=torch.cat([seen.pooled, pooled], dim=1))
        return seen._replace(maps=tuple(turned(m) for m in maps))


def fused_hand(network: MediaPipeHand) -> nn.Module:
    """`network` by fused calls where they exist, else itself."""
    return FusedHand(network).eval() if available(next(network.parameters()).device) else network


def fused_encoder(encoder: nn.Module) -> nn.Module:
    """`encoder` by fused calls where they exist for it, else itself. Weights are copied: later training does not show."""
    known = isinstance(encoder, (MediaPipeEncoder, TunedMediaPipeEncoder))
    if not known or not available(next(encoder.parameters()).device):
        return encoder
    return FusedEncoder(copy.deepcopy(encoder)).eval()
