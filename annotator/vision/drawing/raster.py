"""A z-buffer in numpy: which face of a mesh is seen at each pixel, and where on that face.

Exact coverage at pixel centres, perspective-correct weights, no OpenGL. Vectorised twice: first over all rows
of all faces (spans between the edges), then over all pixels of all spans.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEAREST = 1e-4  # m: what is nearer to the camera than this, or behind it, is not drawn
EDGE = 1e-9  # px: a centre this close to an edge counts as covered: rounding shall tear no seam


@dataclass(frozen=True, eq=False)
class Raster:
    """What is seen, at N covered pixels of a picture.

    rows, columns (N,): the pixels; faces (N,): the nearest face's number; weights (3, N): how much of each of
    its three corners (sum to one); depth (N,) m; front (N,) bool: the face shows its outside.
    """

    rows: np.ndarray
    columns: np.ndarray
    faces: np.ndarray
    weights: np.ndarray
    depth: np.ndarray
    front: np.ndarray

    def interpolate(self, values: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """Values (V, C) of the vertices -> (C, N) float32 at the pixels."""
        # component by component: three times as fast as arithmetic on (N, 3)
        corners = [faces[:, k][self.faces] for k in range(3)]
        values = np.asarray(values, np.float32)
        result = np.empty((values.shape[1], len(self.faces)), np.float32)
        for one, column in zip(result, values.T, strict=True):
            column = np.ascontiguousarray(column)
            np.multiply(self.weights[0], column[corners[0]], out=one)
            one += self.weights[1] * column[corners[1]]
            one += self.weights[2] * column[corners[2]]
        return result


def rasterise(
    points: np.ndarray, depth: np.ndarray, faces: np.ndarray, height: int, width: int, inside: bool = True
) -> Raster:
    """The visible surface of a mesh whose vertices are at `points` (V, 2) px and `depth` (V,) m.

    faces (F, 3), counter-clockwise from outside; inside: whether faces seen from their inner side are drawn,
    too (in a closed mesh they are never in sight). Pixel centres are at whole numbers, 0..width-1 and
    0..height-1. Faces that reach nearer than NEAREST to the camera, or behind it, are left out.
    """
    faces = np.asarray(faces)
    inverse = 1.0 / np.maximum(depth, NEAREST)
    usable = (depth[faces] > NEAREST).all(1)
    corner = points[faces]  # (F, 3, 2)
    along, across = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
    area = along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0]
    # y runs down, so the outside of a counter-clockwise face shows as a negative area; turn all to positive
    usable &= np.abs(area) > 1e-12 if inside else area < -1e-12
    number = np.flatnonzero(usable)
    front = area[number] < 0
    corner = np.where(front[:, None, None], corner[number][:, [0, 2, 1]], corner[number])
    # each corner's share, over its depth, is linear in the picture: shares = along_x * x + along_y * y +
    # at_origin
    along_x, along_y, at_origin = _shares(corner)
    shares = np.stack([along_x, along_y, at_origin])
    shares = np.where(front[:, None], shares[:, :, [0, 2, 1]], shares) * inverse[faces[number]]

    face, row, first, count = _spans(corner, height, width)
    # every pixel of every span; the shares' sum is 1/depth there
    slope_x, slope_y, origin = shares.sum(2)
    at_row = slope_y[face] * row + origin[face]
    span = np.repeat(np.arange(len(face)), count)
    x = np.arange(len(span)) + (first - (np.cumsum(count) - count))[span]
    nearness = slope_x[face][span] * x + at_row[span]
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
    seen_depth = 1.0 / nearness[winner]
    weights = np.empty((3, len(at)), np.float32)
    for k in range(3):
        slope_x, slope_y, origin = (np.ascontiguousarray(part[:, k]) for part in shares)
        weights[k] = (slope_x[at] * columns + slope_y[at] * rows + origin[at]) * seen_depth
    return Raster(rows, columns, number[at], np.clip(weights, 0, 1, out=weights), seen_depth, front[at])


def _spans(corner: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Face number, row, first column and number of columns, for each row of each positively turned face."""
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


def _shares(corner: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Barycentric coordinates in faces (F, 3, 2): their slopes along x and y and values at 0, each (F, 3)."""
    after, before = np.roll(corner, -1, 1), np.roll(corner, -2, 1)
    side = before - after  # the edge opposite each corner
    area = side[:, 1, 0] * side[:, 2, 1] - side[:, 1, 1] * side[:, 2, 0]
    area = area[:, None]
    along_x, along_y = -side[..., 1] / area, side[..., 0] / area
    return along_x, along_y, -(along_x * after[..., 0] + along_y * after[..., 1])
