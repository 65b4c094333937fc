"""The encoder interface: one crop in, `Features` out.

GLFNet knows nothing of a backbone but this interface. The default backbone is MediaPipe's hand landmark network, whose
weights have seen real hands; any `timm` backbone with `features_only=True` fits in by name.
"""

from __future__ import annotations

from typing import Protocol

from torch import Tensor, nn

from annotator.network.features import Features


class Encoder(Protocol):
    """Anything with these attributes and calls serves as an encoder.

    An encoder may come in two steps, `encoder(crops)` = `complete(stem(crops))`: `stem` never learns, so that its
    answer can be computed once and kept while `complete` learns. `kept_stem` says whether it does; `OneStep` is the
    other case.
    """

    channels: tuple[int, ...]
    global_channels: int
    kept_stem: bool

    def __call__(self, crops: Tensor) -> Features: ...

    def stem(self, crops: Tensor) -> Features: ...

    def complete(self, stem: Features) -> Features: ...

    def learned(self) -> nn.Module: ...


class OneStep(nn.Module):
    """What an encoder has that learns as a whole: `stem` does everything, `complete` nothing."""

    kept_stem = False

    def stem(self, crops: Tensor) -> Features:
        return self(crops)

    def complete(self, stem: Features) -> Features:
        return stem

    def learned(self) -> nn.Module:
        """The module that training moves."""
        return self
