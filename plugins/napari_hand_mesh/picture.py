"""The mesh as a picture with transparency, and where it lies on the photo; without napari.

A renderer on the processor (`annotator.vision.overlay`) is exact about what hides what, which a translucent surface layer
in two dimensions is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotator.hand.mesh import HandMesh
from annotator.vision.overlay import COLOUR, heat, shade
from annotator.vision.window import Window

MARGIN = 1.08
LIVE, FINE = 160, 352  # px a side while dragging and at rest
CERTAIN, UNCERTAIN = 0.002, 0.012  # m: sigma of a vertex that is drawn blue, and red


@dataclass(frozen=True, eq=False)
class MeshPicture:
    """rgba (n, n, 4) uint8; scale: photo px a picture px; corner: photo (row, column) of its first pixel's centre."""

    rgba: np.ndarray
    scale: float
    corner: tuple[float, float]


def vertex_colours(hand: HandMesh) -> np.ndarray:
    """(V, 3): blue where the mesh is sure of itself, red where it is not."""
    return heat(hand.vertex_sigma, CERTAIN, UNCERTAIN)


def mesh_picture(hand: HandMesh, pixels: int = FINE, by_uncertainty: bool = False) -> MeshPicture:
    """The shaded mesh on nothing, `pixels` a side. Its antialiased rim blends into black: a thin dark outline."""
    places = hand.vertices @ hand.camera.T
    window = Window.around(places[:, :2] / np.maximum(places[:, 2:], 1e-6), MARGIN, pixels)
    colour = vertex_colours(hand) if by_uncertainty else COLOUR
    black = np.zeros((pixels, pixels, 3), np.uint8)
    picture = shade(hand.vertices, hand.faces, window.matrix @ hand.camera, black, 1.0, colour)
    rgba = np.dstack([picture, np.where(picture.any(axis=2), 255, 0).astype(np.uint8)])
    scale = window.size / pixels
    half = 0.5 * scale - 0.5
    return MeshPicture(rgba, scale, (window.top + half, window.left + half))
