"""The encoder interface: one crop in, multi-scale maps, a global vector and (if it has them) landmarks out.

GLFNet knows nothing of a backbone but this file. The default backbone is MediaPipe's hand landmark network, whose
weights have seen real hands; any `timm` backbone with `features_only=True` fits in by name.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from annotator.errors import InputError
from annotator.network.mediapipe_hand import HandOutput, MediaPipeHand, load_mediapipe_hand

STRIDES = (8, 16, 32)


class Features(NamedTuple):
    """What the encoder says of B crops; everything GLFNet needs to answer again without running it.

    maps: one (B, C, 224/stride, 224/stride) tensor for each of `STRIDES`, fine to coarse
    pooled: (B, G) global vector
    landmarks: (B, 21, 2) crop pixels, the backbone's own guess; NaN where a backbone has none
    world: (B, 21, 3) metres, origin near the hand's centre, axes of the crop camera; NaN where there is none
    presence, right: (B,) probabilities of a hand and of a right hand; NaN where there is none
    """

    maps: tuple[Tensor, ...]
    pooled: Tensor
    landmarks: Tensor
    world: Tensor
    presence: Tensor
    right: Tensor

    def to(self, device: torch.device | str) -> Features:
        """The same on another device."""
        return Features(tuple(m.to(device) for m in self.maps), *(field.to(device) for field in tuple(self)[1:]))

    def select(self, index) -> Features:
        """The features of the crops that `index` (a slice or an index tensor) picks."""
        return Features(tuple(m[index] for m in self.maps), *(field[index] for field in tuple(self)[1:]))


def joined(parts: Sequence[Features]) -> Features:
    """The features of all these crops."""
    maps = zip(*(part.maps for part in parts), strict=True)
    rest = zip(*(tuple(part)[1:] for part in parts), strict=True)
    return Features(tuple(map(torch.cat, maps)), *map(torch.cat, rest))


class Encoder(Protocol):
    """Anything with these attributes and calls serves as an encoder.

    An encoder may come in two steps, `encoder(crops)` = `complete(stem(crops))`: `stem` never learns, so that its answer
    can be computed once and kept while `complete` learns. `kept_stem` says whether it does; `OneStep` is the other case.
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


def features_of(out: HandOutput, strides: tuple[int, ...]) -> Features:
    """What MediaPipe's network says, with its maps at these strides."""
    return Features(
        maps=tuple(out.maps[stride] for stride in strides),
        pooled=out.pooled,
        landmarks=out.landmarks[..., :2],
        world=out.world,
        presence=out.presence,
        right=out.right,
    )


class MediaPipeEncoder(OneStep):
    """MediaPipe's hand landmark network (Apache-2.0), converted to PyTorch, as an `Encoder`."""

    channels = (40, 112, 192)
    global_channels = 1152

    def __init__(self, network: MediaPipeHand | None = None):
        super().__init__()
        self.network = load_mediapipe_hand() if network is None else network

    def forward(self, crops: Tensor) -> Features:
        """crops: (B, 3, 224, 224) RGB in 0..1."""
        return features_of(self.network(crops.contiguous(memory_format=torch.channels_last)), STRIDES)


class TimmEncoder(OneStep):
    """A `timm` backbone by name. It has no landmarks of its own, so those fields are NaN and read as 'absent'."""

    def __init__(self, name: str, pretrained: bool = False):
        super().__init__()
        timm = import_timm(name)
        try:
            self.backbone = timm.create_model(name, features_only=True, pretrained=pretrained)
        except (RuntimeError, AttributeError) as error:
            raise InputError(f"timm has no feature backbone named '{name}': {error}") from error
        reductions = self.backbone.feature_info.reduction()
        missing = [stride for stride in STRIDES if stride not in reductions]
        if missing:
            raise InputError(f"backbone '{name}' has no map at stride {missing[0]} (it has {reductions})")
        # a backbone can have two maps of one stride: the later one has seen more
        self.places = tuple(len(reductions) - 1 - reductions[::-1].index(stride) for stride in STRIDES)
        self.channels = tuple(self.backbone.feature_info.channels()[place] for place in self.places)
        self.global_channels = self.channels[-1]
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), persistent=False)

    def forward(self, crops: Tensor) -> Features:
        """crops: (B, 3, 224, 224) RGB in 0..1."""
        maps = self.backbone((crops - self.mean) / self.deviation)
        maps = tuple(maps[place] for place in self.places)
        absent = crops.new_full((crops.shape[0],), float("nan"))
        return Features(
            maps=maps,
            pooled=maps[-1].mean((2, 3)),
            landmarks=absent[:, None, None].expand(-1, 21, 2),
            world=absent[:, None, None].expand(-1, 21, 3),
            presence=absent,
            right=absent,
        )


def import_timm(name: str):
    """timm, also where a CUDA build of torchvision (the only one PyPI has) lies beside a CPU build of torch.

    Its compiled operators do not load there, and torchvision stops at the first of them; timm's backbones need none.
    """
    try:
        return importlib.import_module("timm")
    except ImportError as error:
        raise InputError(f"encoder '{name}' needs timm: pip install 'hand-mesh-annotator[train]'") from error
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    for module in [m for m in sys.modules if m.split(".")[0] in ("torchvision", "timm")]:
        del sys.modules[module]
    _DECLARED.append(torch.library.Library("torchvision", "DEF"))
    for operator in ("nms", "qnms"):  # torchvision registers shapes for these at import; nobody calls them here
        _DECLARED[-1].define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return importlib.import_module("timm")


_DECLARED: list = []  # a torch Library undeclares its operators when it is dropped


def build_encoder(name: str) -> nn.Module:
    """`mediapipe`, `mediapipe-tuned`, or `timm:NAME` for a backbone of timm (its weights are not downloaded)."""
    if name == "mediapipe":
        return MediaPipeEncoder()
    if name == "mediapipe-tuned":
        from annotator.network.tuned_encoder import TunedMediaPipeEncoder

        return TunedMediaPipeEncoder()
    if name.startswith("timm:"):
        return TimmEncoder(name.removeprefix("timm:"))
    raise InputError(f"unknown encoder '{name}': expected 'mediapipe', 'mediapipe-tuned' or 'timm:NAME'")
