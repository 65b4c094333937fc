"""What only fills a row where a keypoint has no label."""

from __future__ import annotations

import numpy as np

from annotator.formats.conventions.remarks import remark

FILLERS = (-1.0, 0.0)  # both coordinates of a keypoint that many tools write for "none"
SAME_PLACE = 4  # labelled keypoints at exactly one place are no hand's


def at_filler(points: np.ndarray) -> np.ndarray:
    """(21,) bool: which of points (21, 2), in the numbers of the file, stand where tools put what has no label."""
    return np.any([(points == value).all(1) for value in FILLERS], axis=0)


def labelled(points: np.ndarray, claimed: np.ndarray) -> np.ndarray:
    """(21,) bool: which of the `claimed` keypoints (21, 2) are labels.

    None are: not finite; at a filler's place, (-1, -1) and (0, 0), whatever visibility stands beside; one
    place that four or more share. Each kind is remarked (`remarks`).
    """
    points, claimed = np.asarray(points, np.float64), np.asarray(claimed, bool)
    kinds = {"that are not finite": ~np.isfinite(points).all(1)}
    for value in FILLERS:
        kinds[f"at ({value:g}, {value:g})"] = (points == value).all(1)
    known = claimed.copy()
    for what, mask in kinds.items():
        remark(f"keypoint {what} taken for not labelled", int((known & mask).sum()))
        known &= ~mask
    if known.any():
        _, number, counts = np.unique(points[known], axis=0, return_inverse=True, return_counts=True)
        shared = np.zeros(len(points), bool)
        shared[known] = counts[number.ravel()] >= SAME_PLACE
        remark("keypoint at one place with three or more others taken for not labelled", int(shared.sum()))
        known &= ~shared
    return known
