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

import functools

import torch
from torch import Tensor, nn

RELU6 = ("hardtanh", (0.0, 6.0))
NOTHING = ("none", ())


def available(device: torch.device | str = "cpu") -> bool:
    """Whether these calls exist and work here: on a CPU, where PyTorch has oneDNN. Else networks run as they are."""
    return torch.device(device).type == "cpu" and _works()


@functools.cache
def _works() -> bool:
    """They are PyTorch's own, not promised to others: tried once, and compared with what is promised."""
    if not torch.backends.mkldnn.is_available():
        return False
    conv = nn.utils.skip_init(nn.Conv2d, 4, 4, 3, padding=1)  # draws no random numbers
    x = torch.linspace(-3, 9, 400).view(1, 4, 10, 10).contiguous(memory_format=torch.channels_last)
    try:
        with torch.no_grad():
            conv.weight.copy_(torch.linspace(-1, 1, 144).view(4, 4, 3, 3))
            conv.bias.zero_()
            plain = conv(x)
            conv.weight.copy_(conv.weight.flip((2, 3)))  # a fused one turns its kernel
            capped = torch.allclose(FusedConv(conv, RELU6)(x), plain.clamp(0, 6), atol=1e-3)
            return capped and torch.allclose(FusedConv(conv)(x, x), plain + x, atol=1e-3)
    except (RuntimeError, AttributeError, NotImplementedError, TypeError):
        return False


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
