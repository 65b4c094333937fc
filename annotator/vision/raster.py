"""A z-buffer in numpy: which face of a mesh is seen at each pixel, and where on that face.

Exact coverage at pixel centres, perspective-correct weights, no OpenGL. Vectorised twice: first over all rows of all
faces (spans between the edges), then over all pixels of all spans.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEAREST = 1e-4  # m: what is nearer to the camera than this, or behind it, is not drawn
EDGE = 1e-9  # px: a centre this close to an edge counts as covered, so that rounding tears no seam between two faces


@dataclass(frozen=True, eq=False)
class Raster:
    """What is seen, at N covered pixels of a picture.

    rows, columns (N,): the pixels; faces (N,): the nearest face's number; weights (N, 3): how much of each of its three
    corners (sum to one); depth (N,) m; front (N,) bool: the face shows its outside.
    """

    rows: np.ndarray
    columns: np.ndarray
    faces: np.ndarray
    weights: np.ndarray
    depth: np.ndarray
    front: np.ndarray

    def interpolate(self, values: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """Values (V, C) of the vertices -> (N, C) at the pixels."""
        corners = np.asarray(values)[faces[self.faces]]
        return np.einsum("nk,nkc->nc", self.weights, corners)


def rasterise(points: np.ndarray, depth: np.ndarray, faces: np.ndarray, height: int, width: int) -> Raster:
    """The visible surface of a mesh whose vertices are at `points` (V, 2) px and `depth` (V,) m.

    faces (F, 3), counter-clockwise from outside; both sides are drawn. Pixel centres are at whole numbers,
    0..width-1 and 0..height-1. Faces that reach nearer than NEAREST to the camera, or behind it, are left out.
    """
    faces = np.asarray(faces)
    inverse = 1.0 / np.maximum(depth, NEAREST)
    usable = (depth[faces] > NEAREST).all(1)
    corner = points[faces]  # (F, 3, 2)
    along, across = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
    area = along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0]
    usable &= np.abs(area) > 1e-12
    number = np.flatnonzero(usable)
    # y runs down, so the outside of a counter-clockwise face shows as a negative area; turn all to positive
    front = area[number] < 0
    order = np.where(front[:, None], [0, 2, 1], [0, 1, 2])
    corner = np.take_along_axis(corner[number], order[:, :, None], axis=1)
    area = np.abs(area[number])

    face, row, first, count = _spans(corner, height, width)
    # every pixel of every span
    span = np.repeat(np.arange(len(face)), count)
    x = np.arange(len(span)) - (np.cumsum(count) - count)[span] + first[span]
    # 1/depth is linear in the picture: one plane a face
    w = inverse[faces[number]]
    w = np.take_along_axis(w, order, axis=1)
    slope_x, slope_y = _planes(corner, area, w)
    at_row = w[face, 0] + slope_y[face] * (row - corner[face, 0, 1]) - slope_x[face] * corner[face, 0, 0]
    nearness = at_row[span] + slope_x[face][span] * x
    pixel = (row * width)[span] + x
    nearest = np.zeros(height * width)
    np.maximum.at(nearest, pixel, nearness)
    winner = np.flatnonzero(nearness == nearest[pixel])
    # one face a pixel: of two at the same depth (a shared edge) the later one
    seen = np.full(height * width, -1)
    seen[pixel[winner]] = winner
    shown = np.flatnonzero(seen >= 0)
    winner = seen[shown]

    at, rows, columns = face[span[winner]], shown // width, shown % width
    weights = _weights(corner[at], area[at], columns, rows) * w[at]
    weights /= weights.sum(1, keepdims=True)
    weights = np.take_along_axis(weights, order[at], axis=1)  # swapping two corners undoes itself
    return Raster(rows, columns, number[at], weights, 1.0 / nearness[winner], front[at])


def _spans(corner: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """For each row of each face (positively turned, (F, 3, 2)): face number, row, first column, number of columns."""
    top = np.clip(np.ceil(corner[:, :, 1].min(1) - EDGE), 0, height).astype(np.int64)
    bottom = np.clip(np.floor(corner[:, :, 1].max(1) + EDGE), -1, height - 1).astype(np.int64)
    rows = np.maximum(bottom - top + 1, 0)
    face = np.repeat(np.arange(len(corner)), rows)
    row = np.arange(len(face)) - np.repeat(np.cumsum(rows) - rows, rows) + top[face]
    left, right = np.full(len(face), -np.inf), np.full(len(face), np.inf)
    for k in range(3):
        start, step = corner[:, k], corner[:, (k + 1) % 3] - corner[:, k]
        dx, dy = step[face, 0], step[face, 1]
        with np.errstate(divide="ignore", invalid="ignore"):
            x = start[face, 0] + dx * ((row - start[face, 1]) / dy)
        left = np.where(dy < 0, np.maximum(left, x), left)  # an edge that runs up bounds the face on the left
        right = np.where(dy > 0, np.minimum(right, x), right)
    first = np.clip(np.ceil(left - EDGE), 0, width).astype(np.int64)
    last = np.clip(np.floor(right + EDGE), -1, width - 1).astype(np.int64)
    count = np.maximum(last - first + 1, 0)
    kept = count > 0
    return face[kept], row[kept], first[kept], count[kept]


def _planes(corner: np.ndarray, area: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slopes along x and y (F,), (F,) of the plane through a value (F, 3) at each corner (F, 3, 2)."""
    (x1, y1), (x2, y2) = (corner[:, 1] - corner[:, 0]).T, (corner[:, 2] - corner[:, 0]).T
    v1, v2 = values[:, 1] - values[:, 0], values[:, 2] - values[:, 0]
    return (v1 * y2 - v2 * y1) / area, (v2 * x1 - v1 * x2) / area


def _weights(corner: np.ndarray, area: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(N, 3) shares of the three corners (N, 3, 2) at the picture points x, y (N,)."""
    (x1, y1), (x2, y2) = (corner[:, 1] - corner[:, 0]).T, (corner[:, 2] - corner[:, 0]).T
    dx, dy = x - corner[:, 0, 0], y - corner[:, 0, 1]
    second, third = (dx * y2 - dy * x2) / area, (x1 * dy - y1 * dx) / area
    return np.clip(np.stack([1.0 - second - third, second, third], axis=1), 0.0, 1.0)
