"""The mesh as a picture with transparency, and where it lies on the photo; without napari.

A renderer on the processor (`annotator.vision.drawing.overlay`) is exact about what hides what, which a translucent
surface layer in two dimensions is not.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from annotator.hand.mesh import HandMesh
from annotator.vision.drawing.overlay import COLOUR, heat, shade
from annotator.vision.drawing.window import Window

# The picture's square has room round the hand, so that it can stay where it is while a finger is dragged:
# napari takes five times longer for a layer that moves than for one whose pixels change.
MARGIN, PIXELS = 1.5, 320
STYLES = ("filled", "outline", "wireframe", "off")
RIM = 2  # px of the picture: width of an outline
CERTAIN, UNCERTAIN = 0.002, 0.012  # m: sigma of a vertex that is drawn blue, and red


def vertex_colours(hand: HandMesh) -> np.ndarray:
    """(V, 3): blue where the mesh is sure of itself, red where it is not."""
    return heat(hand.vertex_sigma, CERTAIN, UNCERTAIN)


def window_of(hand: HandMesh, current: Window | None = None) -> Window:
    """The square of the photo that the picture is of: `current` if the mesh is inside, else one round the
    mesh."""
    points = hand.vertices @ hand.camera.T
    points = points[:, :2] / np.maximum(points[:, 2:], 1e-6)
    if current is not None:
        corner = np.array([current.left, current.top])
        if (points > corner).all() and (points < corner + current.size).all():
            return current
    return Window.around(points, MARGIN, PIXELS)


def mesh_picture(
    hand: HandMesh, window: Window, by_uncertainty: bool = False, smooth: bool = True, style: str = STYLES[0]
) -> np.ndarray:
    """The shaded mesh on nothing: (n, n, 4) uint8, n = window.pixels. Its antialiased rim blends into black:
    a thin dark outline. smooth as in `overlay.shade`; style: one of `STYLES`."""
    if style == "off":
        return np.zeros((window.pixels, window.pixels, 4), np.uint8)
    if style == "wireframe":
        return _wires(hand, window)
    colour = vertex_colours(hand) if by_uncertainty else COLOUR
    black = np.zeros((window.pixels, window.pixels, 3), np.uint8)
    picture = shade(hand.vertices, hand.faces, window.matrix @ hand.camera, black, 1.0, colour, smooth)
    seen = picture.any(2)
    if style == "outline":
        inner = seen.copy()
        for axis in (0, 1):
            for by in (-RIM, RIM):
                inner &= np.roll(seen, by, axis)
        seen &= ~inner
    return np.dstack([picture, np.where(seen, 255, 0).astype(np.uint8)])


def _wires(hand: HandMesh, window: Window) -> np.ndarray:
    """The edges of the faces that look to the camera."""
    points = hand.vertices @ (window.matrix @ hand.camera).T
    points = points[:, :2] / np.maximum(points[:, 2:], 1e-6)
    a, b, c = np.moveaxis(points[hand.faces], 1, 0)
    facing = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0] < 0  # counter-clockwise from outside, y down
    corners = hand.faces[facing]
    edges = np.unique(np.sort(np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]]), 1), axis=0)
    image = Image.new("RGBA", (window.pixels, window.pixels))
    draw = ImageDraw.Draw(image)
    colour = (*(int(255 * part) for part in COLOUR), 255)
    for ends in points[edges].reshape(-1, 4).tolist():
        draw.line(ends, fill=colour)
    return np.array(image)


def affine_of(window: Window) -> np.ndarray:
    """(3, 3): (row, column) of the picture to (row, column) of the photo, homogeneous."""
    x_first = np.linalg.inv(window.matrix)
    return x_first[np.ix_([1, 0, 2], [1, 0, 2])]
