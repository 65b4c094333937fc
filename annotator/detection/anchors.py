"""The answers of single-shot detectors: rows at anchors, each a centre, a size and points, all relative to the anchor.

The detectors of palms and of bodies are of this kind (SSD; Liu et al. 2016, arXiv 1512.02325).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from annotator.vision.boxes import overlap
from annotator.vision.crops import CROP_SIZE, Crop

SAME = 0.3  # intersection over union above which two boxes are one
EDGE = 0.01  # of a view: how far what is found may reach out of it

Cells = tuple[tuple[int, int], ...]  # of a network's maps: px a cell, anchors in it
Seen = tuple[np.ndarray, np.ndarray, np.ndarray]  # scores (N,), boxes (N, 4), points (N, P, 2), photo pixels
Told = tuple[float, tuple[float, float, float, float], np.ndarray]  # score, box, points of one


@functools.lru_cache(maxsize=40)
def anchors(height: int, width: int, cells: Cells) -> np.ndarray:
    """(A, 2) px: the anchors' middles in a picture, map by map, row by row."""
    rows = []
    for cell, each in cells:
        y, x = np.meshgrid(
            (np.arange(height // cell) + 0.5) * cell, (np.arange(width // cell) + 0.5) * cell, indexing="ij"
        )
        rows.append(np.repeat(np.stack([x, y], -1).reshape(-1, 2), each, axis=0))
    return np.concatenate(rows)


def likely(
    scores: np.ndarray, rows: np.ndarray, threshold: float, middles: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which of a network's answers (A,), (A, 2 * (2 + P)) at anchors with these middles (A, 2) count, (N,), and their
    centre, size and points, (N, 2 + P, 2) px of the picture."""
    kept = np.flatnonzero(scores >= threshold)
    places = rows[kept].astype(np.float64).reshape(len(kept), rows.shape[1] // 2, 2)
    places[:, 0] += middles[kept]
    places[:, 2:] += middles[kept, None]
    return kept, places


def in_view(
    view: Crop,
    pixels: int,
    shape: tuple[int, ...],
    scores: np.ndarray,
    rows: np.ndarray,
    threshold: float,
    cells: Cells,
) -> Seen:
    """What is whole in a network's answer (A,), (A, 2 * (2 + P)) to a square view, shown at so many px, of a photo of
    this shape. What a view's edge cuts while the photo goes on is left out: a half of one looks like another."""
    kept, places = likely(scores, rows, threshold, anchors(pixels, pixels, cells))
    places /= pixels  # shares of the view
    whole = ~_cut(places, view, shape)
    kept, places = kept[whole], places[whole]
    to_photo = view.to_photo(places * CROP_SIZE - 0.5)
    half = places[:, 1] * view.size / 2
    boxes = np.concatenate([to_photo[:, 0] - half, to_photo[:, 0] + half], axis=1)
    return scores[kept], boxes, to_photo[:, 2:]


def _cut(places: np.ndarray, view: Crop, shape: tuple[int, ...]) -> np.ndarray:
    """(N,) whether a box (places[:, 0] centre, [:, 1] size; shares of the view) is cut by its edge."""
    signs = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    corners = places[:, None, 0] + signs * places[:, None, 1]  # (N, 4, 2)
    beyond = ((corners < -EDGE) | (corners > 1 + EDGE)).any(-1)
    x, y = np.moveaxis(view.to_photo(corners * CROP_SIZE - 0.5), -1, 0)
    in_photo = (x >= 0) & (x <= shape[1] - 1) & (y >= 0) & (y <= shape[0] - 1)
    return (beyond & in_photo).any(1)


def merged(seen: Sequence[Seen]) -> list[Told]:
    """Weighted non-maximum suppression: what overlaps the best box is averaged with it, weighted by score."""
    if not seen:
        return []
    scores, boxes, points = (np.concatenate(part) for part in zip(*seen, strict=True))
    remaining = np.argsort(-scores, kind="stable")
    answers: list[Told] = []
    while len(remaining):
        best = remaining[0]
        same = overlap(boxes[best], boxes[remaining]) > SAME
        same[0] = True
        group, remaining = remaining[same], remaining[~same]
        weights = scores[group] / scores[group].sum()
        x0, y0, x1, y1 = (float(v) for v in weights @ boxes[group])
        answers.append((float(scores[best]), (x0, y0, x1, y1), np.tensordot(weights, points[group], 1)))
    return answers
