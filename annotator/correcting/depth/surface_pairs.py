"""Where a hand's mesh should lie by a depth image: vertices, each with a plane that it belongs in.

Three kinds, found anew through each hand that the last ones gave (iterative closest points, P. Besl and N. McKay 1992;
for articulated hands by planes and outlines, A. Tagliasacchi et al. 2015):

- skin that the camera sees belongs as far away as was measured there, along its own normal: it may slide on the
  surface;
- what was measured of the hand beside the mesh draws the nearest skin to it;
- skin where the camera sees past the hand belongs back within the hand's outline.

Beyond the wrist an arm goes on: the mesh's stump is left out of the last two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation, distance_transform_edt
from scipy.spatial import cKDTree

from annotator.correcting.depth.depth_windows import PIXELS, DepthWindow
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.hand.normals import vertex_normals
from annotator.vision.images.depth_images import DepthImage

SKIN = 0.002  # m, one sigma of how far a mesh's skin is from the hand's, whatever its pose
FACING = 0.1  # cosine: skin that is seen from less aslant has a depth
HIDDEN = 0.004  # m: skin so far behind what is seen at its pixel is not seen
BULK, GATE = 0.025, 0.012  # m, along the axis and the normal: what differs more is something else
HAND = 0.03  # m: so near to the mesh what was measured may be of the hand
BESIDE = 0.015  # m: so far beside the mesh its skin is drawn
PAST = 0.03  # m: the camera sees past skin where it measures more than that behind it
OUT = 0.02  # m: so far out of the outline skin is drawn back
STUMP = 0.002  # m before the wrist joint: skin nearer to it is the arm's, too
TAILS = 4.0  # degrees of freedom of a distance, in sigmas
FEWEST = 40  # pairs, without which a depth image says nothing of a hand


@dataclass(frozen=True, eq=False)
class SurfacePairs:
    """vertices (n,): numbers of the mesh's; places (n, 3) m, directions (n, 3) of length one, camera frame: a vertex
    belongs in the plane through its place across its direction; sigma (n,) m: to that accuracy."""

    vertices: np.ndarray
    places: np.ndarray
    directions: np.ndarray
    sigma: np.ndarray

    @classmethod
    def joined(cls, parts: list[SurfacePairs]) -> SurfacePairs:
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))

    def weighed(self, vertices: np.ndarray) -> SurfacePairs:
        """Those that are farther off than sigmas say count less (Student's weights). vertices (V, 3) m: as they are."""
        off = ((vertices[self.vertices] - self.places) * self.directions).sum(1) / self.sigma
        sigma = self.sigma * np.sqrt((TAILS + off**2) / (TAILS + 1))
        return SurfacePairs(self.vertices, self.places, self.directions, sigma)


def surface_pairs(hand: HandMesh, model: HandModel, image: DepthImage) -> SurfacePairs | None:
    """The pairs by this hand as it is; None where the image says too little of it. The hand's photo and the image share
    their pixels."""
    window = DepthWindow.around(hand, image)
    rounded = np.rint(window.places).astype(int)
    inside = ((rounded >= 0) & (rounded < PIXELS)).all(1)
    columns, rows = np.clip(rounded, 0, PIXELS - 1).T
    shown = window.shown
    near, far = hand.vertices[:, 2].min() - HAND, hand.vertices[:, 2].max() + HAND
    of_hand, nearest = _of_hand(hand, window, near, far)
    skin = model.before_wrist > STUMP

    parts = [_on_skin(hand, image, window.depth[rows, columns], inside, shown[rows, columns])]
    parts.append(_beside(hand, image, window, of_hand & ~binary_dilation(np.isfinite(shown)), nearest, skin))
    # where it is unknown what lies behind, or something stands in front, skin may be
    room = of_hand | (window.depth == 0) | (window.depth < near)
    past = inside & skin & ~room[rows, columns] & (window.depth[rows, columns] > hand.vertices[:, 2] + PAST)
    parts.append(_within(hand, window, room, np.flatnonzero(past), rows, columns))
    pairs = SurfacePairs.joined(parts)
    return pairs.weighed(hand.vertices) if len(pairs.vertices) >= FEWEST else None


def _on_skin(
    hand: HandMesh, image: DepthImage, measured: np.ndarray, inside: np.ndarray, shown: np.ndarray
) -> SurfacePairs:
    """Seen skin as far away as was measured (V,) m at its pixel. shown (V,) m: what the mesh has there."""
    normals = vertex_normals(hand.vertices, hand.faces)
    facing = -(normals * hand.vertices).sum(1) / np.linalg.norm(hand.vertices, axis=1)
    seen = inside & (facing > FACING) & (measured > 0) & (hand.vertices[:, 2] < shown + HIDDEN)
    rows = np.flatnonzero(seen & (np.abs(measured - hand.vertices[:, 2]) < BULK))
    places = hand.vertices[rows] * (measured[rows] / hand.vertices[rows, 2])[:, None]
    rows_near = np.abs(((hand.vertices[rows] - places) * normals[rows]).sum(1)) < GATE
    rows, places = rows[rows_near], places[rows_near]
    sigma = np.hypot(image.sigma * np.maximum(facing[rows], 0.2), SKIN)
    return SurfacePairs(rows, places, normals[rows], sigma)


def _of_hand(hand: HandMesh, window: DepthWindow, near: float, far: float) -> tuple[np.ndarray, np.ndarray]:
    """(P, P) bool: what was measured may be of the hand; (P, P): the vertex nearest to it there."""
    possible = (window.depth > near) & (window.depth < far)
    distance, nearest = np.full(possible.shape, np.inf), np.zeros(possible.shape, int)
    if possible.any():
        tree = cKDTree(hand.vertices)
        distance[possible], nearest[possible] = tree.query(window.points[possible], distance_upper_bound=HAND)
    return possible & (distance < HAND), nearest


def _beside(
    hand: HandMesh, image: DepthImage, window: DepthWindow, bare: np.ndarray, nearest: np.ndarray, skin: np.ndarray
) -> SurfacePairs:
    """The skin nearest to what was measured of the hand where the mesh is not, `bare` (P, P)."""
    bare = bare.copy()
    bare[1::2], bare[:, 1::2] = False, False  # neighbours say the same
    vertices, points = nearest[bare], window.points[bare]
    return _drawn(hand, vertices, points, skin[vertices], BESIDE, float(np.hypot(image.sigma, SKIN)))


def _within(
    hand: HandMesh, window: DepthWindow, room: np.ndarray, vertices: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> SurfacePairs:
    """Vertices whose pixels `rows`, `columns` (V,) are out of the hand's `room` (P, P), and the nearest pixel in it."""
    if not room.any():
        vertices = vertices[:0]
    to_row, to_column = distance_transform_edt(~room, return_distances=False, return_indices=True)
    at = rows[vertices], columns[vertices]
    rays = np.stack([to_column[at], to_row[at], np.ones(len(vertices))], axis=-1) @ window.back.T
    points = rays * hand.vertices[vertices, 2:]
    return _drawn(hand, vertices, points, np.ones(len(vertices), bool), OUT, float(np.hypot(SKIN, SKIN)))


def _drawn(
    hand: HandMesh, vertices: np.ndarray, points: np.ndarray, wanted: np.ndarray, most: float, sigma: float
) -> SurfacePairs:
    """Vertices drawn straight to points (n, 3) m that are no farther than `most`."""
    way = points - hand.vertices[vertices]
    length = np.linalg.norm(way, axis=1)
    kept = wanted & (length > 1e-4) & (length < most)
    directions = way[kept] / length[kept, None]
    return SurfacePairs(vertices[kept], points[kept], directions, np.full(int(kept.sum()), sigma))
