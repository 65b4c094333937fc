"""Joints from two calibrated cameras: undistortion, triangulation, and how far to believe it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class CalibratedView:
    """A calibrated camera: K (3, 3); distortion (5,) k1 k2 p1 p2 k3 (Brown-Conrady, as OpenCV); world -> camera R,
    t."""

    K: np.ndarray
    distortion: np.ndarray
    R: np.ndarray
    t: np.ndarray

    def undistort(self, pixels: np.ndarray, iterations: int = 12) -> np.ndarray:
        """(N, 2) photo px -> (N, 2) ideal photo px, by fixed-point iteration."""
        wanted = (pixels - self.K[:2, 2]) / self.K[[0, 1], [0, 1]]
        xy = wanted.copy()
        for _ in range(iterations):
            xy = wanted - (self._bend(xy) - xy)
        return xy * self.K[[0, 1], [0, 1]] + self.K[:2, 2]

    def _bend(self, xy: np.ndarray) -> np.ndarray:
        k1, k2, p1, p2, k3 = self.distortion
        x, y = xy.T
        r = x * x + y * y
        radial = 1 + r * (k1 + r * (k2 + r * k3))
        return np.stack(
            [x * radial + 2 * p1 * x * y + p2 * (r + 2 * x * x), y * radial + p1 * (r + 2 * y * y) + 2 * p2 * x * y], 1
        )

    def project(self, world: np.ndarray) -> np.ndarray:
        """(N, 3) world -> (N, 2) ideal photo px."""
        camera = world @ self.R.T + self.t
        image = camera @ self.K.T
        return image[:, :2] / image[:, 2:]

    def to_camera(self, world: np.ndarray) -> np.ndarray:
        return world @ self.R.T + self.t


def triangulate(views: list[CalibratedView], pixels: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Linear triangulation (Hartley and Zisserman, DLT) and two Gauss-Newton steps on the reprojection error.

    pixels: for each view (N, 2) ideal px. Returns points (N, 3) in the world and the largest reprojection error (N,)
    px.
    """
    count = len(pixels[0])
    points = np.empty((count, 3))
    matrices = [view.K @ np.column_stack([view.R, view.t]) for view in views]
    for i in range(count):
        rows = [p[i, k] * M[2] - M[k] for M, p in zip(matrices, pixels, strict=True) for k in (0, 1)]
        rows = [row / np.linalg.norm(row) for row in rows]
        x = np.linalg.svd(np.stack(rows))[2][-1]
        x = x[:3] / x[3]
        for _ in range(2):
            jacobian, residual = [], []
            for M, p in zip(matrices, pixels, strict=True):
                h = M @ np.append(x, 1)
                residual.append(h[:2] / h[2] - p[i])
                jacobian.append((M[:2, :3] - np.outer(h[:2] / h[2], M[2, :3])) / h[2])
            x = x - np.linalg.lstsq(np.concatenate(jacobian), np.concatenate(residual), rcond=None)[0]
        points[i] = x
    errors = np.stack([np.linalg.norm(v.project(points) - p, axis=1) for v, p in zip(views, pixels, strict=True)])
    return points, errors.max(0)
