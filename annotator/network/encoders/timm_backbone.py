"""Backbones of `timm` as an `Encoder`."""

from __future__ import annotations

import importlib
import sys

import torch
from torch import Tensor

from annotator.errors import InputError
from annotator.network.encoders.base import Encoder
from annotator.network.features import STRIDES, Features


class TimmEncoder(Encoder):
    """A `timm` backbone by name. It has no landmarks of its own, so those fields are NaN and read as 'absent'."""

    mean: Tensor
    deviation: Tensor

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
