"""A camera as the solver sees it: crop units, right hands only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEAREST = 0.02  # m: points nearer than this project as if they were here, so that no step divides by nothing


@dataclass(frozen=True, eq=False)
class SolverCamera:
    """Projects points (N,3) m of the solver's frame to pixels (N,2) of any unit: u = K (R X + t),
    dehomogenised.

    The solver's frame is the photo's camera frame, for a left hand its mirror image (x -> -x), where the hand
    is a right one. matrix (3,3) and shift (3,) hold K R and K t.
    """

    matrix: np.ndarray
    shift: np.ndarray

    @staticmethod
    def of(
        K: np.ndarray, scale: float, mirrored: bool, R: np.ndarray | None = None, t: np.ndarray | None = None
    ) -> SolverCamera:
        """The view of intrinsics K (3,3) px with pixels scaled by `scale`, mirrored for a left hand; R, t as
        above.
        """
        matrix = np.diag([scale, scale, 1.0]) @ np.asarray(K, dtype=np.float64)
        shift = matrix @ t if t is not None else np.zeros(3)
        matrix = matrix @ R if R is not None else matrix
        if mirrored:  # x -> -x in the world and in the picture
            mirror = np.array([-1.0, 1.0, 1.0])
            matrix, shift = mirror[:, None] * matrix * mirror, mirror * shift
        return SolverCamera(matrix, shift)

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points (N,3) m -> pixels (N,2) and depths (N,1) m."""
        image = points @ self.matrix.T + self.shift
        depth = np.maximum(image[:, 2:], NEAREST)
        return image[:, :2] / depth, depth

    def rates(self, image: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """The derivative (N,2,3) of the pixels by the points, from what `project` gave for them."""
        pixels, depth = image
        return (self.matrix[:2] - pixels[:, :, None] * self.matrix[2]) / depth[:, :, None]
