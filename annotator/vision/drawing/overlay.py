"""Meshes on photos: shaded, rightly occluded, translucent; and the same mesh seen from another side.

Software only: a z-buffer (`vision.drawing.raster`), smooth normals, two lights and a darkened rim, which keeps
fingers apart that lie in front of each other.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from annotator.errors import InputError
from annotator.hand.normals import vertex_normals
from annotator.vision.drawing.raster import rasterise

COLOUR = (0.45, 0.68, 0.93)  # a light blue: no skin has it
INSIDE = (0.55, 0.42, 0.42)  # the inner side of an open mesh
GREY = 235
# directions towards the lights, camera axes (x right, y down, z forward): one from above left, one from the
# right
LIGHTS = ((np.array([-0.48, -0.66, -0.58]), 0.62), (np.array([0.75, 0.2, -0.65]), 0.32))
AMBIENT = 0.40
SMOOTHED_UP_TO = 1_500_000  # pixels of the drawn part; larger ones are drawn without oversampling
HEAT = np.array([(0.17, 0.34, 0.70), (0.26, 0.68, 0.68), (0.95, 0.88, 0.45), (0.93, 0.50, 0.22), (0.72, 0.10, 0.16)])


def shade(
    vertices: np.ndarray,
    faces: np.ndarray,
    K: np.ndarray,
    picture: np.ndarray | tuple[int, int],
    opacity: float = 0.85,
    colour: tuple[float, float, float] | np.ndarray = COLOUR,
    smooth: bool = True,
) -> np.ndarray:
    """A mesh over a picture: (H, W, 3) uint8, a new array.

    vertices (V, 3) m, camera frame (x right, y down, z forward); faces (F, 3), counter-clockwise from
    outside; K (3, 3) of the picture's own pixels. picture: a photo (H, W, 3) uint8, or (height, width) for a
    light grey ground. opacity 0..1. colour: RGB 0..1, one (3,) for all or one (V, 3) for each vertex (see
    `heat`). smooth: drawn with four samples a pixel; False: with one, in half the time, for what changes in a moment.
    InputError for arrays of another shape or NaN.
    """
    vertices, faces = _checked(vertices, faces)
    if isinstance(picture, tuple):
        picture = np.full((*picture, 3), GREY, np.uint8)
    result = np.array(picture)
    if result.ndim != 3 or result.shape[2] != 3 or result.dtype != np.uint8:
        raise InputError(f"picture is {result.dtype} {result.shape}, expected uint8 (height, width, 3)")
    colour = np.asarray(colour, np.float64)
    if colour.shape not in ((3,), vertices.shape):
        raise InputError(f"colour has shape {colour.shape}, expected (3,) or {vertices.shape}")

    points = vertices @ np.asarray(K, np.float64).T
    points = points[:, :2] / np.maximum(points[:, 2:], 1e-6)
    ahead = vertices[:, 2] > 0
    if not ahead.any():
        return result
    height, width = result.shape[:2]
    low = np.floor(np.clip(points[ahead].min(0) - 1, 0, (width, height))).astype(int)
    high = np.ceil(np.clip(points[ahead].max(0) + 2, 0, (width, height))).astype(int)
    columns, rows = np.maximum(high - low, 0)
    if rows == 0 or columns == 0:
        return result
    fine = 2 if smooth and rows * columns * 4 <= SMOOTHED_UP_TO else 1
    # a pixel becomes fine x fine: its centre x lies at fine * (x + 0.5) - 0.5
    places = (points - low + 0.5) * fine - 0.5
    seen = rasterise(places, vertices[:, 2], faces, rows * fine, columns * fine, inside=not is_closed(faces))
    outer, inner = _lit(vertices, faces, colour)
    light = seen.interpolate(255 * outer, faces)
    if not seen.front.all():
        light[:, ~seen.front] = seen.interpolate(255 * inner, faces)[:, ~seen.front]

    layer = np.zeros((4, rows * fine * columns * fine), np.float32)
    pixels = seen.rows * (columns * fine) + seen.columns
    for channel in range(3):
        layer[channel, pixels] = light[channel]
    layer[3, pixels] = 1.0
    layer = layer.reshape(4, rows * fine, columns * fine)
    parts: Any = (layer[:, i::fine, j::fine] for i in range(fine) for j in range(fine))
    layer = sum(parts) * np.float32(opacity / fine**2)
    part = result[low[1] : high[1], low[0] : high[0]]
    rest = 1 - layer[3]
    for channel in range(3):
        part[..., channel] = np.clip(part[..., channel] * rest + (layer[channel] + 0.5), 0, 255)  # rounds: all >= 0
    return result


def orbit(
    vertices: np.ndarray,
    faces: np.ndarray,
    angle: float = 90.0,
    size: int = 320,
    colour: tuple[float, float, float] | np.ndarray = COLOUR,
) -> np.ndarray:
    """The same mesh from another side: (size, size, 3) uint8 on light grey.

    The viewer walks round the mesh, `angle` degrees to the right (counter-clockwise seen from above), at eye
    level; at 0 it is seen as the camera sees it, but centred. vertices (V, 3) m, camera frame; colour as in
    `shade`.
    """
    vertices, faces = _checked(vertices, faces)
    turned, K = turn(vertices, angle, size)
    return shade(turned, faces, K, (size, size), 1.0, colour)


def turn(
    vertices: np.ndarray, angle: float, size: int, about: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(vertices, K) of `orbit`'s view: the points turned and set before a camera that shows them all in size
    x size px.

    about (V, 3): the mesh the view is made for, if the points are not that mesh itself but, say, its joints.
    """
    about = vertices if about is None else about
    middle = (about.min(0) + about.max(0)) / 2
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    rotation = np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])
    reach = np.linalg.norm(about - middle, axis=1).max()
    away = 6.0 * reach  # far enough that a finger toward the viewer does not swell
    focal = 0.46 * size * away / reach
    K = np.array([[focal, 0.0, (size - 1) / 2], [0.0, focal, (size - 1) / 2], [0.0, 0.0, 1.0]])
    return (vertices - middle) @ rotation.T + (0.0, 0.0, away), K


