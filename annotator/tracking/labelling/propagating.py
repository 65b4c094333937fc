"""Labels over time: what a person corrected in some frames, carried through a track by what the frames show.

Every frame keeps what the network saw in it: between two corrected frames a hand moves as its picture says, not along
a straight line. What the corrections change is the error that frames have in common (`kernel`): each corrected hand is
a measurement of it, and the error of every other frame is expected from all of them. With the distance, in pose and in
time, a frame returns to what it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from annotator.correcting.solver.coordinates import ANGLES, COUNT, PLACE, SHAPE, TURN
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.hand.rotations import rotation_matrices, rotation_vectors
from annotator.tracking.labelling.kernel import GROUPS, LIKENESS, Likeness, correlations, together
from annotator.tracking.trajectories.motion import Curves, curves_of, hand_at

LEFT = 0.02  # of an error's variance: what a corrected hand may still be off
UNSURE = 0.5  # correlation below which a frame's hand is no longer told by labels elsewhere
SHAPES = 0.9  # correlation of shapes between any two frames: there is one subject


@dataclass(frozen=True, eq=False)
class Propagation:
    """What corrections make of a track. hands: all frames', those that were corrected unchanged; reach (N,): 0..1, how
    much labels elsewhere say of each frame (1: it is corrected itself); joints: of each frame the keypoints that labels
    in like frames speak of."""

    hands: tuple[HandMesh, ...]
    reach: np.ndarray
    joints: tuple[tuple[int, ...], ...]

    def surely(self, row: int, step: int) -> list[int]:
        """The rows from `row` on, step by step (+1 or -1), until labels say nothing any more; without `row` itself."""
        found = []
        at = row + step
        while 0 <= at < len(self.hands) and UNSURE <= self.reach[at] < 1.0:
            found.append(at)
            at += step
        return found


def propagated(
    hands: Sequence[HandMesh],
    seconds: np.ndarray,
    corrected: Mapping[int, HandMesh],
    model: HandModel,
    likeness: Likeness = LIKENESS,
) -> Propagation:
    """The hands of a track after some were corrected.

    hands: what was proposed in each frame, before anybody corrected anything, all of one side; seconds (N,); corrected:
    row -> the hand as a person left it, with its `corrections`.
    """
    rows = np.array(sorted(corrected), int)
    curves = curves_of(hands, seconds, model)
    if not len(rows):
        return Propagation(tuple(hands), np.zeros(len(hands)), ((),) * len(hands))
    after = curves_of([corrected[row] for row in rows], curves.seconds[rows], model)
    moved = _moved(curves, after, rows)
    parts = correlations(curves, np.arange(len(hands)), rows, likeness)
    change = _expected(parts, rows, moved)
    reach = together(parts).max(1)
    reach[rows] = 1.0
    new = _changed(curves, change)
    made, joints, whole = [], [], together(parts)
    labels = {row: tuple(corrected[row].corrections) for row in rows.tolist()}
    shrunk = [corrected[row].keypoint_sigma / np.maximum(hands[row].keypoint_sigma, 1e-9) for row in rows]
    for row, hand in enumerate(hands):
        if row in corrected:
            made.append(corrected[row])
            joints.append(labels[row])
            continue
        speaking = [(float(whole[row, k]), k) for k in range(len(rows))]
        most, nearest = max(speaking)
        told = {joint for share, k in speaking if share >= UNSURE for joint in labels[int(rows[k])]}
        joints.append(tuple(sorted(told)))
        sure = np.sqrt(1 - most**2 * (1 - np.minimum(shrunk[nearest], 1.0) ** 2))
        one = hand_at(new, row, hand, model)
        made.append(one.replace(keypoint_sigma=one.keypoint_sigma * sure, vertex_sigma=one.vertex_sigma * sure.mean()))
    return Propagation(tuple(made), reach, tuple(joints))


def _moved(before: Curves, after: Curves, rows: np.ndarray) -> np.ndarray:
    """(R, 61): by what corrections moved each coordinate; the turn in the hand's own frame."""
    moved = np.zeros((len(rows), COUNT))
    off = after.angles - before.angles[rows]
    moved[:, ANGLES] = (off + np.pi) % (2 * np.pi) - np.pi
    moved[:, TURN] = rotation_vectors(before.turns[rows].transpose(0, 2, 1) @ after.turns)
    moved[:, PLACE] = after.place - before.place[rows]
    moved[:, SHAPE] = after.shape - before.shape[rows]
    return moved


def _expected(parts: Mapping[str, np.ndarray], rows: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """(N, 61): the change that is expected of every coordinate in every frame, given the corrections in `rows`."""
    count = len(next(iter(parts.values())))
    change = np.zeros((count, COUNT))
    shapes = np.full((count, len(rows)), SHAPES)
    shapes[rows] += (1 - SHAPES) * np.eye(len(rows))
    kernels = [(numbers, parts[group]) for group, numbers in GROUPS.items()]
    for numbers, kernel in [*kernels, (np.arange(SHAPE.start, SHAPE.stop), shapes)]:
        among = (kernel[rows] + kernel[rows].T) / 2 + LEFT * np.eye(len(rows))
        change[:, numbers] = kernel @ np.linalg.solve(among, moved[:, numbers])
    return change


def _changed(curves: Curves, change: np.ndarray) -> Curves:
    return curves.changed(
        angles=curves.angles + change[:, ANGLES],
        turns=curves.turns @ rotation_matrices(change[:, TURN]),
        place=curves.place + change[:, PLACE],
        shape=curves.shape + change[:, SHAPE],
    )
