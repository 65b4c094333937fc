"""Where a hand runs into itself: winding numbers on a coarse level of its mesh.

A point just outside a closed surface has winding number 0, one inside another part of it 1 (A. Jacobson et
al., 'Robust inside-outside segmentation using generalized winding numbers', 2013). The solid angle of a
triangle is A. van Oosterom and J. Strackee's (1983). Creases at bent joints are no penetration: for a vertex
only the surface of bones counts that are neither its own nor next to it; that surface is open, and the number
between 0 and 1.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from annotator.hand.joints import MANO_PARENTS
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel

LIFT = 2e-4  # m: how far outside its own surface a vertex is looked at
REACH = 0.03  # m: nothing of a hand is deeper inside another part


@dataclass(frozen=True, eq=False)
class Penetration:
    """inside (n,): vertices of the full mesh that lie in another part; depth (n,) m, to that part's surface;
    into (n,): that part's bone, model order; checked: how many vertices were looked at.
    """

    inside: np.ndarray
    depth: np.ndarray
    into: np.ndarray
    checked: int

    @property
    def deepest(self) -> float:
        """m; 0 where nothing is inside anything."""
        return float(self.depth.max(initial=0.0))


@functools.lru_cache(maxsize=4)
def _level(model: HandModel) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The finest coarse level: vertices' numbers (M,), faces (f,3), each vertex's bone (M,), and which bones
    are far enough from each other to run into each other (16,16).
    """
    level = model.levels[-1]
    bone = model.weights[level.indices].argmax(axis=1)
    far = ~np.eye(16, dtype=bool)
    for j, parent in enumerate(MANO_PARENTS):
        if parent >= 0:
            far[j, parent] = far[parent, j] = False
    roots = [1, 4, 7, 10]  # skin between neighbouring fingers' roots is one web
    far[np.ix_(roots, roots)] = False
    return level.indices, level.faces, bone, far


def solid_angles(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(P,T) solid angles, over the full sphere, under which points (P,3) see the back of triangles (T,3,3).

    For triangles counter-clockwise from outside, the sum over a closed surface is 1 inside it and 0 outside.
    """
    corners = triangles[None] - points[:, None, None]  # (P,T,3,3)
    length = np.sqrt(np.einsum("ptij,ptij->pti", corners, corners))
    a, b, c = corners[:, :, 0], corners[:, :, 1], corners[:, :, 2]
    la, lb, lc = length[..., 0], length[..., 1], length[..., 2]
    volume = (
        a[..., 0] * (b[..., 1] * c[..., 2] - b[..., 2] * c[..., 1])
        + a[..., 1] * (b[..., 2] * c[..., 0] - b[..., 0] * c[..., 2])
        + a[..., 2] * (b[..., 0] * c[..., 1] - b[..., 1] * c[..., 0])
    )

    def dot(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return np.einsum("pti,pti->pt", u, v)

    below = la * lb * lc + dot(a, b) * lc + dot(b, c) * la + dot(c, a) * lb
    return np.arctan2(volume, below) / (2 * np.pi)


def self_penetration(hand: HandMesh, model: HandModel) -> Penetration:
    """The vertices of one coarse level (about 390) that lie inside another part of the hand, and how deep.

    Depths are to the nearest vertex of the other part, so they are a little too large, by less than half an
    edge.
    """
    indices, faces, bone, far = _level(model)
    points = hand.vertices[indices]
    faces = faces[:, ::-1] if hand.side == "left" else faces
    triangles = points[faces]
    normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    outward = np.zeros_like(points)
    for corner in range(3):
        np.add.at(outward, faces[:, corner], normals)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True) + 1e-12
    lifted = points + LIFT * outward

    # Only vertices near a far bone's surface can be inside it: most are not, and are not looked at.
    distance = np.linalg.norm(points[:, None] - points[None], axis=-1)
    distance[~far[bone][:, bone]] = np.inf
    nearest = distance.argmin(axis=1)
    depth = distance[np.arange(len(points)), nearest]
    near = np.flatnonzero(depth < REACH)
    # ... nor those that see the nearest vertex of the other part from outside it
    towards = np.einsum("ni,ni->n", points[near] - points[nearest[near]], outward[nearest[near]])
    near = near[towards < 0.5 * depth[near]]
    of_others = far[bone[near]][:, bone[faces[:, 0]]]
    inside = near[(solid_angles(lifted[near], triangles) * of_others).sum(axis=1) > 0.5]
    return Penetration(indices[inside], depth[inside], bone[nearest[inside]], len(points))
