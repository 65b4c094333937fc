"""The ways in which a hand's surface may differ from what its shape says: where fingers, palm and tips are thicker.

Few, smooth and local: fingers across, the last bones along, the thumb's ball, the palm's two edges, its depth. They
are offsets of the rest pose at the offset level, so a mesh that took them is an ordinary hand of ours. A palm that
grows at an edge leaves its joints where they are: joints are regressed from the surface, and a knuckle would follow
the one side of it that moved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotator.hand.joints import KEYPOINT_OF_MANO
from annotator.hand.model import OFFSET_LEVEL, HandModel

FINGERS = ((14, 15), (1, 2, 3), (4, 5, 6), (10, 11, 12), (7, 8, 9))  # bones (MANO order) whose width is one number
CARPUS, BALL = 0, 13  # the palm's bone and the thumb's first
EDGES = (-0.03, 0.14, 0.33)  # places along the palm's edges: share of the hand's length, from the wrist joint
REACH = 0.1  # of a place on the edge, share of the hand's length
# how much is likely (one sigma): across a finger and the ball, along a last bone, palm's depth: shares; edges: m
ACROSS, ALONG, DEPTH, EDGE = 0.20, 0.24, 0.10, 0.005
SMOOTH, OWN = 0.02, 1e-3  # m: how far along the hand a place moves with its neighbours; what it has for itself
SOFT = 1e-4  # of their mean strength: joints whose places say the same thing need not be met exactly


@dataclass(frozen=True, eq=False)
class Growth:
    """G ways: offsets (G, M, 3) at the offset level a unit; surface (V, 3, G) the same of all vertices, m; sigma (G,):
    how much of each is likely; names (G,)."""

    offsets: np.ndarray
    surface: np.ndarray
    sigma: np.ndarray
    names: tuple[str, ...]


def growth(hand: HandModel) -> Growth:
    """The ways of a hand model's surface."""
    rest, weights = hand.template, hand.weights
    joints = hand.joints(rest)
    fields: list[tuple[str, np.ndarray, float]] = []

    def parts(bone: int) -> tuple[np.ndarray, np.ndarray]:
        """What of the surface is along a bone, from its joint, and what across; (V, 3) m, by skinning weight."""
        first = KEYPOINT_OF_MANO[bone]
        axis = joints[first + 1] - joints[first]
        axis = axis / np.linalg.norm(axis)
        away = rest - joints[first]
        height = away @ axis
        held = weights[:, bone, None]
        return held * np.maximum(height, 0)[:, None] * axis, held * (away - height[:, None] * axis)

    for number, bones in enumerate(FINGERS):
        fields.append((f"across {number}", np.sum([parts(bone)[1] for bone in bones], axis=0), ACROSS))
        fields.append((f"along {number}", parts(bones[-1])[0], ALONG))
    fields.append(("ball", parts(BALL)[1], ACROSS))
    palm = weights[:, CARPUS] + weights[:, BALL]
    middle = joints[9] - joints[0]
    length = float(np.linalg.norm(joints[12] - joints[0]))
    forward = middle / np.linalg.norm(middle)
    across = joints[5] - joints[17]
    across = across - (across @ forward) * forward
    across /= np.linalg.norm(across)
    through = np.cross(forward, across)
    local = rest - joints[0]
    for side in (1.0, -1.0):
        for place in EDGES:
            near = np.exp(-(((local @ forward - place * length) / (REACH * length)) ** 2))
            outer = np.clip(side * (local @ across) / (0.165 * length), 0, 1)
            fields.append((f"edge {side:+.0f} {place:+.2f}", (near * outer * palm)[:, None] * side * across, EDGE))
    depth = (local - 0.5 * (joints[5] + joints[17] - 2 * joints[0])) @ through
    fields.append(("depth", (palm * depth)[:, None] * through, DEPTH))
    level = hand.levels[OFFSET_LEVEL]
    offsets = np.stack([field[level.indices] for _, field, _ in fields])
    edges = np.flatnonzero([name.startswith("edge") for name, *_ in fields])
    offsets[edges] = _without_joints(hand, offsets[edges])
    surface = np.ascontiguousarray(np.moveaxis(np.tensordot(level.upsample, offsets, axes=(1, 1)), 1, 2))
    return Growth(offsets, surface, np.array([sigma for *_, sigma in fields]), tuple(name for name, *_ in fields))


def _without_joints(hand: HandModel, fields: np.ndarray) -> np.ndarray:
    """Offsets (E, M, 3) that leave all joints in the rest pose: what a field moves least gives way, smoothly
    (least squares by a covariance of displacements, as in `correcting.solver.displacement_field`)."""
    level = hand.levels[OFFSET_LEVEL]
    # einsum: BLAS spreads large products over threads, and rounds otherwise with each number of them
    regress = np.einsum("kv,vm->km", hand.keypoint_regressor, level.upsample)
    points, weights = hand.template[level.indices], np.sqrt(np.maximum(hand.weights[level.indices], 0.0))
    squared = ((points[:, None] - points) ** 2).sum(-1)
    related = np.einsum("mj,nj->mn", weights, weights)
    together = np.exp(-0.5 * squared / SMOOTH**2) * related + OWN * np.eye(len(points))
    still = []
    for field in fields:
        size = np.linalg.norm(field, axis=1)
        free = np.exp(-size / size.max())
        back = np.einsum("mn,kn->mk", together * free[:, None] * free, regress)
        inner = np.einsum("km,mj->kj", regress, back)
        inner += SOFT * np.trace(inner) / len(inner) * np.eye(len(inner))
        still.append(field - back @ np.linalg.solve(inner, np.einsum("km,ma->ka", regress, field)))
    return np.array(still)
