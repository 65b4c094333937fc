"""Which keypoints the camera sees, by the hand's own mesh: a fingertip behind the fist is hidden."""

from __future__ import annotations

import numpy as np

from annotator.vision.camera import project
from annotator.vision.drawing.raster import rasterise
from annotator.vision.drawing.window import Window

PIXELS = 160  # of the depth picture: about 1.5 mm a pixel
# m: a joint lies up to this deep under the surface in front of it (a palm is 25-30 mm thick); the thumb's
# base, under the ball of the thumb, can lie deeper and then counts as hidden
UNDER_SKIN = 0.020


def in_sight(vertices: np.ndarray, faces: np.ndarray, joints: np.ndarray, K: np.ndarray) -> np.ndarray:
    """(N,) bool: whether a joint lies just under the surface that the camera sees at its place.

    vertices (V, 3) and joints (N, 3) in m, camera frame; faces (F, 3); K (3, 3). Only the mesh itself hides
    joints: other things in the photo are not known here. A joint beside the mesh, or behind the camera,
    counts as seen.
    """
    ahead = vertices[vertices[:, 2] > 0]
    if not len(ahead):
        return np.ones(len(joints), bool)
    window = Window.around(project(ahead, K), 1.05, PIXELS, least=1e-3)
    camera = window.matrix @ K
    seen = rasterise(project(vertices, camera), vertices[:, 2], faces, PIXELS, PIXELS)
    nearest = np.full((PIXELS, PIXELS), np.inf)
    nearest[seen.rows, seen.columns] = seen.depth
    x, y = np.rint(project(joints, camera)).T
    inside = (x >= 0) & (y >= 0) & (x < PIXELS) & (y < PIXELS) & (joints[:, 2] > 0)
    column, row = (np.where(inside, value, 0).astype(int) for value in (x, y))
    return ~inside | (joints[:, 2] - nearest[row, column] < UNDER_SKIN)
