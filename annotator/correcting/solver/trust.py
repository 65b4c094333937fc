"""Labels that lie far from where the proposal has their joints: is the finger elsewhere, or was another one clicked?

A label many sigmas away says that the network is wrong about the finger, and then about the finger's other joints too:
they must not hold it where it was. But people click on a neighbouring finger, one time in forty or so, and such a click
lies as far away. It lies near a joint of another finger, though, and no other label of its own finger goes the same
way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotator.correcting.solver.prior import FINGER_OF

ELSEWHERE = 15.0  # sigmas: where most labels are farther off than this, the whole hand is elsewhere;
MOST_OF = 3  # ... so many labels can say so, or the wrist's alone
FAR = 2.0  # sigmas: a label within this is as far off as labels and proposals usually are
SUSPECT = 1.5  # sigmas: a label beyond this may have been meant for another finger
NEAR = 2.5  # sigmas of another finger's joint, within which a label may have been meant for that one,
NEARER = 0.4  # ... if that joint is nearer than this share of the way to its own
WILD = 10.0  # sigmas: no finger is wrong by so much that one label alone need be believed; it pulls less and less
DOUBTED = 2.0  # how much less a label counts that may have been meant for another finger
LEAST_PX = 2.0  # px of the crop: no joint's place is known better when labels are compared with it


@dataclass(frozen=True, eq=False)
class Trust:
    """What labels (h,) far from the proposal mean. inflation (21,): how many times more than usual each keypoint of the
    proposal is doubted; labels (h,): factor on each label's sigma; gross (h,) bool: labels that say that the network is
    wrong, and are believed; elsewhere: how many times more doubtful the hand's place is than was thought (1: not)."""

    inflation: np.ndarray
    labels: np.ndarray
    gross: np.ndarray
    elsewhere: float = 1.0


def trust(
    places: np.ndarray,
    sigma: np.ndarray,
    joints: np.ndarray,
    labels: np.ndarray,
    accuracy: np.ndarray,
    backed_elsewhere: bool = False,
) -> Trust:
    """Judge labels (h,2) of joints (h,) against the proposal's keypoints: places (21,2), sigma (21,), accuracy (h,) of
    the labels; all in crop px. backed_elsewhere: a second view says the same, so that no label is taken for a slip.
    """
    inflation, factor, gross = np.ones(21), np.ones(len(joints)), np.zeros(len(joints), bool)
    if not len(joints):
        return Trust(inflation, factor, gross)
    way = labels - places[joints]
    length = np.hypot(way[:, 0], way[:, 1])
    off = length / np.hypot(sigma[joints], accuracy)
    elsewhere = (
        max(1.0, float(np.median(off)) / ELSEWHERE) if len(joints) >= MOST_OF or FINGER_OF[joints].max() < 0 else 1.0
    )
    for n in np.flatnonzero(off > SUSPECT):
        finger = FINGER_OF[joints[n]]
        if finger < 0:
            gross[n] = off[n] > FAR
            inflation[joints[n]] = max(inflation[joints[n]], off[n] / FAR)
            continue
        mates = [m for m in range(len(joints)) if m != n and FINGER_OF[joints[m]] == finger]
        along = [max(0.0, float(way[m] @ way[n]) / max(length[m] * length[n], 1e-9)) for m in mates]
        backed = max((min(off[m], off[n]) * a for m, a in zip(mates, along, strict=True)), default=0.0)
        distance = np.hypot(*(places - labels[n]).T)
        others = (FINGER_OF != finger) & (distance < NEARER * length[n])
        mistaken = not backed_elsewhere and bool((distance[others] < NEAR * np.maximum(sigma[others], LEAST_PX)).any())
        believed = backed if mistaken else max(backed, off[n])
        if believed > FAR:
            gross[n] = True
            if backed <= FAR and not backed_elsewhere:
                factor[n] = max(1.0, off[n] / WILD) ** 2
            inflation[FINGER_OF == finger] = np.maximum(inflation[FINGER_OF == finger], believed / FAR)
        elif mistaken:
            factor[n] = min(off[n] / SUSPECT, 2.0) * DOUBTED
    return Trust(inflation * elsewhere, factor, gross, elsewhere)
