"""Whole photos as the palm network sees them at one scale, and where in the photo its answers are.

The network is fully convolutional: what it was trained to see in 192 x 192 px it sees anywhere in a larger picture, so a photo
at several scales takes the place of overlapping tiles (image pyramid; Burt & Adelson 1983), for a third of the time.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from PIL import Image

from annotator.vision.crops import brighter_left

STRIDE = 32  # px, the network's coarsest map: canvases are whole multiples
CELLS = ((8, 2), (16, 6))  # px, anchors a cell

Seen = tuple[np.ndarray, np.ndarray, np.ndarray]  # scores (N,), boxes (N, 4), points (N, 7, 2), photo pixels


@dataclass(frozen=True, eq=False)
class Scan:
    """A photo shrunk or enlarged, in the middle of a black canvas.

    canvas: (H, W, 3) float32 in 0..1, H and W multiples of 32. offset: px of the canvas, x and y, where the photo begins.
    factor: photo px a canvas px, along x and y. mirrored: whether the canvas is shown mirrored: its brighter side is right.
    """

    canvas: np.ndarray
    offset: tuple[int, int]
    factor: tuple[float, float]
    mirrored: bool

    @staticmethod
    def of(photo: np.ndarray, longer: float, margin: float = 1.0) -> Scan:
        """photo: (H, W, 3) uint8; longer: px of its longer side on the canvas, which is `margin` times as large."""
        size = [photo.shape[1], photo.shape[0]]
        # even, as canvases are: a mirrored photo lies in the middle just as this one does
        shown = [max(2, 2 * round(longer * length / max(size) / 2)) for length in size]
        whole = [-(-round(margin * length) // STRIDE) * STRIDE for length in shown]
        offset = ((whole[0] - shown[0]) // 2, (whole[1] - shown[1]) // 2)
        # means of the photo's own pixels where there are enough of them, for half the time
        way = Image.Resampling.BOX if max(size) >= 2 * max(shown) else Image.Resampling.BILINEAR
        small = np.asarray(Image.fromarray(photo).resize(tuple(shown), way))
        mirrored = brighter_left(small)
        canvas = np.zeros((whole[1], whole[0], 3), np.float32)
        inside = canvas[offset[1] : offset[1] + shown[1], offset[0] : offset[0] + shown[0]]
        np.multiply(small[:, ::-1] if mirrored else small, np.float32(1 / 255), out=inside)
        return Scan(canvas, offset, (size[0] / shown[0], size[1] / shown[1]), mirrored)

    def joins(self, other: Scan, count: int, most: int) -> bool:
        """Whether another one of the same size can make a pass with `count` such, of at most `most` px in all."""
        height, width = self.canvas.shape[:2]
        return other.canvas.shape == self.canvas.shape and (count + 1) * height * width <= most

    def palms(self, scores: np.ndarray, rows: np.ndarray, threshold: float) -> Seen:
        """From the network's answer (A,), (A, 18) to the canvas to palms in the photo."""
        kept = np.flatnonzero(scores >= threshold)
        height, width = self.canvas.shape[:2]
        places = rows[kept].astype(np.float64).reshape(-1, 9, 2)  # centre, size, seven points; canvas px
        middles = anchors(height, width)[kept]
        places[:, 0] += middles
        places[:, 2:] += middles[:, None]
        half = places[:, 1] / 2 * self.factor
        places = np.delete(places, 1, axis=1)
        if self.mirrored:
            places[..., 0] = width - places[..., 0]
        places = (places - self.offset) * self.factor - 0.5
        return scores[kept], np.concatenate([places[:, 0] - half, places[:, 0] + half], axis=1), places[:, 1:]


@functools.lru_cache(maxsize=64)
def anchors(height: int, width: int) -> np.ndarray:
    """(A, 2) px: the anchors' middles, two a cell of 8 px, then six a cell of 16 px, row by row."""
    rows = []
    for cell, each in CELLS:
        y, x = np.meshgrid((np.arange(height // cell) + 0.5) * cell, (np.arange(width // cell) + 0.5) * cell, indexing="ij")
        rows.append(np.repeat(np.stack([x, y], -1).reshape(-1, 2), each, axis=0))
    return np.concatenate(rows)
