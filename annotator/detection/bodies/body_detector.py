"""The body detector: where people are in a photo, and which way up.

MediaPipe's single-shot detector of people (BlazePose: Bazarevsky et al. 2020, "BlazePose: On-device Real-time Body Pose
tracking", arXiv 2006.10204) looks for faces and says where the body is below them: the middle of its hips, and a point
as far from there as the circle round the whole body reaches.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from annotator.detection.anchors import Cells, Seen, in_view, merged
from annotator.detection.bodies.body_network import BodyNetwork
from annotator.vision.crops import Crop, upright_angle

BODY_WEIGHTS = "body_detector.safetensors"
INPUT = 224  # px, the side of what the network sees
CELLS: Cells = ((8, 2), (16, 2), (32, 6))
THRESHOLD = 0.5
ROUND = 1.25  # side of a body's crop over the circle round it
PARTS = 2  # so many parts of a photo, along its longer side, are looked at closer
STEP = 0.5  # of a part: from one to the next


@dataclass(frozen=True, eq=False)
class Body:
    """A detected person.

    score: 0..1. hips, reach: (2,) photo pixels, the middle of the hips and a point on the circle round the whole body,
    in the direction of the head.
    """

    score: float
    hips: np.ndarray
    reach: np.ndarray

    @property
    def crop(self) -> Crop:
        """Round the whole body, its head up."""
        size = 2 * ROUND * max(float(np.linalg.norm(self.reach - self.hips)), 1.0)
        return Crop(self.hips[0], self.hips[1], size, upright_angle(self.hips, self.reach))


class BodyDetector(BodyNetwork):
    """MediaPipe's detector of people with its own weights. Deterministic; mirrored photos give mirrored bodies."""

    def __init__(self) -> None:
        super().__init__(BODY_WEIGHTS, INPUT)

    def detect_many(self, photos: Sequence[np.ndarray], closer: Sequence[bool]) -> list[list[Body]]:
        """The people in each of these photos (H, W, 3) uint8, best first.

        Looks at each photo as a whole, which shows whoever takes a quarter of it or more; closer: where this is true,
        also at parts of half its size that overlap. (Not at a larger picture, as palms are: the network knows where in
        its square it looks.)
        """
        return [self._detect(photo, _views(photo, near)) for photo, near in zip(photos, closer, strict=True)]

    def _detect(self, photo: np.ndarray, views: list[Crop]) -> list[Body]:
        seen = [self._look(photo, view) for view in views]
        return [Body(score, points[0], points[1]) for score, _, points in merged(seen)]

    def _look(self, photo: np.ndarray, view: Crop) -> Seen:
        (rows, logits), view = self.said(photo, view, low=-1.0)
        scores = torch.sigmoid(logits[:, 0].double()).numpy()
        return in_view(view, INPUT, photo.shape, scores, rows.numpy(), THRESHOLD, CELLS)


def _views(photo: np.ndarray, closer: bool) -> list[Crop]:
    height, width = photo.shape[:2]
    longer = max(height, width)
    views = [Crop((width - 1) / 2, (height - 1) / 2, longer)]
    if closer:
        size = longer / PARTS
        across, down = (_middles(length, size) for length in (width, height))
        views += [Crop(x, y, size) for y in down for x in across]
    return views


def _middles(length: int, size: float) -> np.ndarray:
    """Where the middles of parts lie along a side of a photo; one in its middle if it is no longer than a part."""
    if length <= size:
        return np.array([(length - 1) / 2])
    count = 1 + math.ceil((length - size) / (STEP * size) - 1e-9)
    return np.linspace(size / 2, length - size / 2, count) - 0.5
