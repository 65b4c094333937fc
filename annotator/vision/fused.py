"""Convolutions as one call each on a CPU: the convolution, its activation and the added input in oneDNN's own kernels.

A chain of small layers spends as much time moving numbers between them as it spends on them. oneDNN can apply what
follows a convolution while its result is still in a register; PyTorch's compiler emits these calls, but needs a C++
compiler and a minute. Here they are made directly, for networks that no longer learn.

TensorFlow pads a strided layer by one pixel more on the right and below. Padded explicitly that costs a copy of the
whole map; turned by 180 degrees, picture and kernels alike, it is what a symmetric padding does. So fused networks
look at turned pictures (`turned`), and their maps are turned back by whoever needs them.

All in float32: bfloat16 takes half the time where a processor has it, but its roundings depend on what else is in the
batch and move a mesh by up to 0.4 mm (measured), so that a photo's answer would depend on the photos beside it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

RELU6 = ("hardtanh", (0.0, 6.0))
NOTHING = ("none", ())


def available(device: torch.device | str = "cpu") -> bool:
    """Whether these calls exist here: a CPU build of PyTorch with oneDNN, which all x86 and ARM wheels are."""
    return (
        torch.device(device).type == "cpu"
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_convolution_pointwise")
    )


def turned(pictures: Tensor) -> Tensor:
    """(B, C, H, W) turned by 180 degrees, channels_last."""
    return pictures.flip((2, 3)).contiguous(memory_format=torch.channels_last)


class FusedConv(nn.Module):
    """A convolution of a network that sees turned pictures, with its activation; `plus` is added before that.

    conv: any of the networks' convolutions, padded as TensorFlow's 'SAME' does on even sizes.
    """

    def __init__(self, conv: nn.Conv2d, activation=NOTHING):
        super().__init__()
        kernel = conv.kernel_size[0]
        weight = conv.weight.detach().flip((2, 3)).contiguous(memory_format=torch.channels_last)
        self.register_buffer("weight", weight, persistent=False)
        bias = None if conv.bias is None else conv.bias.detach().clone()
        self.register_buffer("bias", bias, persistent=False)
        self.padding, self.stride, self.groups = [kernel // 2] * 2, list(conv.stride), conv.groups
        self.name, self.numbers = activation

    def forward(self, x: Tensor, plus: Tensor | None = None) -> Tensor:
        shape = (self.padding, self.stride, [1, 1], self.groups)
        if plus is None:
            return torch.ops.mkldnn._convolution_pointwise(
                x, self.weight, self.bias, *shape, self.name, list(self.numbers), ""
            )
        return torch.ops.mkldnn._convolution_pointwise.binary(
            x, plus, self.weight, self.bias, *shape, "add", 1.0, None, [], ""
        )
