"""The palm detector: where hands are in a photo.

MediaPipe's single-shot detector (BlazePalm: Zhang et al. 2020, "MediaPipe Hands", arXiv 2006.10214) sees a square of
192 x 192 px. Palms rather than hands: they are nearly square and rigid. Here it looks at the whole photo, letterboxed,
and at overlapping tiles of large photos, each both ways round, so that a mirrored photo gives the mirrored palms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
import torch

from annotator.vision.crops import CROP_SIZE, Crop, extract_all
from annotator.vision.layers import load_weights
from annotator.vision.palm_network import PALM_WEIGHTS, PalmNetwork

INPUT = 192  # px, the side of what the network sees
OVERLAP = 0.3  # intersection over union above which two boxes are one palm
ZOOMS = (2, 3, 6)  # times the usual input, for large photos: the network is fully convolutional
FINEST = 0.3  # input pixels a photo pixel that are enough: a hand of 150 px is 45 px to the network
BATCH = 8
Found = tuple[np.ndarray, np.ndarray, np.ndarray]  # scores (N,), boxes (N, 4), points (N, 7, 2), photo pixels


@dataclass(frozen=True, eq=False)
class Palm:
    """A detected palm.

    score: 0..1. box: x0, y0, x1, y1 in photo pixels round the palm (nearly square). points: (7, 2) photo pixels: wrist,
    knuckles of index, middle, ring and little finger, the thumb's two lower joints.
    """

    score: float
    box: tuple[float, float, float, float]
    points: np.ndarray


class PalmDetector:
    """MediaPipe's palm detector with its own weights. Deterministic; one instance can serve many photos."""

    def __init__(self) -> None:
        self.network = PalmNetwork()
        load_weights(self.network, files("annotator.vision") / "weights" / PALM_WEIGHTS)
        self.network.eval()

    def detect(self, photo: np.ndarray, threshold: float = 0.5) -> list[Palm]:
        """Palms in a photo (H, W, 3) uint8, best first.

        The whole photo at 192 px and, if it is large, at up to 1,152 px (hands of 150 px in a photo of 4,000 are
        found). If nothing is found: finer, from farther away (a hand that fills the photo), and turned.
        """
        height, width = photo.shape[:2]
        longer = max(height, width)
        whole = Crop((width - 1) / 2, (height - 1) / 2, longer)
        usual = [m for m in ZOOMS if m * INPUT <= longer * FINEST]
        found = _merge([self._look(photo, [whole], m * INPUT, threshold) for m in (1, *usual)])
        if not found:
            farther = Crop(whole.cx, whole.cy, 1.6 * whole.size)
            turned = [view.turned(k * math.pi / 2) for view in (whole, farther) for k in range(4)]
            finer = [m for m in ZOOMS if m not in usual and m * INPUT <= longer]
            looks = [self._look(photo, [whole], m * INPUT, threshold) for m in finer]
            found = _merge([*looks, self._look(photo, turned, INPUT, threshold)])
        return found

    def detect_in(self, photo: np.ndarray, views: Sequence[Crop], threshold: float = 0.5) -> list[Palm]:
        """Palms seen in any of these square views of a photo, best first; one palm seen twice is returned once.

        Each view is looked at, at 192 px, as it is and mirrored. A view's rotation turns what the network sees.
        """
        return _merge([self._look(photo, views, INPUT, threshold)])

    def _look(self, photo: np.ndarray, views: Sequence[Crop], pixels: int, threshold: float) -> Found:
        """What the network says of views of a photo at `pixels` px a side (a multiple of 32), before merging."""
        anchors = _anchors(pixels)
        parts = [(np.zeros(0), np.zeros((0, 4)), np.zeros((0, 7, 2)))]
        for start in range(0, len(views), BATCH):
            batch = list(views[start : start + BATCH])
            pictures = extract_all(photo, batch, pixels)
            batch += [view.flipped() for view in batch]
            with torch.inference_mode():
                raw, logits = self.network(torch.cat([pictures, pictures.flip(-1)]))
            for view, rows, values in zip(batch, raw.double().numpy(), logits.double().numpy(), strict=True):
                score = 1 / (1 + np.exp(-np.clip(values, -100, 100)))
                kept = np.flatnonzero(score >= threshold)
                places = rows[kept].reshape(-1, 9, 2)  # centre, size, seven points; pixels from the outer corner
                places[:, 0] += anchors[kept]
                places[:, 2:] += anchors[kept, None]
                to_photo = view.to_photo(places * (CROP_SIZE / pixels) - 0.5)
                half = places[:, 1] * (view.size / pixels / 2)
                boxes = np.concatenate([to_photo[:, 0] - half, to_photo[:, 0] + half], axis=1)
                parts.append((score[kept], boxes, to_photo[:, 2:]))
        return tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))


def overlap(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Intersection over union of one box (4,) with each of boxes (N, 4); x0, y0, x1, y1."""
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[2:], boxes[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1)
    area = np.prod(np.clip(box[2:] - box[:2], 0, None))
    return shared / np.maximum(area + areas - shared, 1e-12)


def _merge(looks: Sequence[Found]) -> list[Palm]:
    """Weighted non-maximum suppression: what overlaps the best box is averaged with it, weighted by score."""
    scores, boxes, points = (np.concatenate(arrays) for arrays in zip(*looks, strict=True))
    remaining = np.argsort(-scores, kind="stable")
    palms = []
    while len(remaining):
        best = remaining[0]
        same = overlap(boxes[best], boxes[remaining]) > OVERLAP
        same[0] = True
        group, remaining = remaining[same], remaining[~same]
        weights = scores[group] / scores[group].sum()
        box = tuple(float(v) for v in weights @ boxes[group])
        palms.append(Palm(float(scores[best]), box, np.tensordot(weights, points[group], 1)))
    return palms


@lru_cache(maxsize=8)
def _anchors(pixels: int) -> np.ndarray:
    """(N, 2) anchor centres in pixels: two on each cell of 8 px, then six on each of 16 px (2,016 at 192 px)."""
    rows = []
    for cell, each in ((8, 2), (16, 6)):
        middle = (np.arange(pixels // cell) + 0.5) * cell
        y, x = np.meshgrid(middle, middle, indexing="ij")
        rows.append(np.repeat(np.stack([x, y], -1).reshape(-1, 2), each, axis=0))
    return np.concatenate(rows)
