"""Networks that are recorded as a list of operations, beside their weights, in one safetensors file.

Networks that the project neither trains nor changes need no module of their own: `RecordedNetwork` runs such a list
in PyTorch, and `exported_recorded` writes it as an OpenVINO graph (`network.frozen.exported`).
`annotator.tools.convert_mediapipe` records them.

The file's metadata hold `operations`, a JSON list, and `outputs`. Value 0 is the picture, value k the answer of the
k-th operation; each operation names its kind, the values that it takes, and its settings:

    conv             weight k.weight, bias k.bias; stride; groups; padding: "same" (TensorFlow's), or px left, right,
                     above, below
    add, concat      of values of one shape; of rows, one after the other
    relu6, sigmoid
    max_pool         2 x 2, stride 2
    double           bilinear, to twice the size, pixel centres at .5
    depth_to_space   block; channels in TensorFlow's order
    rows             width: (B, C, H, W) -> (B, H * W * C / width, width), channels last
    flat             (B, C, 1, 1) -> (B, C)
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from annotator.files.serialization.tensor_files import opened_safetensors
from annotator.network.frozen.exported import Graph, available, convolved, doubled, pooled
from annotator.network.layers import same_padding


@dataclass(frozen=True)
class Operation:
    """One step: `kind` as above; inputs: numbers of the values it takes."""

    kind: str
    inputs: tuple[int, ...]
    settings: dict[str, Any] = field(default_factory=dict)


class RecordedNetwork(nn.Module):
    """A recorded network: pictures (B, 3, H, W), float32 -> its outputs, float32, without gradients."""

    def __init__(self, operations: list[Operation], outputs: list[int], tensors: dict[str, Tensor]):
        super().__init__()
        self.operations, self.outputs = operations, outputs
        for name, tensor in tensors.items():
            self.register_buffer(_buffer(name), tensor.float())

    @classmethod
    def read(cls, path) -> RecordedNetwork:
        """From a file. InputError if it is missing, broken, or no recorded network."""
        with opened_safetensors(path, "is no recorded network", KeyError, ValueError, TypeError) as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}
            steps = json.loads(about["operations"])
            operations = [Operation(kind, tuple(values), settings) for kind, values, settings in steps]
            return cls(operations, json.loads(about["outputs"]), tensors)

    def weights(self, number: int) -> tuple[Tensor, Tensor]:
        """Weight and bias of the convolution that gives this value."""
        return self.get_buffer(_buffer(f"{number}.weight")), self.get_buffer(_buffer(f"{number}.bias"))

    @torch.inference_mode()
    def forward(self, picture: Tensor) -> tuple[Tensor, ...]:
        values = [picture]
        for number, operation in enumerate(self.operations, 1):
            taken = [values[k] for k in operation.inputs]
            weights = self.weights(number) if operation.kind == "conv" else ()
            values.append(_TORCH[operation.kind](*taken, *weights, **operation.settings))
        return tuple(values[k] for k in self.outputs)


def _buffer(name: str) -> str:
    return "n" + name.replace(".", "_")


# -- in PyTorch -----------------------------------------------------------------------------------------------------


def _conv(x: Tensor, weight: Tensor, bias: Tensor, stride: int, groups: int, padding) -> Tensor:
    if padding == "same":
        height, width = (same_padding(x.shape[k], weight.shape[k], stride) for k in (-2, -1))
        padding = [*width, *height]
    return F.conv2d(F.pad(x, padding) if any(padding) else x, weight, bias, stride, groups=groups)


def _depth_to_space(x: Tensor, block: int) -> Tensor:
    count, channels, height, width = x.shape
    x = x.reshape(count, block, block, channels // block**2, height, width).permute(0, 3, 4, 1, 5, 2)
    return x.reshape(count, channels // block**2, height * block, width * block)


_TORCH: dict[str, Any] = {
    "conv": _conv,
    "add": torch.add,
    "concat": lambda *parts: torch.cat(parts, 1),
    "relu6": F.relu6,
    "sigmoid": torch.sigmoid,
    "max_pool": lambda x: F.max_pool2d(x, 2),
    "double": lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False),
    "depth_to_space": _depth_to_space,
    "rows": lambda x, width: x.permute(0, 2, 3, 1).reshape(len(x), -1, width),
    "flat": lambda x: x.flatten(1),
}

# -- as an OpenVINO graph -------------------------------------------------------------------------------------------


def exported_recorded(network: RecordedNetwork, size: int = -1) -> nn.Module:
    """`network` as a graph where that can be, else itself. size: of its square pictures; -1: any."""
    if not available(next(network.buffers()).device):
        return network
    return Graph(lambda picture: _build(picture, network), size).eval()


def _build(picture, network: RecordedNetwork):
    values = [picture]
    for number, operation in enumerate(network.operations, 1):
        taken = [values[k] for k in operation.inputs]
        weights = [part.numpy() for part in network.weights(number)] if operation.kind == "conv" else []
        values.append(_node(operation, taken, weights))
    return [values[k] for k in network.outputs]


def _node(operation: Operation, taken: list, weights: list[np.ndarray]):
    from openvino import opset13 as ops

    kind, settings = operation.kind, operation.settings
    x = taken[0]
    if kind == "conv":
        return convolved(x, weights[0], weights[1], **settings)
    if kind == "add":
        return ops.add(*taken)
    if kind == "concat":
        return ops.concat(taken, 1)
    if kind == "relu6":
        return ops.clamp(x, 0.0, 6.0)
    if kind == "sigmoid":
        return ops.sigmoid(x)
    if kind == "max_pool":
        return pooled(x)
    if kind == "double":
        return doubled(x)
    if kind == "depth_to_space":
        return ops.depth_to_space(x, "blocks_first", settings["block"])
    if kind == "rows":
        return ops.reshape(ops.transpose(x, [0, 2, 3, 1]), [0, -1, settings["width"]], special_zero=True)
    assert kind == "flat", kind
    return ops.reshape(x, [0, -1], special_zero=True)
