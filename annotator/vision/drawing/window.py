"""A window: an upright square of a photo, shown at another size, so that small hands are enlarged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from annotator.errors import InputError

OUTSIDE = (225, 225, 225)  # what lies beyond the photo


@dataclass(frozen=True)
class Window:
    """The square of side `size` photo px whose top left *outer corner* is (left, top), shown at pixels x
    pixels.

    Pixel centres are at .0 in the photo and in the picture.
    """

    left: float
    top: float
    size: float
    pixels: int

    @classmethod
    def around(cls, points: np.ndarray, margin: float = 1.25, pixels: int = 320, least: float = 24.0) -> Window:
        """Round points (N, 2), photo px: `margin` times their extent, at least `least` photo px a side."""
        points = np.asarray(points, np.float64)
        if points.ndim != 2 or not len(points) or not np.isfinite(points).all():
            raise InputError(f"expected finite points (N, 2), got {points.shape}")
        low, high = points.min(0), points.max(0)
        size = max(margin * float((high - low).max()), least)
        left, top = (low + high) / 2 - size / 2
        return cls(float(left), float(top), size, pixels)

    @property
    def matrix(self) -> np.ndarray:
        """(3, 3) photo pixels to picture pixels, homogeneous: the picture's camera is `matrix @ K`."""
        scale = self.pixels / self.size
        return np.array(
            [
                [scale, 0.0, scale * (0.5 - self.left) - 0.5],
                [0.0, scale, scale * (0.5 - self.top) - 0.5],
                [0.0, 0.0, 1.0],
            ]
        )

    def points(self, points: np.ndarray) -> np.ndarray:
        """Photo pixels (..., 2) to picture pixels (..., 2)."""
        matrix = self.matrix
        return np.asarray(points, np.float64) @ matrix[:2, :2].T + matrix[:2, 2]

    def picture(self, photo: np.ndarray) -> np.ndarray:
        """(pixels, pixels, 3) uint8: that part of the photo (H, W, 3) uint8."""
        height, width = photo.shape[:2]
        # whole photo pixels that cover the window, so that only they are resized
        x0, y0 = int(np.floor(self.left)) - 2, int(np.floor(self.top)) - 2
        x1, y1 = int(np.ceil(self.left + self.size)) + 2, int(np.ceil(self.top + self.size)) + 2
        block = np.empty((y1 - y0, x1 - x0, 3), np.uint8)
        block[:] = OUTSIDE
        inside = photo[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
        rows, columns = inside.shape[:2]
        top, left = max(-y0, 0), max(-x0, 0)
        block[top : top + rows, left : left + columns] = inside
        box = (self.left - x0, self.top - y0, self.left - x0 + self.size, self.top - y0 + self.size)
        resized = Image.fromarray(block).resize((self.pixels, self.pixels), Image.Resampling.BICUBIC, box=box)
        return np.asarray(resized)
