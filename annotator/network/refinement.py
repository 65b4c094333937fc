"""A refinement stage (P_GLFnet's ideas 2 and 3): look where the estimate is, fuse with the global prior, move.

One stage works on one mesh level and one feature map and makes R consecutive retrievals: each projects the estimate
as the last one left it. The number of stages, levels and widths are this project's own choices: the paper's abstract
does not fix them.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from annotator.hand.layer import HandLayer
from annotator.network.crop_camera import HALF, project, translation_of
from annotator.network.features import Features
from annotator.network.parametric import CAMERA, POSE, SHAPE, Estimate, ResidualBlock, guidance
from annotator.network.prompts import Prompts
from annotator.network.retrieval import PixelAlignedRetrieval, finite_points

EMBEDDING = 24  # a vertex's learned place on the hand
SUMMARY = 12  # numbers a token leaves for the whole hand to read
GEOMETRY = 3 + 3 + 2  # M0's position, how far it has moved (m x 10), where it is in the crop


class RefinementStage(nn.Module):
    """Tokens: this level's vertices and the 21 keypoints. Each retrieval moves pose, shape, camera and offsets.

    prior: False is the ablation without the global prior (place on the hand, M0, moved so far, hidden state).
    """

    def __init__(
        self,
        level: int,
        vertices: int,
        to_offsets: Tensor,
        channels: int,
        width: int,
        hidden: int,
        retrievals: int = 2,
        aligned: bool = True,
        prior: bool = True,
    ):
        super().__init__()
        self.level, self.retrievals, self.prior = level, retrievals, prior
        tokens = vertices + 21
        self.retrieve = PixelAlignedRetrieval(channels, width, aligned)
        self.place_on_hand = nn.Parameter(torch.randn(tokens, EMBEDDING) * 0.3)
        self.context = nn.Linear(hidden, width)
        self.fuse = nn.Linear(width + EMBEDDING + GEOMETRY + 6, width)
        self.mix_tokens = nn.Linear(tokens, tokens)
        self.token_block = ResidualBlock(width)
        self.summarise = nn.Linear(width, SUMMARY)
        self.read = nn.Linear(tokens * SUMMARY + 21 * 6 + POSE + SHAPE + CAMERA, hidden)
        self.think = nn.Sequential(ResidualBlock(hidden), ResidualBlock(hidden))
        self.norm = nn.LayerNorm(hidden)
        self.move = nn.Linear(hidden, POSE + SHAPE + CAMERA)
        self.token_norm = nn.LayerNorm(width)
        self.displace = nn.Linear(width, 3)
        for layer in (self.move, self.displace):
            nn.init.normal_(layer.weight, std=1e-3)
            nn.init.zeros_(layer.bias)
        # (M, N): this level's displacements as offsets at the offset level, by fixed weights
        self.register_buffer("to_offsets", to_offsets, persistent=False)

    def forward(
        self,
        layer: HandLayer,
        features: Features,
        feature_map: Tensor,
        estimate: Estimate,
        start: Estimate,
        prompts: Prompts,
        projection: Tensor,
        focal: Tensor,
    ) -> tuple[list[Estimate], Tensor]:
        """Returns the estimate after each retrieval and the last tokens (B, N + 21, width); `start` is M0."""
        prepared = self.retrieve.prepare(feature_map)
        origin = self._points(layer, start, focal)
        history = []
        tokens = None
        for _ in range(self.retrievals):
            estimate, tokens = self._step(layer, features, prepared, estimate, origin, prompts, projection, focal)
            history.append(estimate)
        assert tokens is not None  # there is one retrieval, or more
        return history, tokens

    @torch.no_grad()  # positions are data, not a path for gradients: this is what keeps consecutive steps stable
    def _points(self, layer: HandLayer, estimate: Estimate, focal: Tensor) -> Tensor:
        """This level's vertices and the 21 joints, (B, N + 21, 3) m in the crop camera's frame."""
        rotations = estimate.rotations()
        vertices = layer.vertices_at(self.level, rotations, estimate.shape, estimate.offsets)
        joints = layer.keypoints_from_pose(rotations, estimate.shape, estimate.offsets)
        return torch.cat([vertices, joints], dim=1) + translation_of(estimate.camera, focal)[:, None]

    def _step(self, layer, features, prepared, estimate, origin, prompts, projection, focal):
        points = self._points(layer, estimate, focal)
        pixels = finite_points(project(points, projection))
        seen = self.retrieve(prepared, pixels)
        guide = guidance(features, prompts, pixels[:, -21:])
        hidden = estimate.hidden
        geometry = torch.cat(
            [
                (origin - origin[:, -21:-20]) * 10.0,
                (points - origin) * 10.0,
                (pixels - (HALF - 0.5)) / HALF,
            ],
            dim=-1,
        )
        place_on_hand = self.place_on_hand.expand(points.shape[0], -1, -1)
        context = self.context(hidden)[:, None]
        if not self.prior:
            geometry = torch.cat([torch.zeros_like(geometry[..., :6]), geometry[..., 6:]], dim=-1)
            place_on_hand, context = torch.zeros_like(place_on_hand), torch.zeros_like(context)
        at_tokens = F.pad(guide, (0, 0, points.shape[1] - 21, 0))
        tokens = self.fuse(torch.cat([seen, place_on_hand, geometry, at_tokens], dim=-1)) + context
        tokens = tokens + self.mix_tokens(F.gelu(tokens).transpose(1, 2)).transpose(1, 2)
        tokens = self.token_block(tokens)
        summary = torch.cat(
            [
                self.summarise(F.gelu(tokens)).flatten(1),
                guide.flatten(1),
                estimate.pose.detach().flatten(1),
                estimate.shape.detach(),
                estimate.camera.detach(),
            ],
            dim=1,
        )
        hidden = self.think((hidden if self.prior else 0.0) + self.read(summary))
        pose, shape, camera = self.move(self.norm(hidden)).split([POSE, SHAPE, CAMERA], dim=1)
        vertices = tokens.shape[1] - 21
        moved = 0.01 * torch.tanh(self.displace(self.token_norm(tokens[:, :vertices])))
        # each step starts from the last one's numbers, but its loss does not reach through them into earlier steps
        return Estimate(
            pose=estimate.pose.detach() + pose.unflatten(1, (16, 6)),
            shape=estimate.shape.detach() + shape,
            camera=estimate.camera.detach() + camera,
            offsets=estimate.offsets.detach() + self.to_offsets @ moved,
            hidden=hidden,
        ), tokens
