"""A hand whose surface fills the outline that the network saw: damped Gauss-Newton over place, pose and growth.

Points of the outline pull, along their normals, at the nearest fold of the mesh that looks the same way; joints hold
where the network put them, by what they may move. So an outline says how thick fingers and palm are and how long the
last bones, and it turns a bone only where that is what it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from annotator.hand.joints import KEYPOINT_OF_MANO, MANO_PARENTS, TIPS
from annotator.hand.model import OFFSET_LEVEL, HandModel
from annotator.hand.rotations import rotation_matrices
from annotator.network.outline.boundary import Boundary
from annotator.network.outline.growth import growth

SADDLE = 13  # MANO joint: the thumb's first, which turns about all axes
FIRST = (1, 4, 7, 10, SADDLE)  # joints that also turn sideways
BEHIND = 0.002  # m: folds nearer to the forearm than this before the wrist joint are the cut, not the hand
TOGETHER = 64  # rows in a product
FEWEST, LEAST = 20, 0.4  # points that must find a fold, and their share: else the outline is of something else


class Placed(NamedTuple):
    """A right hand in its crop camera's frame: rotations (16, 3, 3), each in its parent's frame; shape (10,);
    translation (3,) m; offsets (M, 3) m."""

    rotations: np.ndarray
    shape: np.ndarray
    translation: np.ndarray
    offsets: np.ndarray


@dataclass(frozen=True)
class FillingSettings:
    """How far the outline is believed, and how far the hand may follow.

    pixels: crop px, how exact a point is; shared: points that say the same thing (neighbours are not independent);
    surely: fall of the probability in a px from which on a point counts in full; gates: px, how far off a fold may be,
    in each step; alike: least cosine of two normals
    One sigma: place (3,) m, turn and pose rad; joint m: how far each joint may move across the line of sight; depth m:
    how far along it, beside the other joints. An outline says nothing of depth: joints that may move along the line of
    sight as they may across it turn away from the camera to look shorter.
    """

    pixels: float = 1.0
    shared: float = 2.0
    surely: float = 0.06
    gates: tuple[float, ...] = (10.0, 8.0)
    alike: float = 0.75
    place: tuple[float, float, float] = (0.03, 0.03, 0.05)
    turn: float = 0.05
    pose: float = 0.06
    joint: float = 0.0015
    depth: float = 0.0003


class Filling:
    """Fills outlines with hands of one hand model."""

    def __init__(self, hand: HandModel, settings: FillingSettings | None = None):
        self.hand, self.settings = hand, settings or FillingSettings()
        self.ways = ways = growth(hand)
        self._folds(hand)
        self.upsample = hand.levels[OFFSET_LEVEL].upsample
        below = np.zeros((16, 16))  # [j, b]: bone b moves with joint j
        for bone in range(16):
            joint = bone
            while joint >= 0:
                below[joint, bone] = 1.0
                joint = MANO_PARENTS[joint]
        # joint and axis (a row of `anatomical_axes`) of each angle
        self.angles = [
            (joint, axis)
            for joint in range(1, 16)
            for axis in range(3)
            if axis == 0 or joint == SADDLE or (axis == 1 and joint in FIRST)
        ]
        self.joint_of = np.array([joint for joint, _ in self.angles])
        self.axis_of = np.array([hand.anatomical_axes[joint - 1, axis] for joint, axis in self.angles])
        a, b = self.edges.T
        # (V, 16): how much of a vertex moves with a joint. einsum and `squared`: BLAS spreads large products over
        # threads, and rounds otherwise with each number of them
        moved = np.einsum("vb,jb->vj", hand.weights, below)
        self.edge_moved = (0.5 * (moved[a] + moved[b]))[:, self.joint_of]
        self.edge_weights = 0.5 * (hand.weights[a] + hand.weights[b])
        self.edge_ways = 0.5 * (ways.surface[a] + ways.surface[b])
        # keypoints: what moves them, and what growth does to them; a tip hangs on its last bone
        self.bone_of = np.array([_bone_of(k) for k in range(21)])
        self.keypoint_ways = np.einsum("kv,vag->kag", hand.keypoint_regressor, ways.surface)
        self.keypoint_moved = np.einsum("kv,vj->kj", hand.keypoint_regressor, moved)[:, self.joint_of]

    def _folds(self, hand: HandModel) -> None:
        """The edges at which the surface may fold out of sight, each with its two faces."""
        faces = hand.faces
        corners = np.concatenate([faces[:, [k, (k + 1) % 3]] for k in range(3)])
        other = np.concatenate([faces[:, (k + 2) % 3] for k in range(3)])
        owner = np.tile(np.arange(len(faces)), 3)
        corners = np.sort(corners, axis=1)
        order = np.lexsort(corners.T)
        corners, other, owner = corners[order], other[order], owner[order]
        same = np.flatnonzero((corners[1:] == corners[:-1]).all(1))
        same = same[hand.before_wrist[corners[same]].mean(1) > BEHIND]
        self.edges = corners[same]
        self.edge_faces = np.stack([owner[same], owner[same + 1]], axis=1)
        self.edge_apexes = np.stack([other[same], other[same + 1]], axis=1)

    def __call__(self, hand: Placed, outline: Boundary, projection: np.ndarray) -> Placed:
        """The hand again, its surface in the outline; as it was where the outline says too little.

        projection: (3, 3), crop camera's frame to crop px.
        """
        settings = self.settings
        points, normals, steep = outline
        sure = np.minimum(1.0, steep / settings.surely) ** 2
        sure = sure / (settings.pixels**2 * settings.shared)
        count = len(self.angles)
        sigma = np.concatenate(
            [
                settings.place,
                np.full(3, settings.turn),
                np.full(count, settings.pose),
                self.ways.sigma,
            ]
        )
        total = np.zeros(len(sigma))
        held: np.ndarray | None = None
        rotations, offsets, translation = np.array(hand.rotations), np.array(hand.offsets), np.array(hand.translation)
        for gate in settings.gates:
            vertices, joints, turned = self._posed(rotations, hand.shape, offsets)
            image = (vertices + translation) @ projection.T
            depth = np.maximum(image[:, 2], 1e-3)
            pixels = image[:, :2] / depth[:, None]
            edges, out, middle = self._seen(pixels)
            found, at, error = _matched(points, normals, middle, out, gate, settings.alike)
            if len(found) < max(FEWEST, LEAST * len(points)):
                return hand
            weight = sure[found] / (1 + (2 * error / gate) ** 2) ** 2
            edge = edges[at]
            pull = _along(projection, middle[at], depth[self.edges[edge]].mean(1), normals[found])
            axes = np.einsum("kab,kb->ka", turned[np.array(MANO_PARENTS)[self.joint_of]], self.axis_of)
            rows = self._rows(edge, vertices, joints, turned, axes, pull)
            if held is None:
                held = self._joint_rows(vertices, joints, turned, axes, translation)
                holding = squared(held, np.ones(len(held)))
            normal = squared(rows, weight) + holding + np.diag(sigma**-2)
            pull_of = (rows * weight[:, None]).T @ error
            step = np.linalg.solve(normal, pull_of - holding @ total - total / sigma**2)
            total += step
            translation = translation + step[:3]
            turns = rotation_matrices(np.concatenate([step[None, 3:6], step[6 : 6 + count, None] * self.axis_of]))
            for joint, turn in zip((0, *self.joint_of), turns, strict=True):
                rotations[joint] = turn @ rotations[joint]
            offsets = offsets + np.tensordot(step[6 + count :], self.ways.offsets, axes=1)
        return Placed(rotations, hand.shape, translation, offsets)

    def _posed(
        self, rotations: np.ndarray, shape: np.ndarray, offsets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Vertices (V, 3), kinematic joints (16, 3), bones' rotations (16, 3, 3); the wrist joint at the origin."""
        hand = self.hand
        turned, moved, joints = hand.bone_transforms(rotations, shape)
        rest = hand.rest_vertices(shape) + self.upsample @ offsets
        if hand.pose_directions is not None:
            rest = rest + hand.pose_directions @ (rotations[1:] - np.eye(3)).ravel()
        # one product: (V, 16 * 4) @ (16 * 4, 3)
        lifted = np.concatenate([rest, np.ones((len(rest), 1))], axis=1)
        spread = (hand.weights[:, :, None] * lifted[:, None]).reshape(len(rest), -1)
        onto = np.concatenate([turned.transpose(0, 2, 1), moved[:, None]], axis=1).reshape(-1, 3)
        return spread @ onto, joints, turned

    def _seen(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The edges (E,) at which the surface folds out of sight, their normals (E, 2) away from it, middles (E, 2)."""
        faces = self.hand.faces
        a = pixels[faces[:, 0]]
        ab, ac = pixels[faces[:, 1]] - a, pixels[faces[:, 2]] - a
        front = ab[:, 0] * ac[:, 1] > ab[:, 1] * ac[:, 0]
        edges = np.flatnonzero(front[self.edge_faces[:, 0]] != front[self.edge_faces[:, 1]])
        start, end = pixels[self.edges[edges, 0]], pixels[self.edges[edges, 1]]
        along, middle = end - start, 0.5 * (start + end)
        out = np.stack([along[:, 1], -along[:, 0]], axis=1) / (np.linalg.norm(along, axis=1) + 1e-9)[:, None]
        inner = pixels[self.edge_apexes[edges]].sum(1) - 2 * middle
        out[(inner * out).sum(1) > 0] *= -1
        return edges, out, middle

    def _rows(self, edge, vertices, joints, turned, axes, pull) -> np.ndarray:
        """(N, P): how far the middles of edges (N,) move along `pull` (N, 3) for each unknown."""
        place = 0.5 * (vertices[self.edges[edge, 0]] + vertices[self.edges[edge, 1]])
        moment = np.cross(place, pull)
        lever = np.cross(axes, joints[self.joint_of])
        bent = (moment @ axes.T - pull @ lever.T) * self.edge_moved[edge]
        blended = (self.edge_weights[edge] @ turned.reshape(16, 9)).reshape(-1, 3, 3)
        local = np.einsum("na,nab->nb", pull, blended)
        return np.concatenate([pull, moment, bent, np.einsum("nb,nbg->ng", local, self.edge_ways[edge])], axis=1)

    def _joint_rows(self, vertices, joints, turned, axes, translation) -> np.ndarray:
        """(63, P): moves of the 21 joints across their lines of sight and along them for each unknown, over what they
        may move. All of them nearer or farther at once is free: it is no other hand, and says how large it looks."""
        place = self.hand.joints(vertices)
        columns = [np.broadcast_to(np.eye(3), (21, 3, 3)), np.cross(np.eye(3), place[:, None]).transpose(0, 2, 1)]
        arm = place[:, None] - joints[self.joint_of]
        columns.append((np.cross(axes, arm) * self.keypoint_moved[..., None]).transpose(0, 2, 1))
        columns.append(np.matmul(turned[self.bone_of], self.keypoint_ways))
        sight = place + translation
        sight = sight / np.linalg.norm(sight, axis=1, keepdims=True)
        right = np.cross([0.0, 1.0, 0.0], sight)
        right /= np.linalg.norm(right, axis=1, keepdims=True)
        moves = np.matmul(np.stack([right, np.cross(sight, right), sight], axis=1), np.concatenate(columns, axis=2))
        moves[:, 2] -= moves[:, 2].mean(0)
        sigma = np.array([self.settings.joint, self.settings.joint, self.settings.depth])
        return (moves / sigma[:, None]).reshape(63, -1)


def squared(rows: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(P, P): the sum of rows (N, P) times themselves, by weights (N,), a few rows at a time."""
    total = np.zeros((rows.shape[1], rows.shape[1]))
    for start in range(0, len(rows), TOGETHER):
        some = rows[start : start + TOGETHER]
        total += (some * weight[start : start + TOGETHER, None]).T @ some
    return total


def _bone_of(keypoint: int) -> int:
    """The bone (MANO order) that a keypoint is at the start of; a tip's is its last bone."""
    return KEYPOINT_OF_MANO.index(keypoint - 1 if keypoint in TIPS else keypoint)


def _matched(points, normals, middle, out, gate: float, alike: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points that have a fold nearby, the number of the fold, and how far beyond it they are along their normal, px."""
    apart = (points**2).sum(1)[:, None] + (middle**2).sum(1) - 2 * points @ middle.T
    apart[normals @ out.T < alike] = np.inf
    nearest = apart.argmin(1) if len(middle) else np.zeros(len(points), int)
    found = np.flatnonzero(apart[np.arange(len(points)), nearest] < gate**2) if len(middle) else np.zeros(0, int)
    at = nearest[found]
    return found, at, ((points[found] - middle[at]) * normals[found]).sum(1)


def _along(projection: np.ndarray, pixels: np.ndarray, depth: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """(N, 3): how far points seen at `pixels` (N, 2) move along `normals` (N, 2) in the crop, px for a metre."""
    slope = normals @ projection[:2] - (normals * pixels).sum(1)[:, None] * projection[2]
    return slope / depth[:, None]
