"""The convolutional networks that no longer learn, as OpenVINO graphs: on a CPU they take half of PyTorch's time.

A photo's answer must not depend on the photos beside it, nor on how many threads are at work: of PyTorch's sums both
are true only nearly, of these graphs exactly (measured, and tested). In bfloat16 they take half the time again, but
then a hair's difference of a picture, as between a photo and its mirror image, moves a mesh by up to 1 mm: good enough
in haste alone.

Graphs are written layer by layer; OpenVINO's own converter takes two seconds a network. Without OpenVINO, and on a
GPU, networks run as they are.
"""

from __future__ import annotations

import functools
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from annotator.network.layers import SameConv

AT_ONCE = (8, 4, 2, 1)  # pictures in a pass: more than 8 gain nothing, and every other shape costs memory


def available(device: torch.device | str = "cpu") -> bool:
    """Whether networks on this device can be exported."""
    return torch.device(device).type == "cpu" and _core() is not None


@functools.cache
def _core():
    """OpenVINO's own state, None where it is not installed or has no CPU device."""
    try:
        import openvino

        core = openvino.Core()
        core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    except (ImportError, RuntimeError, OSError):
        return None
    return core


@functools.cache
def has_bfloat16() -> bool:
    """Whether this processor computes in it."""
    return _core() is not None and "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class Made:
    """Networks in their fastest form, made when they are first asked for, each once. A copy makes its own: graphs
    cannot be copied."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, bool], nn.Module] = {}
        self._making = threading.Lock()

    def __reduce__(self):
        return Made, ()

    def once(self, name: str, bfloat16: bool, make: Callable[[], nn.Module]) -> nn.Module:
        """What `make()` gave the first time. bfloat16: in that precision, where the processor has that."""
        key = (name, bfloat16 and has_bfloat16())
        with self._making:
            if key not in self._made:
                self._made[key] = make()
            return self._made[key]


class Graph(nn.Module):
    """A compiled graph: pictures (B, 3, H, W), float32 -> its outputs, float32; maps channels_last.

    build: writes the graph, from its input node to its outputs. size: of square pictures; -1: any. bfloat16: in it
    where the processor has it. Safe to call from several threads; calls at one time have buffers of their own. Uses as
    many threads as PyTorch when it is made.
    """

    def __init__(self, build: Callable, size: int, bfloat16: bool = False):
        super().__init__()
        import openvino
        from openvino import opset13 as ops

        picture = ops.parameter([-1, size, size, 3], np.float32)
        outputs = []
        for output in build(ops.transpose(picture, [0, 3, 1, 2])):
            is_map = len(output.get_output_partial_shape(0)) == 4
            outputs.append(ops.transpose(output, [0, 2, 3, 1]) if is_map else output)
        core = _core()
        settings = {
            "INFERENCE_PRECISION_HINT": "bf16" if bfloat16 and has_bfloat16() else "f32",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "ENABLE_CPU_PINNING": False,  # processes beside each other would share the same cores
        }
        self._compiled = core.compile_model(openvino.Model(outputs, [picture]), "CPU", settings)
        # Not one for each thread: what belongs to a thread dies with it, and a request that dies while Qt ends a thread
        # of its pool frees that thread's state twice.
        self._idle: deque = deque()

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        rows = np.ascontiguousarray(pictures.detach().permute(0, 2, 3, 1).numpy())
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        parts = []
        at = 0
        while at < len(rows):
            count = next(n for n in AT_ONCE if n <= len(rows) - at)
            answered = request.infer([rows[at : at + count]], share_inputs=True)
            parts.append([torch.from_numpy(np.array(answered[k])) for k in range(len(answered))])
            at += count
        self._idle.append(request)
        joined = (torch.cat(part) if len(part) > 1 else part[0] for part in zip(*parts, strict=True))
        return tuple(one.permute(0, 3, 1, 2) if one.ndim == 4 else one for one in joined)


# -- layers: from nodes to nodes ----------------------------------------------------------------------------------


def convolved(
    x, weight: np.ndarray, bias: np.ndarray | None, stride: int, groups: int, padding: Literal["same"] | Sequence[int]
):
    """A convolution; padding: TensorFlow's "same", or px left, right, above, below."""
    from openvino import opset13 as ops

    left, right, top, bottom = (0, 0, 0, 0) if padding == "same" else padding
    shape = ([stride] * 2, [top, left], [bottom, right], [1, 1], "same_upper" if padding == "same" else "explicit")
    if groups == 1:
        y = ops.convolution(x, _constant(weight), *shape)
    else:
        y = ops.group_convolution(x, _constant(weight.reshape(groups, -1, *weight.shape[1:])), *shape)
    return y if bias is None else ops.add(y, _constant(bias.reshape(1, -1, 1, 1)))


def _constant(values: np.ndarray):
    """A node of these numbers. OpenVINO itself would make a list of each array first, which keeps all other threads
    waiting for up to 60 ms."""
    from openvino import opset13 as ops

    return ops.constant(np.ascontiguousarray(values))


def conv(x, layer: SameConv):
    """The convolution with its bias, padded as TensorFlow does."""
    weight = layer.weight.detach().float().numpy()
    bias = None if layer.bias is None else layer.bias.detach().float().numpy()
    return convolved(x, weight, bias, layer.stride[0], layer.groups, "same")


def padded(x, layer: nn.Conv2d):
    """The convolution with its bias, padded as PyTorch's own, by the same on all sides."""
    assert isinstance(layer.padding, tuple) and layer.bias is not None
    weight, bias = layer.weight.detach().float().numpy(), layer.bias.detach().float().numpy()
    down, right = layer.padding
    return convolved(x, weight, bias, layer.stride[0], layer.groups, (right, right, down, down))


def pooled(x):
    """The largest of each 2 x 2 px."""
    from openvino import opset13 as ops

    return ops.max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2]).output(0)


def doubled(x):
    """Bilinear, to twice the size, pixel centres at .5."""
    from openvino import opset13 as ops

    half = {"coordinate_transformation_mode": "half_pixel", "axes": [2, 3]}
    return ops.interpolate(x, np.array([2, 2], np.float32), "linear_onnx", "scales", **half)


def conv_relu6(x, layer: SameConv):
    from openvino import opset13 as ops

    return ops.clamp(conv(x, layer), 0.0, 6.0)


def prelu(x, layer: nn.PReLU):
    from openvino import opset13 as ops

    return ops.prelu(x, _constant(layer.weight.detach().float().numpy()))
