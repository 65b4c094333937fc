"""Frames, tracks and their jitter."""

from __future__ import annotations

import numpy as np

from annotator.tracking import Frame


def rooted(joints: np.ndarray) -> np.ndarray:
    return joints - joints[:, :1]


def jitter(joints: np.ndarray) -> np.ndarray:
    """(T - 2, 21) mm."""
    return 1000 * np.linalg.norm(np.diff(rooted(joints), 2, axis=0), axis=-1)


def frames_of(photos, seconds) -> list[Frame]:
    return [Frame(k, float(t), photo) for k, (t, photo) in enumerate(zip(seconds, photos, strict=True))]


def longest(tracks):
    return max(tracks, key=len)
