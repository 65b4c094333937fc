"""The loss of one batch, as one module: what a training step differentiates, and what several processes share out."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from annotator.learning.data.disturbing import Disturbance, disturbed, with_mixed_styles
from annotator.learning.data.samples import Labels, concatenate
from annotator.learning.losses import Supervision
from annotator.network.features import Features, joined
from annotator.network.glfnet import GLFNet
from annotator.network.prompts import Prompts, random_prompts


class Part(NamedTuple):
    """A part of a batch as a source drew it: features or crops, their labels, and the seed of what is random after."""

    drawn: Features | Tensor
    labels: Labels
    seed: int

    def to(self, device: torch.device) -> Part:
        drawn, labels = self.drawn, Labels(*(field.to(device) for field in self.labels))
        if not isinstance(drawn, Tensor):
            return Part(drawn.to(device), labels, self.seed)
        return Part(drawn.to(device), labels, self.seed)


class BatchLoss(nn.Module):
    """Parts of a batch -> (loss, its parts and errors as plain numbers).

    A part meets its own disturbances and prompts, whoever computes it; the loss is that of all parts at once.
    """

    def __init__(self, network: GLFNet, supervision: Supervision, disturbance: Disturbance, prompts: bool):
        super().__init__()
        self.network, self.supervision = network, supervision
        self.disturbance, self.prompts = disturbance, prompts

    def forward(self, parts: list[Part]) -> tuple[Tensor, dict[str, float]]:
        features, prompts = zip(*(self.met(part) for part in parts), strict=True)
        labels = concatenate([part.labels for part in parts])
        whole = features[0] if len(parts) == 1 else joined(features)
        given = None
        if self.prompts:
            given = Prompts(*(torch.cat(field) for field in zip(*prompts, strict=True)))
        answer = self.network.answer(whole, labels.projection, labels.focal, given)
        return self.supervision(answer, labels)

    def met(self, part: Part) -> tuple[Features, Prompts | tuple]:
        """A part's features, disturbed, and its prompts; everything random in them follows from its seed."""
        torch.manual_seed(part.seed)
        labels = part.labels
        stem = self.network.encoder.stem(part.drawn) if isinstance(part.drawn, Tensor) else part.drawn
        features = self.network.encoder.complete(with_mixed_styles(stem, self.disturbance.mixed_styles))
        features = disturbed(features, labels, self.disturbance)
        if not self.prompts:
            return features, ()
        drawn = random_prompts(labels.keypoints.cpu(), (labels.visible * (labels.keypoint_weight > 0.5)).cpu())
        return features, Prompts(*(field.to(labels.keypoints.device) for field in drawn))
