"""What a training step hides or spoils, so that the network leans on nothing that may fail on a real photo.

The landmark network's guess (2-D and 3-D) is right on real photos and wrong on rendered ones; the picture's features
are the other way round. Rendered hands get landmarks as real photos would give them (`noise`), some real ones get
worse landmarks than they have, some hands get none, some get no picture. Style mixing (Zhou et al. 2021, 'Domain
generalization with MixStyle') swaps channel statistics between hands, rendered and real, so that features cannot tell
the two apart by colour and contrast.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from annotator.learning.data.noise import simulate_landmarks
from annotator.learning.data.samples import Labels
from annotator.network.features import Features


@dataclass(frozen=True)
class Disturbance:
    """Shares of a batch. simulated: rendered hands whose landmarks are simulated; simulated_real: the same of real
    photos; drop_landmarks: no landmarks at all; drop_image: no picture; mixed_styles: stem statistics mixed with
    another hand's."""

    simulated: float = 0.8
    simulated_real: float = 0.0
    drop_landmarks: float = 0.0
    drop_image: float = 0.0
    mixed_styles: float = 0.0


def chosen(share: Tensor | float, count: int, like: Tensor) -> Tensor:
    """(count,) bool: each with its share's probability. Drawn on the CPU: a run is the same on every device."""
    return (torch.rand(count) < share).to(like.device)


def with_mixed_styles(stem: Features, share: float) -> Features:
    """The first map's channel means and spreads, mixed with those of another hand of the batch."""
    if not share:
        return stem
    first = stem.maps[0]
    count = len(first)
    mean, spread = first.mean((2, 3), keepdim=True), first.std((2, 3), keepdim=True) + 1e-3
    other = torch.randperm(count).to(first.device)
    keep = torch.distributions.Beta(0.3, 0.3).sample((count, 1, 1, 1)).to(first)
    keep = torch.where(chosen(share, count, first)[:, None, None, None], keep, torch.ones_like(keep))
    mixed_mean = keep * mean + (1 - keep) * mean[other]
    mixed_spread = keep * spread + (1 - keep) * spread[other]
    return stem._replace(maps=((first - mean) / spread * mixed_spread + mixed_mean, *stem.maps[1:]))


def disturbed(features: Features, labels: Labels, how: Disturbance) -> Features:
    """Features whose landmarks are replaced or missing, or whose picture is missing, for some hands of the batch."""
    count = len(labels.exact)
    exact = labels.exact.cpu()
    simulate = torch.rand(count) < exact * how.simulated + (1 - exact) * how.simulated_real
    landmarks, world = features.landmarks, features.world
    if bool(simulate.any()):
        on_cpu = Labels(*(field.cpu() for field in labels))
        points, simulated_world = simulate_landmarks(on_cpu._replace(joints=on_cpu.hand_sized()))
        choose = simulate.to(landmarks.device)[:, None, None]
        landmarks = torch.where(choose, points.to(landmarks), landmarks)
        world = torch.where(choose, simulated_world.to(world), world)
    dropped = chosen(how.drop_landmarks, count, landmarks)
    landmarks = landmarks.masked_fill(dropped[:, None, None], float("nan"))
    world = world.masked_fill(dropped[:, None, None], float("nan"))
    # a hand with neither landmarks nor picture would teach nothing
    seen = (~chosen(how.drop_image, count, landmarks) | dropped).to(features.pooled)
    return features._replace(
        maps=tuple(m * seen[:, None, None, None] for m in features.maps) if how.drop_image else features.maps,
        pooled=features.pooled * seen[:, None] if how.drop_image else features.pooled,
        landmarks=landmarks,
        world=world,
    )
