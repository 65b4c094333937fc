"""The losses: sparse keypoints, joint limits, a plausible shape, a smooth field. No mesh label anywhere.

2-D reprojection with visibility, root-relative joints where a label has them (unknown scale allowed), hinge on joint
ranges (as in Spurr 2020 and KNOWN-Hand), shape prior, and mesh terms of the free field against the hand model's own
surface (Laplacian and size), since no other reference exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from annotator.hand.limits import limit_excess
from annotator.hand.model import OFFSET_LEVEL
from annotator.learning.data.samples import Labels
from annotator.learning.distributed import mean
from annotator.network.crop_camera import HALF
from annotator.network.glfnet import Answer, GLFNet
from annotator.network.parametric import Estimate, Placed, place


@dataclass(frozen=True)
class LossWeights:
    """Weights of the terms; a term's natural unit is given so that the numbers can be read."""

    keypoints: float = 6.0  # mean distance in crop half sides
    joints: float = 2.0  # mean distance in decimetres
    limits: float = 1.0  # mean squared excess in rad^2, times 10
    shape: float = 0.005  # mean square of beta
    field: float = 1.0  # size and roughness of the offsets (5 mm = 1)
    sigma: float = 0.05  # negative log likelihood
    parametric: float = 1.0  # weight of M0 and of the steps between, against 1 for the final answer
    between: float = 0.5


def distance(a: Tensor, b: Tensor) -> Tensor:
    """Euclidean distance along the last axis, differentiable at zero."""
    return torch.sqrt(((a - b) ** 2).sum(-1) + 1e-8)


def centred(points: Tensor, weight: Tensor) -> Tensor:
    """Points (B, 21, 3) minus their weighted centroid."""
    total = weight.sum(1).clamp(min=1e-6)[:, None, None]
    return points - (points * weight[..., None]).sum(1, keepdim=True) / total


def joint_error(joints: Tensor, labels: Labels) -> Tensor:
    """(B, 21) m: distance of centred joints; where the label's scale is unknown the label takes the estimate's."""
    weight = (labels.joint_weight > 0).to(joints)
    ours, theirs = centred(joints, weight), centred(labels.joints, weight)
    size = (theirs**2 * weight[..., None]).sum((1, 2)).clamp(min=1e-8)
    scale = ((ours.detach() * theirs * weight[..., None]).sum((1, 2)) / size).clamp(min=1e-3)
    scale = torch.where(labels.metric > 0, torch.ones_like(scale), scale)
    return distance(ours, theirs * scale[:, None, None])


class Totals(NamedTuple):
    """Sums of a batch's weights, what weighted means are divided by. Where several processes share a batch: the mean of
    their sums, so that the mean of their losses is the loss of the whole batch."""

    keypoints: Tensor
    joints: Tensor
    metric: Tensor

    @staticmethod
    def of(labels: Labels) -> Totals:
        metric = (labels.joint_weight * labels.metric[:, None]).sum()
        return Totals(*mean(torch.stack([labels.keypoint_weight.sum(), labels.joint_weight.sum(), metric])))


def weighted_mean(values: Tensor, weights: Tensor, total: Tensor) -> Tensor:
    return (values * weights).sum() / total.clamp(min=1e-6)


class Supervision(nn.Module):
    """Answer and labels -> one number and its parts."""

    edges: Tensor

    def __init__(self, network: GLFNet, weights: LossWeights = LossWeights()):
        super().__init__()
        self.weights = weights
        self.layer = network.layer
        level = network.hand.levels[OFFSET_LEVEL]
        faces = torch.as_tensor(level.faces.astype("int64"))
        edges = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
        self.register_buffer("edges", torch.unique(edges.sort(1).values, dim=0), persistent=False)

    def estimate_loss(
        self, estimate: Estimate, labels: Labels, totals: Totals
    ) -> tuple[Tensor, dict[str, Tensor], Placed]:
        """The loss of one estimate."""
        w = self.weights
        placed = place(self.layer, estimate, labels.projection, labels.focal)
        # far-off points of the first steps pull like near ones: the robust part of a mean distance is its linearity
        pixels = distance(placed.keypoints.clamp(-4 * HALF, 6 * HALF), labels.keypoints)
        parts = {
            "keypoints": weighted_mean(pixels / HALF, labels.keypoint_weight, totals.keypoints) * w.keypoints,
            "joints": weighted_mean(joint_error(placed.joints, labels) * 10.0, labels.joint_weight, totals.joints)
            * w.joints,
            "limits": limit_excess(estimate.rotations()[:, 1:]).square().mean() * (10 * w.limits),
            "shape": estimate.shape.square().mean() * w.shape,
        }
        if w.field:
            field = estimate.offsets * 200.0
            rough = field[:, self.edges[:, 0]] - field[:, self.edges[:, 1]]
            parts["field"] = (0.1 * field.square().mean() + rough.square().mean()) * w.field
        return cast(Tensor, sum(parts.values())), parts, placed

    def forward(self, answer: Answer, labels: Labels) -> tuple[Tensor, dict[str, float]]:
        """Returns the loss and its parts (of the final answer), the errors included, as plain numbers."""
        w = self.weights
        last = len(answer.estimates) - 1
        total: Tensor | float = 0.0
        totals = Totals.of(labels)
        for index, estimate in enumerate(answer.estimates):
            loss, parts, placed = self.estimate_loss(estimate, labels, totals)
            total = total + loss * (1.0 if index == last else w.parametric if index == 0 else w.between)
        pixels = distance(placed.keypoints.detach(), labels.keypoints).clamp(max=HALF)
        metres = joint_error(placed.joints.detach(), labels).clamp(max=0.2)
        likelihood = weighted_mean(
            pixels / answer.keypoint_sigma + 2 * answer.keypoint_sigma.log(), labels.keypoint_weight, totals.keypoints
        ) + weighted_mean(
            metres / answer.joint_sigma + 3 * answer.joint_sigma.log(),
            labels.joint_weight * labels.metric[:, None],
            totals.metric,
        )
        total = total + w.sigma * likelihood
        numbers = {name: float(value.detach()) for name, value in parts.items()}
        numbers["sigma"] = float(likelihood.detach())
        numbers["pixels"] = float(weighted_mean(pixels, labels.keypoint_weight, totals.keypoints))
        numbers["joints_mm"] = 1000 * float(weighted_mean(metres, labels.joint_weight, totals.joints))
        return total, numbers
