"""A depth image in a window round a hand, beside what the hand's mesh shows there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt

from annotator.hand.mesh import HandMesh
from annotator.vision.camera import project
from annotator.vision.drawing.raster import Raster, rasterise
from annotator.vision.drawing.window import Window
from annotator.vision.images.depth_images import DepthImage

PIXELS = 160  # of the window that the hand is compared in: about 1.5 mm a pixel
ROOM = 1.35  # of the hand's extent, the window takes
HOLE = 2.0  # px of the window, or 1.5 of the photo: so far from a measurement a hole has the same


@dataclass(frozen=True, eq=False)
class DepthWindow:
    """PIXELS x PIXELS pixels round a hand.

    depth (P, P) m: measured; 0 where nothing was; points (P, P, 3) m: what was measured, camera frame; places (V, 2)
    px of the window: the mesh's vertices; seen: the mesh's visible surface; back (3, 3): pixels of the window to rays.
    """

    depth: np.ndarray
    points: np.ndarray
    places: np.ndarray
    seen: Raster
    back: np.ndarray

    @classmethod
    def around(cls, hand: HandMesh, image: DepthImage) -> DepthWindow:
        """The hand's photo and the image share their pixels."""
        window = Window.around(hand.keypoints, ROOM, PIXELS)
        camera = window.matrix @ hand.camera
        back = np.linalg.inv(camera)
        rows, columns = np.mgrid[:PIXELS, :PIXELS]
        rays = np.stack([columns, rows, np.ones_like(rows)], axis=-1).reshape(-1, 3) @ back.T
        at = np.rint(project(rays, hand.camera)).astype(int)
        height, width = image.size
        inside = (at[:, 0] >= 0) & (at[:, 1] >= 0) & (at[:, 0] < width) & (at[:, 1] < height)
        measured = np.zeros(PIXELS * PIXELS)
        measured[inside] = image.depth[at[inside, 1], at[inside, 0]]
        depth = _filled(measured.reshape(PIXELS, PIXELS), max(HOLE, 1.5 * window.matrix[0, 0]))
        depth *= inside.reshape(PIXELS, PIXELS)
        places = project(hand.vertices, camera)
        seen = rasterise(places, hand.vertices[:, 2], hand.faces, PIXELS, PIXELS)
        return cls(depth, rays.reshape(PIXELS, PIXELS, 3) * depth[..., None], places, seen, back)

    @property
    def shown(self) -> np.ndarray:
        """(P, P) m: how far away the mesh's surface is; infinite beside it."""
        shown = np.full((PIXELS, PIXELS), np.inf)
        shown[self.seen.rows, self.seen.columns] = self.seen.depth
        return shown


def _filled(depth: np.ndarray, reach: float) -> np.ndarray:
    """Single pixels that a camera left out have what lies beside them."""
    if depth.all() or not depth.any():
        return depth
    far, (rows, columns) = distance_transform_edt(depth == 0, return_indices=True)
    return np.where(far <= reach, depth[rows, columns], 0.0)
