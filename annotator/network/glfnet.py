"""GLFNet: progressively global-local fusion with explicit guidance, from a crop to a hand mesh.

Encoder -> parametric stage (global prior, M0) -> refinement stages, coarse to fine in mesh level and feature map.
Each published idea is a module with a switch in `GLFNetConfig`, so that its worth can be measured by leaving it out.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn

from annotator.errors import InputError
from annotator.hand.layer import HandLayer
from annotator.hand.model import OFFSET_LEVEL, HandModel, load_hand
from annotator.network.encoders.base import Encoder
from annotator.network.encoders.registry import build_encoder
from annotator.network.features import STRIDES, Features
from annotator.network.parametric import Estimate, ParametricStage
from annotator.network.prompts import Prompts
from annotator.network.refinement import RefinementStage
from annotator.network.uncertainty import UncertaintyHead

LARGEST = 1 << 14  # of any number in a configuration


@dataclass(frozen=True)
class GLFNetConfig:
    """What a checkpoint needs to build its network. The switches are the ablations.

    levels, strides: mesh level and map stride of each refinement stage, coarse to fine; empty = parametric stage only
    retrievals: consecutive pixel-aligned retrievals a stage; aligned: False = global features only
    prior: False = refinement without the global prior; free_field: False = no displacements beyond the hand model
    """

    encoder: str = "mediapipe"
    hand: str = "free"
    width: int = 64
    hidden: int = 384
    levels: tuple[int, ...] = (0, 1, 2)
    strides: tuple[int, ...] = (32, 16, 8)
    retrievals: int = 2
    aligned: bool = True
    prior: bool = True
    free_field: bool = True
    extra: dict = field(default_factory=dict)

    def __post_init__(self):
        object.__setattr__(self, "levels", tuple(self.levels))
        object.__setattr__(self, "strides", tuple(self.strides))
        for name, least in (("width", 1), ("hidden", 1), ("retrievals", 1), ("levels", 0), ("strides", 1)):
            values = getattr(self, name)
            for value in values if isinstance(values, tuple) else (values,):
                # others' checkpoints have a configuration, too: `type`, since true is an int elsewhere
                if type(value) is not int or not least <= value <= LARGEST:
                    raise InputError(
                        f"network setting {name} is {values!r}: expected whole numbers from {least} to {LARGEST}"
                    )
        for name in ("encoder", "hand"):
            if not isinstance(getattr(self, name), str):
                raise InputError(f"network setting {name} is {getattr(self, name)!r}: expected a name")
        if len(self.levels) != len(self.strides):
            raise InputError(f"levels {self.levels} and strides {self.strides} must be of one length")
        if any(stride not in STRIDES for stride in self.strides):
            raise InputError(f"strides {self.strides}: only {STRIDES} exist")

    def as_dict(self) -> dict:
        return asdict(self)


class Answer(NamedTuple):
    """What GLFNet says of B crops.

    estimates: the parametric stage's, then one after every retrieval; the last one is the answer
    keypoint_sigma: (B, 21) crop px; joint_sigma: (B, 21) m
    """

    estimates: list[Estimate]
    keypoint_sigma: Tensor
    joint_sigma: Tensor

    @property
    def parametric(self) -> Estimate:
        return self.estimates[0]

    @property
    def final(self) -> Estimate:
        return self.estimates[-1]


class GLFNet(nn.Module):
    """See the module's docstring. `forward` = `encoder` + `answer`; a correction calls `refine` alone."""

    hand: HandModel
    layer: HandLayer
    encoder: Encoder
    unsure: UncertaintyHead
    keypoint_tokens: nn.Linear | None

    def __init__(self, config: GLFNetConfig | None = None, hand: HandModel | None = None):
        super().__init__()
        self.config = config = config or GLFNetConfig()
        self.hand = load_hand(config.hand) if hand is None else hand
        self.layer = HandLayer(self.hand)
        self.encoder = build_encoder(config.encoder)
        offset_level = self.hand.levels[OFFSET_LEVEL]
        self.parametric = ParametricStage(self.encoder.global_channels, config.hidden, len(offset_level.indices))
        if max(config.levels, default=0) >= len(self.hand.levels):
            raise InputError(
                f"levels {config.levels}: hand model {self.hand.name} has {len(self.hand.levels)}, counted from 0"
            )
        stages = []
        for level, stride in zip(config.levels, config.strides, strict=True):
            to_offsets = offset_weights(self.hand, level)
            stages.append(
                RefinementStage(
                    level,
                    len(self.hand.levels[level].indices),
                    to_offsets if config.free_field else torch.zeros_like(to_offsets),
                    self.encoder.channels[STRIDES.index(stride)],
                    config.width,
                    config.hidden,
                    config.retrievals,
                    config.aligned,
                    config.prior,
                )
            )
        self.stages = nn.ModuleList(stages)
        self.unsure = UncertaintyHead(config.width, config.hidden)
        self.keypoint_tokens = nn.Linear(config.hidden, 21 * config.width) if not stages else None

    def forward(
        self, crops: Tensor, projection: Tensor, focal: Tensor, prompts: Prompts | None = None
    ) -> tuple[Answer, Features]:
        """crops (B, 3, 224, 224) RGB 0..1; projection (B, 3, 3) and focal (B,) from `CropView`."""
        features = self.encoder(crops)
        return self.answer(features, projection, focal, prompts), features

    def answer(self, features: Features, projection: Tensor, focal: Tensor, prompts: Prompts | None = None) -> Answer:
        """Everything behind the encoder."""
        prompts = prompts or Prompts.none(features.pooled.shape[0], features.pooled)
        start = self.parametric(features, focal)
        return self.refine(features, start, projection, focal, prompts)

    def refine(
        self, features: Features, start: Estimate, projection: Tensor, focal: Tensor, prompts: Prompts
    ) -> Answer:
        """The refinement stages alone, from the parametric stage's estimate `start`."""
        estimates, tokens = [start], None
        for stage, stride in zip(self.stages, self.config.strides, strict=True):
            feature_map = features.maps[STRIDES.index(stride)]
            history, tokens = stage(self.layer, features, feature_map, estimates[-1], start, prompts, projection, focal)
            estimates += history
        if tokens is None:
            assert self.keypoint_tokens is not None
            tokens = self.keypoint_tokens(start.hidden).unflatten(1, (21, -1))
        pixels, metres = self.unsure(tokens[:, -21:].detach(), estimates[-1].hidden.detach())
        return Answer(estimates, pixels, metres)

    def head_parameters(self) -> list[nn.Parameter]:
        """All that is not the encoder's."""
        return [p for name, p in self.named_parameters() if not name.startswith("encoder.")]


def offset_weights(hand: HandModel, level: int) -> Tensor:
    """(M, N): displacements of a level's N vertices as offsets of the offset level's M vertices.

    A coarser level is upsampled; a finer one is averaged with the transposed weights: both smooth, rows sum to one.
    """
    at, other = hand.levels[OFFSET_LEVEL], hand.levels[level]
    if level == OFFSET_LEVEL:
        weights = torch.eye(len(at.indices), dtype=torch.float64)
    elif level < OFFSET_LEVEL:
        weights = torch.as_tensor(other.upsample[at.indices])
    else:
        weights = torch.as_tensor(at.upsample[other.indices]).T
        weights = weights / weights.sum(1, keepdim=True)
    return weights.float()
