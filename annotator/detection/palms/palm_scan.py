"""Whole photos as the palm network sees them at one scale, and where in the photo its answers are.

The network is fully convolutional: what it was trained to see in 192 x 192 px it sees anywhere in a larger picture, so
a photo at several scales takes the place of overlapping tiles (image pyramid; Burt & Adelson 1983), for a third of the
time. Very large pictures are cut into pieces that overlap, so that a pass needs no more memory than any other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from annotator.detection.anchors import Cells, Seen, anchors, likely
from annotator.vision.crops import brighter_left

STRIDE = 32  # px, the network's coarsest map: pictures are whole multiples
GRAIN = 6  # a picture's sides are multiples of its longer side over this: few shapes, each of which costs memory
CELLS: Cells = ((8, 2), (16, 6))  # px, anchors a cell
MOST = 768  # px, the longest side of a piece
SHARED = 192  # px that two pieces share: more than a palm takes
EDGE = 2.0  # px: how far a palm may reach out of a piece


@dataclass(frozen=True, eq=False)
class Piece:
    """A photo shrunk or enlarged, in the middle of a black picture, or a part of that.

    picture: (H, W, 3) float32 in 0..1, H and W multiples of 32. offset: px, x and y, from the picture's corner to the
    photo's. factor: photo px a px of the picture, along x and y. mirror: px; x is `mirror` minus the picture's x, if it
    is shown mirrored. goes_on: whether the photo does, beyond the picture's left, upper, right and lower edge.
    """

    picture: np.ndarray
    offset: tuple[int, int]
    factor: tuple[float, float]
    mirror: int | None = None
    goes_on: tuple[bool, bool, bool, bool] = (False,) * 4

    def part(self, x: int, y: int, width: int, height: int) -> Piece:
        """What of this picture is in a rectangle of it."""
        rows, columns = self.picture.shape[:2]
        if self.mirror is None:
            moved, mirror = (self.offset[0] - x, self.offset[1] - y), None
        else:
            moved, mirror = (self.offset[0], self.offset[1] - y), self.mirror - x
        goes_on = (x > 0, y > 0, x + width < columns, y + height < rows)
        picture = np.ascontiguousarray(self.picture[y : y + height, x : x + width])
        return replace(self, picture=picture, offset=moved, mirror=mirror, goes_on=goes_on)

    def palms(self, scores: np.ndarray, rows: np.ndarray, threshold: float) -> Seen:
        """From the network's answer (A,), (A, 18) to the picture to whole palms in the photo."""
        height, width = self.picture.shape[:2]
        kept, places = likely(scores, rows, threshold, anchors(height, width, CELLS))
        half = places[:, 1] / 2
        low, high = places[:, 0] - half, places[:, 0] + half
        cut = np.concatenate([low < -EDGE, high > np.array([width, height]) + EDGE], axis=1) & self.goes_on
        whole = ~cut.any(axis=1)
        kept, half, places = kept[whole], half[whole] * self.factor, np.delete(places[whole], 1, axis=1)
        if self.mirror is not None:
            places[..., 0] = self.mirror - places[..., 0]
        places = (places - self.offset) * self.factor - 0.5
        return scores[kept], np.concatenate([places[:, 0] - half, places[:, 0] + half], axis=1), places[:, 1:]


def pieces(photo: np.ndarray, longer: float, margin: float = 1.0) -> Iterator[Piece]:
    """A photo (H, W, 3) uint8 at the scale at which its longer side takes `longer` px, in a picture `margin` times as
    large."""
    whole = _whole(photo, longer, margin)
    height, width = whole.picture.shape[:2]
    for y, rows in _spans(height):
        for x, columns in _spans(width):
            yield whole if (rows, columns) == (height, width) else whole.part(x, y, columns, rows)


def _whole(photo: np.ndarray, longer: float, margin: float) -> Piece:
    size = [photo.shape[1], photo.shape[0]]
    # even, as pictures are: a mirrored photo lies in the middle just as this one does
    shown = [max(2, 2 * round(longer * length / max(size) / 2)) for length in size]
    grain = STRIDE * max(1, min(4, round(longer / GRAIN / STRIDE)))
    whole = [-(-round(margin * length) // grain) * grain for length in shown]
    offset = ((whole[0] - shown[0]) // 2, (whole[1] - shown[1]) // 2)
    # means of the photo's own pixels where there are enough of them, for half the time
    way = Image.Resampling.BOX if max(size) >= 2 * max(shown) else Image.Resampling.BILINEAR
    small = np.asarray(Image.fromarray(photo).resize(tuple(shown), way))
    mirrored = brighter_left(small)  # the brighter side is shown right, so that a mirrored photo gives the same picture
    picture = np.zeros((whole[1], whole[0], 3), np.float32)
    inside = picture[offset[1] : offset[1] + shown[1], offset[0] : offset[0] + shown[0]]
    np.multiply(small[:, ::-1] if mirrored else small, np.float32(1 / 255), out=inside)
    factor = (size[0] / shown[0], size[1] / shown[1])
    return Piece(picture, offset, factor, whole[0] if mirrored else None)


def _spans(length: int) -> list[tuple[int, int]]:
    """Where pieces begin along a side of a picture, and how long they are."""
    if length <= MOST:
        return [(0, length)]
    count = math.ceil((length - SHARED) / (MOST - SHARED))
    return [(round(k * (length - MOST) / (count - 1)), MOST) for k in range(count)]
