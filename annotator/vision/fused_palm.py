"""The palm detector's network by fused calls (`vision.fused`)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from annotator.vision.fused import FusedConv, available, turned
from annotator.vision.palm_network import Block, PalmNetwork, Raise


class FusedBlock(nn.Module):
    """A `Block`: depthwise, then projection with the input added, then PReLU."""

    def __init__(self, block: Block):
        super().__init__()
        self.depthwise, self.project = FusedConv(block.depthwise), FusedConv(block.project)
        self.register_buffer("slope", block.activation.weight.detach().clone(), persistent=False)
        self.stride, self.extra = block.stride, block.extra

    def forward(self, x: Tensor) -> Tensor:
        y = self.depthwise(x)
        if self.stride == 2:
            x = F.max_pool2d(x, 2)
        if self.extra:
            x = F.pad(x, (0, 0, 0, 0, 0, self.extra)).contiguous(memory_format=torch.channels_last)
        return F.prelu(self.project(y, x), self.slope)


class FusedRaise(nn.Module):
    """A `Raise`."""

    def __init__(self, level: Raise):
        super().__init__()
        self.lateral = FusedConv(level.lateral)
        self.register_buffer("slope", level.activation.weight.detach().clone(), persistent=False)
        self.blocks = nn.Sequential(*(FusedBlock(block) for block in level.blocks))

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        x = F.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False)
        return self.blocks(fine + F.prelu(self.lateral(x), self.slope))


class FusedPalmNetwork(nn.Module):
    """`PalmNetwork` for a CPU."""

    def __init__(self, network: PalmNetwork):
        super().__init__()
        self.stem = FusedConv(network.stem)
        self.register_buffer("slope", network.stem_activation.weight.detach().clone(), persistent=False)
        self.levels = nn.ModuleList(nn.Sequential(*(FusedBlock(b) for b in level)) for level in network.levels)
        self.raise_12, self.raise_24 = FusedRaise(network.raise_12), FusedRaise(network.raise_24)
        heads = (network.box_24, network.box_12, network.score_24, network.score_12)
        self.heads = nn.ModuleList(FusedConv(head) for head in heads)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        x = F.prelu(self.stem(turned(image)), self.slope)
        maps = []
        for level in self.levels:
            x = level(x)
            maps.append(x)
        at_12 = self.raise_12(maps[4], maps[3])
        at_24 = self.raise_24(at_12, maps[2])

        def rows(head: FusedConv, x: Tensor, size: int) -> Tensor:  # turned back: (B, C, H, W) -> (B, anchors, size)
            return head(x).flip((2, 3)).permute(0, 2, 3, 1).reshape(len(x), -1, size)

        box_24, box_12, score_24, score_12 = self.heads
        boxes = torch.cat((rows(box_24, at_24, 18), rows(box_12, at_12, 18)), 1)
        scores = torch.cat((rows(score_24, at_24, 1), rows(score_12, at_12, 1)), 1)
        return boxes, scores[..., 0]


def fused_palms(network: PalmNetwork) -> nn.Module:
    """`network` by fused calls where they exist, else itself."""
    return FusedPalmNetwork(network).eval() if available(next(network.parameters()).device) else network