def heat(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Colours (N, 3) 0..1 for values (N,): from blue at `low` through yellow to red at `high`."""
    place = np.clip((np.asarray(values, np.float64) - low) / (high - low), 0, 1) * (len(HEAT) - 1)
    return np.stack([np.interp(place, np.arange(len(HEAT)), HEAT[:, c]) for c in range(3)], axis=1)


def is_closed(faces: np.ndarray) -> bool:
    """Whether each edge has two faces that run through it in opposite ways: no inner side shows."""
    return _is_closed(np.asarray(faces, np.int64).tobytes())


@lru_cache(maxsize=32)  # the same hand is drawn many times a second
def _is_closed(faces: bytes) -> bool:
    corners = np.frombuffer(faces, np.int64).reshape(-1, 3)
    ends = np.concatenate([corners, np.roll(corners, -1, 1)]).reshape(2, -1)
    count = int(corners.max(initial=0)) + 1
    return np.array_equal(np.sort(ends[0] * count + ends[1]), np.sort(ends[1] * count + ends[0]))


def _lit(vertices: np.ndarray, faces: np.ndarray, colour: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colours (V, 3) of the vertices under the lights, seen from outside and from inside."""
    normal = vertex_normals(vertices, faces)
    sight = vertices / np.maximum(np.linalg.norm(vertices, axis=1, keepdims=True), 1e-12)
    colours = []
    for outward, base in ((normal, colour), (-normal, np.array(INSIDE))):
        light = np.full(len(vertices), AMBIENT)
        for direction, strength in LIGHTS:
            light += strength * np.clip(outward @ (direction / np.linalg.norm(direction)), 0, None)
        light *= 0.5 + 0.6 * np.clip(-(outward * sight).sum(1), 0, 1)
        colours.append(np.clip(base * light[:, None], 0, 1))
    return colours[0], colours[1]


def _checked(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    vertices, faces = np.asarray(vertices, np.float64), np.asarray(faces)
    if vertices.ndim != 2 or vertices.shape[1] != 3:
        raise InputError(f"vertices have shape {vertices.shape}, expected (V, 3)")
    if faces.ndim != 2 or faces.shape[1] != 3 or faces.dtype.kind not in "iu":
        raise InputError(f"faces are {faces.dtype} {faces.shape}, expected whole numbers (F, 3)")
    if not np.isfinite(vertices).all():
        raise InputError("vertices hold values that are not finite")
    if faces.size and (faces.min() < 0 or faces.max() >= len(vertices)):
        raise InputError("faces name vertices that do not exist")
    return vertices, faces
