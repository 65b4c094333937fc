"""How far what is wrong in one frame of a track is wrong in another: the more alike the poses, and the nearer in time.

The network's error on a hand is no noise: the same pose in the same light is misjudged the same way. So a correction
says as much of a neighbouring frame as the motion between the two allows. Errors are taken for a Gaussian process over
pose and time, one for each finger, one for the turn of the hand and one for its place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotator.hand.rotations import rotation_vectors
from annotator.tracking.trajectories.motion import ANGLES, FINGER_ANGLES, PLACE, TURN, Curves


@dataclass(frozen=True)
class Likeness:
    """bent: rad of a finger's flexion, turned: rad of the whole hand, by which poses differ so that errors have little
    in common (a correlation of 0.6); seconds: after which errors have little in common (0.37) even in the same pose."""

    bent: float = 0.35
    turned: float = 0.4
    seconds: float = 4.0


LIKENESS = Likeness()
# of the coordinates of `correcting.solver.coordinates`: what shares one kernel
GROUPS: dict[str, np.ndarray] = {
    **{finger: rows + ANGLES.start for finger, rows in FINGER_ANGLES.items()},
    "turn": np.arange(TURN.start, TURN.stop),
    "place": np.arange(PLACE.start, PLACE.stop),
}
_FLEXION = 3  # each third angle of a finger bends it


def correlations(
    curves: Curves, rows: np.ndarray, others: np.ndarray, likeness: Likeness = LIKENESS
) -> dict[str, np.ndarray]:
    """Group -> (R, O) correlation of errors between frames `rows` and `others` of the curves."""
    apart = np.abs(curves.seconds[rows][:, None] - curves.seconds[others][None])
    one, two = curves.turns[rows], curves.turns[others]
    turn = np.linalg.norm(rotation_vectors(one.transpose(0, 2, 1)[:, None] @ two[None]), axis=-1)
    whole = (turn / likeness.turned) ** 2
    found = {}
    for group, numbers in GROUPS.items():
        distance = whole
        if group in FINGER_ANGLES:
            bend = curves.angles[:, numbers[::_FLEXION] - ANGLES.start]
            off = bend[rows][:, None] - bend[others][None]
            distance = whole + (off**2).mean(-1) / likeness.bent**2
        found[group] = np.exp(-0.5 * distance - apart / likeness.seconds)
    return found


def together(parts: dict[str, np.ndarray]) -> np.ndarray:
    """One correlation of whole hands: the mean of all groups'."""
    return np.mean(list(parts.values()), axis=0)
