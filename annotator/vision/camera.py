"""The pinhole camera: axes x right, y down, z forward, metres; pixel centres at .0; u = fx X / Z + cx."""

from __future__ import annotations

import numpy as np

from annotator.errors import InputError

FARTHEST = 20.0  # longer sides of a photo: how far its principal point may be from its middle (a part of a large photo)


def default_camera(height: int, width: int, largest_box: float = 0.0) -> np.ndarray:
    """(3, 3) intrinsics for a photo of unknown camera.

    The focal length is 1.2 times the longer side, about that of a phone, but at least 3 times the side of the
    largest hand box, so that a hand never comes closer than about three times its own size and perspective
    stays plausible. The principal point is the photo's middle.
    """
    focal = max(1.2 * max(height, width), 3.0 * float(largest_box))
    return np.array([[focal, 0.0, (width - 1) / 2], [0.0, focal, (height - 1) / 2], [0.0, 0.0, 1.0]])


def check_camera(K, size: tuple[int, int] | None = None) -> np.ndarray:
    """A (3, 3) float64 copy of the intrinsics K. InputError unless it is a finite pinhole matrix.

    size: (height, width) px of the photo; a focal length or a middle that no camera can have had for it is refused.
    """
    try:
        matrix = np.array(K, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"camera matrix K is not numeric: {error}") from error
    if matrix.shape != (3, 3):
        raise InputError(f"camera matrix K has shape {matrix.shape}, expected (3, 3)")
    if not np.isfinite(matrix).all():
        raise InputError("camera matrix K has NaN or infinite entries")
    if matrix[0, 0] <= 0 or matrix[1, 1] <= 0:
        raise InputError(f"camera matrix K has focal lengths {matrix[0, 0]:g}, {matrix[1, 1]:g}; both must be positive")
    if matrix[1, 0] != 0 or not np.array_equal(matrix[2], (0.0, 0.0, 1.0)):
        raise InputError("camera matrix K is not of the form [[fx, s, cx], [0, fy, cy], [0, 0, 1]]")
    if size is not None:
        _check_size(matrix, *size)
    return matrix


def _check_size(K: np.ndarray, height: int, width: int) -> None:
    longer = max(height, width)
    photo = f"the {width} x {height} px photo"
    for focal in (K[0, 0], K[1, 1]):
        if not longer / 100 <= focal <= longer * 1000:
            raise InputError(f"camera matrix K has focal length {focal:g} px: not possible for {photo}")
    if abs(K[0, 1]) > K[0, 0]:
        raise InputError(f"camera matrix K has skew {K[0, 1]:g} px: not possible for {photo}")
    off = max(abs(K[0, 2] - width / 2), abs(K[1, 2] - height / 2))
    if off > FARTHEST * longer:
        raise InputError(f"camera matrix K has its middle {off:g} px from that of {photo}")


def project(points: np.ndarray, K: np.ndarray) -> np.ndarray:
    """Points (..., 3) in metres, camera frame, to photo pixels (..., 2). Depths must be positive."""
    points = np.asarray(points)
    homogeneous = points @ np.asarray(K).T
    return homogeneous[..., :2] / homogeneous[..., 2:]
