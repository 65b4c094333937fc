"""Keypoints on photos: a skeleton of smooth lines and discs, rings and arrows for corrections."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from annotator.hand.joints import BONES
from annotator.hand.topology import HAND

# one colour a finger, thumb to little, told apart by people with the common colour blindnesses (after Okabe
# and Ito)
FINGER_COLOURS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (214, 96, 160))
WRIST_COLOUR = (250, 250, 250)
KEYPOINT_COLOURS = tuple(WRIST_COLOUR if finger < 0 else FINGER_COLOURS[finger] for finger in HAND.finger_of)
DARK = (20, 20, 20)


def draw_skeleton(
    picture: np.ndarray,
    keypoints: np.ndarray,
    width: float = 2.0,
    colours=KEYPOINT_COLOURS,
    opacity: float = 1.0,
) -> np.ndarray:
    """A new picture (H, W, 3) uint8 with the 20 bones and 21 keypoints (21, 2) px drawn on it.

    width: of a bone, px; colours: 21 RGB colours (0..255), a bone has that of its farther keypoint.
    """
    result = np.array(picture)
    for a, b in BONES:
        _stroke(result, keypoints[a], keypoints[b], width / 2 + 0.8, DARK, 0.55 * opacity)
        _stroke(result, keypoints[a], keypoints[b], width / 2, colours[b], opacity)
    for place, colour in zip(keypoints, colours, strict=True):
        _stroke(result, place, place, width + 0.8, DARK, 0.7 * opacity)
        _stroke(result, place, place, width, colour, opacity)
    return result


def draw_rings(
    picture: np.ndarray, points: Iterable, radius: float, colour=(230, 30, 40), width: float = 2.0
) -> np.ndarray:
    """A new picture with a ring round each point (x, y) px."""
    result = np.array(picture)
    for point in points:
        _paint(
            result,
            point,
            point,
            radius + width + 2,
            lambda d: _cover(np.abs(d - radius), width / 2 + 0.9),
            (255,) * 3,
            0.9,
        )
        _paint(result, point, point, radius + width, lambda d: _cover(np.abs(d - radius), width / 2), colour, 1.0)
    return result


def draw_arrow(picture: np.ndarray, start, end, colour=(230, 30, 40), width: float = 2.0) -> np.ndarray:
    """A new picture with an arrow from start to end (x, y) px; under 3 px it has no head."""
    result = np.array(picture)
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    length = float(np.linalg.norm(end - start))
    strokes = [(start, end)]
    if length > 3:
        along = (end - start) / length
        across = np.array([-along[1], along[0]])
        head = min(4 * width, length / 2)
        strokes += [(end, end - head * (along + 0.6 * across)), (end, end - head * (along - 0.6 * across))]
    for a, b in strokes:
        _stroke(result, a, b, width / 2 + 0.9, (255, 255, 255), 0.9)
    for a, b in strokes:
        _stroke(result, a, b, width / 2, colour, 1.0)
    return result


def _stroke(picture: np.ndarray, start, end, radius: float, colour, opacity: float) -> None:
    _paint(picture, start, end, radius, lambda distance: _cover(distance, radius), colour, opacity)


def _cover(distance: np.ndarray, radius: float) -> np.ndarray:
    """How much of a pixel at this distance from a stroke's middle line is covered."""
    return np.clip(radius + 0.5 - distance, 0, 1)


def _paint(picture: np.ndarray, start, end, reach: float, cover, colour, opacity: float) -> None:
    """Blend `colour` in place, as much as `cover(distance to the segment)` says."""
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    if not (np.isfinite(start).all() and np.isfinite(end).all()):
        return
    size = np.array(picture.shape[1::-1])
    low = np.clip(np.floor(np.minimum(start, end) - reach - 1), 0, size).astype(int)
    high = np.clip(np.ceil(np.maximum(start, end) + reach + 2), 0, size).astype(int)
    if (high <= low).any():
        return
    x, y = np.arange(low[0], high[0])[None, :], np.arange(low[1], high[1])[:, None]
    step = end - start
    length = step @ step
    along = ((x - start[0]) * step[0] + (y - start[1]) * step[1]) / length if length > 0 else np.zeros(1)
    along = np.clip(along, 0, 1)
    distance = np.hypot(x - start[0] - along * step[0], y - start[1] - along * step[1])
    alpha = (cover(distance) * opacity)[..., None]
    part = picture[low[1] : high[1], low[0] : high[0]]
    part[:] = np.rint(part * (1 - alpha) + np.asarray(colour) * alpha).astype(np.uint8)
