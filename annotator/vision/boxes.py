"""Boxes in a photo: x0, y0, x1, y1 px."""

from __future__ import annotations

import numpy as np


def bounds(points: np.ndarray) -> np.ndarray:
    """The box (4,) that touches points (N, 2)."""
    return np.concatenate([points.min(0), points.max(0)])


def overlap(box, boxes: np.ndarray) -> np.ndarray:
    """Intersection over union of one box (4,) with each of boxes (N, 4); 0 for boxes without an area."""
    box = np.asarray(box, np.float64)
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[2:], boxes[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1)
    area = np.prod(np.clip(box[2:] - box[:2], 0, None))
    return shared / np.maximum(area + areas - shared, 1e-12)
