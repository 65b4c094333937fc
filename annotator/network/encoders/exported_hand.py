"""MediaPipe's hand network, and the encoders made of it, as OpenVINO graphs (`network.frozen.exported`).

The graphs end at the pooled vector: the linear heads behind it stay PyTorch's, since bfloat16 has no whole pixels
beyond 128.
"""

from __future__ import annotations

import copy
from functools import reduce

import torch
from torch import Tensor, nn

from annotator.network.encoders.base import Encoder, Trunks
from annotator.network.encoders.mediapipe import features_of
from annotator.network.encoders.mediapipe_hand import STRIDES as STAGE_STRIDES
from annotator.network.encoders.mediapipe_hand import HandOutput, InvertedResidual, MediaPipeHand
from annotator.network.features import STRIDES, Features
from annotator.network.frozen.exported import Graph, available, conv, conv_relu6, doubled, padded
from annotator.network.outline.head import STRIDE as OUTLINE_STRIDE
from annotator.network.outline.head import Mix, OutlineHead
from annotator.vision.crops import CROP_SIZE


def _residual(x, block: InvertedResidual):
    from openvino import opset13 as ops

    y = conv(conv_relu6(conv_relu6(x, block.expand), block.depthwise), block.project)
    return ops.add(x, y) if block.adds else y


def _stages(x, stages) -> list:
    maps = []
    for stage in stages:
        x = reduce(_residual, stage, x)
        maps.append(x)
    return maps


def _pooled(x, expand, depthwise):
    from openvino import opset13 as ops

    return ops.reduce_mean(conv_relu6(conv_relu6(x, expand), depthwise), [2, 3])


def _trunk(picture, network: MediaPipeHand) -> tuple[list, object]:
    """The stages' maps and the pooled vector."""
    x = conv(conv_relu6(conv_relu6(picture, network.stem), network.stem_depthwise), network.stem_project)
    maps = _stages(x, network.stages)
    return maps, _pooled(maps[-1], network.head_expand, network.head_depthwise)


def _said(network: MediaPipeHand, maps: dict[int, Tensor], pooled: Tensor) -> HandOutput:
    """The heads' answer, one crop after the other: PyTorch's sums over several rows at once are other ones."""
    alone = [network.said({}, row) for row in pooled.split(1)]
    both = (torch.cat([getattr(one, name) for one in alone]) for name in HandOutput._fields[2:])
    return HandOutput(maps, pooled, *both)


class ExportedHand(nn.Module):
    """`MediaPipeHand` without its maps, for looking."""

    def __init__(self, network: MediaPipeHand, bfloat16: bool = False):
        super().__init__()
        self.graph = Graph(lambda picture: [_trunk(picture, network)[1]], CROP_SIZE, bfloat16)
        self.heads = network

    def forward(self, crop: Tensor) -> HandOutput:
        return _said(self.heads, {}, self.graph(crop)[0])


class ExportedEncoder(nn.Module):
    """An `Encoder` of MediaPipe's trunks: the same `Features`, to rounding."""

    def __init__(self, trunks: Trunks, bfloat16: bool = False):
        super().__init__()
        self.heads = trunks.network
        self.graph = Graph(lambda picture: _features(picture, trunks), CROP_SIZE, bfloat16)

    def forward(self, crops: Tensor) -> Features:
        """crops: (B, 3, 224, 224) RGB in 0..1."""
        *said, pooled, all_pooled = self.graph(crops)
        maps, outline = said[: len(STRIDES)], said[len(STRIDES) :]
        seen = features_of(_said(self.heads, dict(zip(STRIDES, maps, strict=True)), pooled), STRIDES)
        return seen._replace(pooled=all_pooled, outline=outline[0] if outline else None)


def _features(picture, trunks: Trunks):
    """The maps, the outline where there is one, the fixed trunk's pooled vector, and that of all trunks."""
    from openvino import opset13 as ops

    stages, pooled = _trunk(picture, trunks.network)
    maps, both = [stages[STAGE_STRIDES.index(stride)] for stride in STRIDES], pooled
    if trunks.stages:
        shared = stages[trunks.shared - 1]
        tuned = _stages(shared, trunks.stages)
        maps = [shared, *tuned]
        both = ops.concat([pooled, _pooled(tuned[-1], trunks.expand, trunks.depthwise)], 1)
    if trunks.outline is not None:
        maps = [*maps, _outline(dict(zip(STAGE_STRIDES, stages, strict=True)), trunks.outline)]
    return *maps, pooled, both


def _outline(maps: dict, head: OutlineHead):
    from openvino import opset13 as ops

    x = _mixed(ops.add(padded(maps[16], head.from16), doubled(padded(maps[32], head.from32))), head.mix16)
    x = _mixed(ops.add(padded(maps[8], head.from8), doubled(x)), head.mix8)
    x = ops.add(padded(maps[4], head.from4), doubled(padded(x, head.down)))
    x = _mixed(_mixed(x, head.mix4), head.mix4b)
    return ops.depth_to_space(padded(ops.relu(x), head.say), "depth_first", 4 // OUTLINE_STRIDE)


def _mixed(x, mix: Mix):
    from openvino import opset13 as ops

    y = padded(ops.relu(padded(padded(ops.relu(x), mix.depth), mix.a)), mix.b)
    return ops.add(x, y)


def exported_hand(network: MediaPipeHand, bfloat16: bool = False) -> nn.Module:
    """`network` as a graph where that can be, else itself. bfloat16: in that precision where the processor has it."""
    return ExportedHand(network, bfloat16).eval() if available(next(network.parameters()).device) else network


def exported_encoder(encoder: Encoder, bfloat16: bool = False) -> nn.Module:
    """`encoder` as a graph where it can be, else itself. Weights are copied: later training does not show. bfloat16:
    in that precision where the processor has it; meshes move by 0.05 mm (800 rendered hands), their error does not
    change."""
    if encoder.trunks() is None or not available(next(encoder.parameters()).device):
        return encoder
    trunks = copy.deepcopy(encoder).trunks()
    assert trunks is not None
    return ExportedEncoder(trunks, bfloat16).eval()
