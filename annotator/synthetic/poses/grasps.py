"""Grasps: every joint of a hand closes on a solid in its palm until its bone touches."""

from __future__ import annotations

import numpy as np

from annotator.synthetic.poses.fingers import FOUR, bend, thumb
from annotator.synthetic.poses.kinematics import FINGER_BASES, THUMB, Kinematics
from annotator.synthetic.solids import Solid, grasp_solids


def grasps(hand: Kinematics, shape: str, count: int, rng: np.random.Generator) -> tuple[np.ndarray, list[Solid]]:
    """Close every joint on a solid held in the palm; contact poses that penetrate are drawn again."""
    kept: list[np.ndarray] = []
    held: list[Solid] = []
    for attempt in range(6):
        n = int((count - len(held)) * 1.6) + 4
        solids = grasp_solids(shape, n, hand.rest, hand.frame, rng)
        angles = _closed_on(hand, solids, shape, n, rng)
        angles = hand.clip(angles)
        good = ~hand.penetrates(hand.pose(angles)[0])
        if attempt == 5:
            good[:] = True
        for row in np.flatnonzero(good):
            kept.append(angles[row])
            held.append(solids[row])
        if len(held) >= count:
            break
    return np.array(kept[:count]), held[:count]


def _closed_on(hand: Kinematics, solids: list[Solid], shape: str, n: int, rng: np.random.Generator) -> np.ndarray:
    angles = np.zeros((n, 15, 3))
    wide = rng.uniform(0.4, 1.2, n) if shape == "sphere" else rng.normal(0.0, 0.25, n)
    for finger in FOUR:
        bend(angles, finger, np.full(n, -20.0), np.full(n, 2.0), np.full(n, 2.0), rng, splay=wide, jitter=0.3)
    angles[:, THUMB] = thumb(n, rng, (-25, -5), (0, 42), (-5, 5), (-5, 5))
    beside = rng.random(n) < 0.2  # thumb along the solid instead of round it
    angles[beside, THUMB.start, 1] = np.deg2rad(rng.uniform(-5, 15, int(beside.sum())))
    angles = hand.clip(angles)
    limit = np.deg2rad(np.array([88.0, 100.0, 65.0]))
    thumb_limit = np.deg2rad(np.array([35.0, 55.0, 70.0]))
    step = np.deg2rad(3.0)
    for level in range(3):
        still = np.ones((n, 5), bool)
        for _ in range(40):
            trial = angles.copy()
            for k, finger in enumerate(("thumb",) + FOUR):
                joint = FINGER_BASES[finger] + level
                trial[:, joint, 0] += step * still[:, k]
                top = thumb_limit[level] if k == 0 else limit[level]
                still[:, k] &= trial[:, joint, 0] < top
            points, _ = hand.pose(trial)
            gap = hand.clearance(points, solids)  # (n,5,3): finger, bone
            still &= gap[:, :, level:].min(axis=2) > 0
            if not still.any():
                break
            for k, finger in enumerate(("thumb",) + FOUR):
                joint = FINGER_BASES[finger] + level
                angles[still[:, k], joint, 0] = trial[still[:, k], joint, 0]
    return angles
