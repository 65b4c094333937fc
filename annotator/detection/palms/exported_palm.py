"""The palm detector's network as an OpenVINO graph (`network.frozen.exported`)."""

from __future__ import annotations

from functools import reduce
from typing import Any

from torch import nn

from annotator.detection.palms.palm_network import PalmNetwork, Raise
from annotator.network.frozen.exported import Graph, available, conv, doubled, pooled, prelu


def _block(x, block: Any):
    from openvino import opset13 as ops

    y = conv(conv(x, block.depthwise), block.project)
    if block.stride == 2:
        x = pooled(x)
    if block.extra:
        x = ops.pad(x, [0, 0, 0, 0], [0, block.extra, 0, 0], "constant", 0.0)
    return prelu(ops.add(x, y), block.activation)


def _raise(coarse, fine, level: Raise):
    from openvino import opset13 as ops

    x = prelu(conv(doubled(coarse), level.lateral), level.activation)
    return reduce(_block, level.blocks, ops.add(fine, x))


def _build(picture, network: PalmNetwork):
    from openvino import opset13 as ops

    x, maps = prelu(conv(picture, network.stem), network.stem_activation), []
    for level in network.levels:
        x = reduce(_block, level.children(), x)
        maps.append(x)
    at_12 = _raise(maps[4], maps[3], network.raise_12)
    at_24 = _raise(at_12, maps[2], network.raise_24)

    def rows(x, head, size: int):  # (B, C, H, W) -> (B, anchors, size)
        last = ops.transpose(conv(x, head), [0, 2, 3, 1])
        return ops.reshape(last, [0, -1, size] if size > 1 else [0, -1], special_zero=True)

    boxes = ops.concat([rows(at_24, network.box_24, 18), rows(at_12, network.box_12, 18)], 1)
    return boxes, ops.concat([rows(at_24, network.score_24, 1), rows(at_12, network.score_12, 1)], 1)


def exported_palms(network: PalmNetwork, bfloat16: bool = False) -> nn.Module:
    """`network` as a graph where that can be, else itself. bfloat16: in that precision where the processor has it."""
    if not available(next(network.parameters()).device):
        return network
    return Graph(lambda picture: _build(picture, network), -1, bfloat16).eval()
