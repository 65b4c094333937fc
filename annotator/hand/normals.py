"""Which way the surface of a triangle mesh faces."""

from __future__ import annotations

import numpy as np


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Outward unit normals (V, 3), each the mean over its faces weighted by their area."""
    corner = vertices[faces]
    of_face = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    normals = np.stack(
        [np.bincount(faces.ravel(), np.repeat(of_face[:, c], 3), len(vertices)) for c in range(3)], axis=1
    )
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
