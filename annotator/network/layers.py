"""What both of MediaPipe's networks share: TensorFlow's padding, and weights from safetensors.

And for all networks that are read from a file: `Unfilled`.
"""

from __future__ import annotations

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from annotator.errors import InputError
from annotator.files.file_errors import reading


def same_padding(length: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's 'SAME' padding before and after: the odd pixel goes after."""
    total = max((-(-length // stride) - 1) * stride + kernel - length, 0)
    return total // 2, total - total // 2


class SameConv(nn.Conv2d):
    """Convolution with TensorFlow's 'SAME' padding: the odd pixel of padding goes right and below."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, bias: bool = True):
        super().__init__(inputs, outputs, kernel, stride, kernel // 2 if stride == 1 else 0, groups=groups, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        stride, kernel = self.stride[0], self.kernel_size[0]
        if stride > 1:
            top_bottom, left_right = (same_padding(x.shape[k], kernel, stride) for k in (-2, -1))
            x = F.pad(x, [*left_right, *top_bottom])
        return super().forward(x)


class Unfilled(TorchFunctionMode):
    """Within it layers begin without random weights: to draw those takes half of the time in which a network is read
    whose file has them all. Of this thread alone."""

    drawn = (nn.init.kaiming_uniform_, nn.init.uniform_, nn.init.normal_, Tensor.uniform_, Tensor.normal_)

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function in self.drawn:
            return args[0] if args else kwargs["tensor"]
        return function(*args, **kwargs)


def load_weights(network: nn.Module, source) -> None:
    """Fill `network` from a safetensors file (a Path or a package resource); the module's own dtype is kept.

    InputError if the file is missing, broken, or does not fit the network.
    """
    with reading(str(source), "holds no weights", SafetensorError):
        tensors = load_tensors(source.read_bytes())
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise InputError(f"the weights {source} do not fit: {str(error).splitlines()[-1].strip()}") from error
