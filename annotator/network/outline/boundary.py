"""From how likely each pixel is the hand to points on its outline."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# Where the outline is. A little below one half: on real photos half lies 0.4 px of the crop inside hands cut out of
# plain backgrounds (every other digit), on renders it makes no difference.
LEVEL = 0.4
FLAT = 1e-4  # a fall of the probability from cell to cell that has no direction


class Boundary(NamedTuple):
    """points (N, 2) crop px on an outline; normals (N, 2) out of the hand; steep (N,): by how much the probability
    falls in a px there, which says how sure the outline is."""

    points: np.ndarray
    normals: np.ndarray
    steep: np.ndarray


def boundary(inside: np.ndarray, stride: float, every: int = 1) -> Boundary:
    """Where `inside` (H, W), the probability of the hand at the centres of cells of `stride` px, crosses `LEVEL`.

    A point for each pair of neighbouring cells on two sides of it, placed between them in proportion; along every such
    row and column alone.
    """
    down, right = np.gradient(inside)
    crossings = []
    for axis in (0, 1):
        grid = inside[:, ::every] if axis == 0 else inside[::every]
        one, other = (grid[:-1], grid[1:]) if axis == 0 else (grid[:, :-1], grid[:, 1:])
        rows, columns = np.nonzero((one > LEVEL) != (other > LEVEL))
        a, b = one[rows, columns], other[rows, columns]
        share = (LEVEL - a) / (b - a)
        if axis == 0:
            columns = columns * every
            beside, place = (rows + 1, columns), (columns, rows + share)
        else:
            rows = rows * every
            beside, place = (rows, columns + 1), (columns + share, rows)
        slopes = [(1 - share) * g[rows, columns] + share * g[beside] for g in (right, down)]
        crossings.append(np.stack([*place, *slopes], axis=1))
    crossing = np.concatenate(crossings)
    point, slope = crossing[:, :2], crossing[:, 2:]
    steep = np.linalg.norm(slope, axis=1)
    kept = steep > FLAT
    return Boundary((point[kept] + 0.5) * stride - 0.5, -slope[kept] / steep[kept, None], steep[kept] / stride)
