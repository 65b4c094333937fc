"""The encoder interface: one crop in, `Features` out.

GLFNet knows nothing of a backbone but this interface. The default backbone is MediaPipe's hand landmark network, whose
weights have seen real hands; any `timm` backbone with `features_only=True` fits in by name.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from torch import Tensor, nn

from annotator.network.encoders.mediapipe_hand import MediaPipeHand
from annotator.network.features import Features
from annotator.network.outline.head import OutlineHead


class Trunks(NamedTuple):
    """The parts of an encoder made of MediaPipe's landmark network, for running it as a compiled graph.

    network: MediaPipe's. shared: how many of its stages the second trunk starts from; stages, expand,
    depthwise: that trunk, where there is one. outline: what reads the hand's outline from the first trunk's maps.
    """

    network: MediaPipeHand
    shared: int = 0
    stages: Sequence[nn.Module] = ()
    expand: nn.Module | None = None
    depthwise: nn.Module | None = None
    outline: OutlineHead | None = None


class Encoder(nn.Module):
    """The base of every encoder: `forward`, the numbers of channels, and what the encoder can do.

    An encoder may come in two steps, `encoder(crops)` = `complete(stem(crops))`: `stem` never learns, so that its
    answer can be computed once and kept while `complete` learns. As written here the encoder learns as a whole.

    channels: of the maps, fine to coarse (see `features.STRIDES`); global_channels: of the pooled vector.
    kept_stem: `stem` never learns. keeps_landmarks: its landmarks stay those of the landmark network that finds
    hands, whatever is learned. packaged: parameters below these names are the packaged ones, for ever, so
    checkpoints need not hold them.
    """

    channels: tuple[int, ...]
    global_channels: int
    kept_stem: ClassVar[bool] = False
    keeps_landmarks: ClassVar[bool] = False
    packaged: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def forward(self, crops: Tensor) -> Features:
        """crops: (B, 3, 224, 224) RGB in 0..1."""

    def trunks(self) -> Trunks | None:
        """The encoder's parts, if it can run as a compiled graph; else None."""
        return None

    def stem(self, crops: Tensor) -> Features:
        return self(crops)

    def complete(self, stem: Features) -> Features:
        return stem

    def learned(self) -> nn.Module:
        """The module that training moves."""
        return self
