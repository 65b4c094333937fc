"""Which found hand is which known one: motion, side, looks and bones as one cost, solved for all hands at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from annotator.hand.joints import BONES
from annotator.hand.mesh import HandMesh
from annotator.hand.topology import KEYPOINTS

NEVER = 1e6  # the cost of what cannot be
MOTION = 0.12  # of the hand's size: one sigma of where a hand is beside where it was expected, one frame later
SPEED = 2.5  # sizes a second: by which a hand that was not seen may have moved away from there
FARTHEST = 3.5  # sigmas of motion: beyond, it is another hand
SIDE = 4.0  # cost of the other side, times how sure the network is of it
LOOKS = np.array([0.025, 0.02, 0.3])  # one sigma of red and green shares, and of log brightness
BONES_SIGMA = 0.06  # of log bone length
WORST = 14.0  # total cost beyond which a hand is a new one


@dataclass(frozen=True, eq=False)
class Looks:
    """How a hand looks and is built: colour (3,): shares of red and green, log brightness, medians over its bones;
    bones (20,) log lengths in m over their mean."""

    colour: np.ndarray
    bones: np.ndarray

    def mixed(self, new: Looks, share: float) -> Looks:
        """A running mean: the new one counts by `share`, and wholly where nothing (NaN) was known before."""
        pairs = ((self.colour, new.colour), (self.bones, new.bones))
        return Looks(*(np.where(np.isnan(a), b, (1 - share) * a + share * b) for a, b in pairs))


def looks_of(photo: np.ndarray, hand: HandMesh) -> Looks:
    """From a photo (H, W, 3) and a hand in it; colours are taken along its bones, without the tips."""
    ends = np.array(BONES)
    points = np.concatenate([hand.keypoints[ends[:, 0]], hand.keypoints[ends].mean(1)])
    height, width = photo.shape[:2]
    columns, rows = np.rint(points).astype(int).T
    inside = (columns >= 0) & (rows >= 0) & (columns < width) & (rows < height)
    pixels = photo[rows[inside], columns[inside]].astype(np.float64) + 1.0
    if not len(pixels):
        pixels = np.full((1, 3), 128.0)
    total = pixels.sum(1)
    colour = np.median([pixels[:, 0] / total, pixels[:, 1] / total, np.log(total)], axis=1)
    return Looks(colour, bones_of(hand))


def bones_of(hand: HandMesh) -> np.ndarray:
    """(20,) log lengths of a hand's bones, over their mean."""
    ends = np.array(BONES)
    lengths = np.log(np.linalg.norm(hand.joints[ends[:, 0]] - hand.joints[ends[:, 1]], axis=1))
    return lengths - lengths.mean()


def size_of(points: np.ndarray) -> float:
    """A hand's size from keypoints (21, 2): the longer side of their upright box, px, never 0."""
    return max(float(np.ptp(points, axis=0).max()), 1.0)


def apart(a: np.ndarray, b: np.ndarray, points: Sequence[int] = range(KEYPOINTS)) -> float:
    """Mean distance of two hands' keypoints (21, 2), or of some of them, over the larger one's size."""
    chosen = list(points)
    return float(np.linalg.norm(a[chosen] - b[chosen], axis=1).mean()) / max(size_of(a), size_of(b))


@dataclass(frozen=True, eq=False)
class Known:
    """A hand that is expected: keypoints (21, 2) photo px where it should be, missing: seconds since it was seen last
    (beyond one frame), right: 0..1 how much it was seen as a right hand, its looks."""

    keypoints: np.ndarray
    missing: float
    right: float
    looks: Looks


@dataclass(frozen=True, eq=False)
class Candidate:
    """A hand that was found: keypoints (21, 2) photo px, right: 0..1, its looks."""

    keypoints: np.ndarray
    right: float
    looks: Looks


def cost(known: Known, found: Candidate) -> float:
    """Half squared sigmas by which they differ; `NEVER` where a hand cannot have come there."""
    size = max(size_of(known.keypoints), size_of(found.keypoints))
    moved = float(np.linalg.norm(known.keypoints.mean(0) - found.keypoints.mean(0))) / size
    sigmas = moved / (MOTION + SPEED * min(known.missing, 1.0) / FARTHEST)
    if sigmas > FARTHEST:
        return NEVER
    side = SIDE * abs(known.right - found.right) ** 2 * 2
    colour = float(np.nan_to_num((((known.looks.colour - found.looks.colour) / LOOKS) ** 2).mean()))
    bones = float((((known.looks.bones - found.looks.bones) / BONES_SIGMA) ** 2).mean())
    return 0.5 * (sigmas**2 + min(colour, 9.0) + min(bones, 9.0)) + side


def match(known: Sequence[Known], found: Sequence[Candidate]) -> dict[int, int]:
    """Number of a known hand -> that of the found hand which is it, each at most once: the cheapest for all together.
    A pair that costs more than `WORST` is none."""
    if not known or not found:
        return {}
    costs = np.array([[cost(a, b) for b in found] for a in known])
    # to leave a hand alone costs WORST: it is better than a bad pair, wherever the others go
    padded = np.full((len(known), len(found) + len(known)), WORST)
    padded[:, : len(found)] = np.where(costs <= WORST, costs, NEVER)
    rows, columns = linear_sum_assignment(padded)
    return {int(a): int(b) for a, b in zip(rows, columns, strict=True) if b < len(found)}
