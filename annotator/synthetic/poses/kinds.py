"""Named postures and contacts: each kind of pose as a random draw of joint angles.

Contacts (thumb on a finger's pad, thumb across a fist) are found by search: many thumb configurations are
computed once, and of those whose pad comes to the target point and faces it, one is taken.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
import scipy.spatial
import scipy.special

from annotator.hand.model import HandModel
from annotator.synthetic.poses.fingers import (
    FOUR,
    NATURAL,
    any_thumb,
    bend,
    fist_fingers,
    lerp,
    open_thumb,
    straight_fingers,
    thumb,
)
from annotator.synthetic.poses.kinematics import FINGER_BASES, THUMB, Kinematics

_THUMBS = 60000  # configurations searched for contacts
_AT_ONCE = 2000  # of them: all together they would wait for memory
OUT_OF_PALM = 15.0  # degrees of abduction beyond the natural that make a contact less likely by one draw's spread


class Thumbs(NamedTuple):
    """Configurations of the thumb: its three joints' angles (T,3,3), where its pad is (T,3), also as a tree, and the
    direction (T,3) it faces. Read them only: all of a process's draws share them."""

    angles: np.ndarray
    pad: np.ndarray
    facing: np.ndarray
    tree: scipy.spatial.cKDTree


@functools.lru_cache(maxsize=4)
def thumbs_of(model: HandModel) -> Thumbs:
    """A hand model's, always the same; computed once, for that takes longer than a hundred photos."""
    hand, rng = Kinematics(model), np.random.default_rng(7)
    angles = np.zeros((_THUMBS, 15, 3))
    angles[:, THUMB] = any_thumb(rng, _THUMBS)
    parts = [hand.pad(*hand.pose(angles[at : at + _AT_ONCE]), "thumb") for at in range(0, _THUMBS, _AT_ONCE)]
    pad, facing = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Thumbs(hand.clip(angles)[:, THUMB].copy(), pad, facing, scipy.spatial.cKDTree(pad))


class Postures:
    """The kinds of poses of one hand model. Each method `_kind(n, rng)` returns angles (n,15,3), within or
    beyond the limits, and reached (n,) bool: whether the contacts it needs were found; None if it needs
    none."""

    def __init__(self, model: HandModel) -> None:
        self.hand = Kinematics(model)
        self.thumbs = thumbs_of(model)

    def _curls(self, n: int, rng: np.random.Generator):
        angles = np.zeros((n, 15, 3))
        common = rng.normal(0, 1, (n, 1))
        share = rng.choice([0.3, 0.7, 0.95], (n, 1))
        curl = scipy.special.ndtr(np.sqrt(share) * common + np.sqrt(1 - share) * rng.normal(0, 1, (n, 4)))
        curl = scipy.special.betaincinv(rng.uniform(0.7, 1.6, (n, 1)), rng.uniform(0.8, 1.8, (n, 1)), curl)
        root = np.clip(curl + rng.normal(0, 0.25, (n, 4)), 0, 1)
        splay = rng.normal(0, 0.5, (n, 1)) + rng.normal(0, 0.25, (n, 4))
        for k, finger in enumerate(FOUR):
            bend(
                angles,
                finger,
                lerp(-15, 88, root[:, k]),
                lerp(-3, 105, curl[:, k]),
                None,
                rng,
                splay=splay[:, k],
            )
        angles[:, THUMB] = any_thumb(rng, n)
        return angles, None

    def _open(self, n: int, rng: np.random.Generator):
        angles = straight_fingers(n, rng, splay=rng.normal(0.0, 0.5, (n, 1)))
        angles[:, THUMB] = np.where(rng.random((n, 1, 1)) < 0.6, open_thumb(rng, n), any_thumb(rng, n))
        # some with the thumb laid along the index finger
        points, _ = self.hand.pose(angles)
        radial = np.broadcast_to(self.hand.frame[0], (n, 3))
        share = rng.uniform(-0.2, 0.5, (n, 1))
        target = points[:, 5] * (1 - share) + points[:, 6] * share + 0.0105 * radial
        beside, reached = self._touch(angles, target, radial, rng, tolerance=0.009, facing=0.0)
        reached &= rng.random(n) < 0.4
        return np.where(reached[:, None, None], beside, angles), None

    def _spread(self, n: int, rng: np.random.Generator):
        angles = straight_fingers(n, rng, splay=rng.uniform(0.6, 1.2, (n, 1)))
        angles[:, THUMB] = open_thumb(rng, n)
        return angles, None

    def _relaxed(self, n: int, rng: np.random.Generator):
        angles = np.zeros((n, 15, 3))
        amount = rng.uniform(0.1, 0.6, n)
        for k, finger in enumerate(FOUR):
            more = amount + 0.05 * k + rng.normal(0, 0.05, n)
            bend(angles, finger, 70 * more, 85 * more, None, rng, splay=rng.normal(0, 0.3, n))
        angles[:, THUMB] = thumb(n, rng, (-18, 8), (-18, 8), (5, 25), (5, 30))
        return angles, None

    def _hook(self, n: int, rng: np.random.Generator):
        angles = np.zeros((n, 15, 3))
        for finger in FOUR:
            bend(angles, finger, rng.normal(5, 12, n), rng.normal(85, 12, n), rng.normal(55, 10, n), rng)
        angles[:, THUMB] = any_thumb(rng, n)
        return angles, None

    def _claw(self, n: int, rng: np.random.Generator):
        angles = np.zeros((n, 15, 3))
        wide = rng.uniform(0.3, 1.1, n)
        for finger in FOUR:
            bend(
                angles,
                finger,
                rng.normal(-2, 10, n),
                rng.normal(50, 15, n),
                rng.normal(30, 12, n),
                rng,
                splay=wide,
            )
        angles[:, THUMB] = thumb(n, rng, (-20, 10), (-12, 35), (0, 40), (10, 60))
        return angles, None

    def _thumbs_up(self, n: int, rng: np.random.Generator):
        angles = fist_fingers(n, rng)
        angles[:, THUMB] = thumb(n, rng, (-30, -8), (-23, 6), (-15, 12), (-25, 10))
        return angles, None

    def _fist_across(self, n: int, rng: np.random.Generator):
        """Thumb pad on the back of the middle phalanges of index, middle or ring."""
        return self._thumb_over(fist_fingers(n, rng), rng.choice(4, n, p=[0.4, 0.4, 0.15, 0.05]), rng)

    def _fist_beside(self, n: int, rng: np.random.Generator):
        """Thumb along the radial side of the bent index finger."""
        angles = fist_fingers(n, rng)
        points, rotations = self.hand.pose(angles)
        share = rng.uniform(0.1, 0.9, (n, 1))
        target = points[:, 5] * (1 - share) + points[:, 6] * share
        radial = np.broadcast_to(self.hand.frame[0], target.shape)
        return self._touch(angles, target + 0.0095 * radial, radial, rng, tolerance=0.008)

    def _thumb_over(self, angles: np.ndarray, finger: np.ndarray, rng: np.random.Generator):
        """Thumb pad on the back of a finger's (0 index to 3 little) middle or last phalanx, or on its
        nail."""
        points, rotations = self.hand.pose(angles)
        rows = np.arange(len(angles))
        bone = (rng.random(len(angles)) < 0.35).astype(int)  # 0 the middle phalanx, 1 the last
        backs = np.array([[self.hand.back(rotations, name, level) for level in (1, 2)] for name in FOUR])
        normal = backs[finger, bone, rows]
        start, end = points[rows, 6 + 4 * finger + bone], points[rows, 7 + 4 * finger + bone]
        share = rng.uniform(0.2, 0.9, (len(angles), 1))
        target = start * (1 - share) + end * share + np.where(bone, 0.0065, 0.0085)[:, None] * normal
        return self._touch(angles, target, normal, rng, tolerance=0.007)

    def _count(self, n: int, rng: np.random.Generator):
        """Every subset of fingers stretched, the rest closed; the thumb out, over the closed ones, or across
        the palm."""
        angles = straight_fingers(n, rng, splay=rng.normal(0.2, 0.5, (n, 1)))
        fist = fist_fingers(n, rng)
        up = rng.random((n, 4)) < 0.5
        usual = np.array(
            [
                [1, 0, 0, 0],
                [1, 1, 0, 0],
                [1, 1, 1, 0],
                [1, 1, 1, 1],
                [1, 0, 0, 1],
                [0, 0, 0, 1],
                [0, 1, 1, 1],
                [1, 1, 0, 1],
                [1, 0, 1, 1],
            ],
            bool,
        )
        take = rng.random(n) < 0.65
        up[take] = usual[rng.integers(0, len(usual), int(take.sum()))]
        for k, finger in enumerate(FOUR):
            base = FINGER_BASES[finger]
            down = ~up[:, k]
            angles[down, base : base + 3] = fist[down, base : base + 3]
        out = rng.random(n) < 0.4
        angles[:, THUMB] = open_thumb(rng, n)
        folded = ~out
        closed = ~up
        which = np.where(closed, rng.random((n, 4)), -1.0).argmax(axis=1)
        held = rng.random(n) < 0.5  # the thumb holds down a finger that is bent, not closed
        for k, finger in enumerate(FOUR):
            rows = held & (which == k) & closed[:, k]
            one = np.zeros((int(rows.sum()), 15, 3))
            knuckle = rng.uniform(55, 100, len(one))
            tip = knuckle * rng.uniform(0.2, 0.7, len(one))
            bend(one, finger, rng.uniform(35, 88, len(one)), knuckle, tip, rng)
            angles[rows, FINGER_BASES[finger] : FINGER_BASES[finger] + 3] = one[
                :, FINGER_BASES[finger] : FINGER_BASES[finger] + 3
            ]
        over, reached = self._thumb_over(angles, which, rng)
        palm, reached_palm = self._thumb_in_palm(angles, rng)
        has_closed = np.any(closed, axis=1)
        angles = np.where(folded[:, None, None], np.where(has_closed[:, None, None], over, palm), angles)
        return angles, out | np.where(has_closed, reached, reached_palm)

    def _thumb_in_palm(self, angles: np.ndarray, rng: np.random.Generator):
        """Thumb across the open palm (a four)."""
        points, _ = self.hand.pose(angles)
        n = len(angles)
        base = points[:, 9] * 0.6 + points[:, 0] * 0.4
        across = rng.uniform(-0.1, 0.8, (n, 1)) * (points[:, 5] - points[:, 9])
        out = self.hand.frame[2]
        up = rng.uniform(0.0, 0.35, (n, 1)) * (points[:, 9] - points[:, 0])
        target = base + across + up + 0.015 * out
        return self._touch(angles, target, np.broadcast_to(out, target.shape), rng, tolerance=0.012, facing=0.0)

    def _pinch(self, n: int, rng: np.random.Generator):
        """Thumb and one fingertip touch; the others stretched, bent, or closed (OK, sign-language 6 to 9,
        pinches)."""
        finger = rng.choice(4, n, p=[0.4, 0.25, 0.2, 0.15])
        angles = np.zeros((n, 15, 3))
        style = rng.integers(0, 4, n)
        straight, fist, curls = (
            straight_fingers(n, rng, rng.normal(0.3, 0.5, (n, 1))),
            fist_fingers(n, rng),
            self._curls(n, rng)[0],
        )
        pose = np.select([style[:, None, None] == 0, style[:, None, None] == 1], [straight, fist], curls)
        like = style == 3
        bent = np.zeros((n, 15, 3))
        root, knuckle = rng.uniform(15, 80, n), rng.uniform(15, 85, n)
        for name in FOUR:
            bend(
                bent,
                name,
                root + rng.normal(0, 5, n),
                knuckle + rng.normal(0, 6, n),
                np.clip(knuckle * rng.uniform(0.1, 0.8), 0, 60),
                rng,
            )
        pose[like] = bent[like]
        angles[:] = pose
        pad, facing = np.zeros((n, 3)), np.zeros((n, 3))
        for k, name in enumerate(FOUR):
            rows = finger == k
            base = FINGER_BASES[name]
            angles[rows, base : base + 3] = bent[rows, base : base + 3]
        points, rotations = self.hand.pose(angles)
        for k, name in enumerate(FOUR):
            rows = finger == k
            pads, faces = self.hand.pad(points, rotations, name)
            pad[rows], facing[rows] = pads[rows], faces[rows]
        return self._touch(angles, pad, facing, rng, tolerance=0.005, facing=0.25)

    def _gather(self, n: int, rng: np.random.Generator):
        """All tips together, or the O: fingers bent alike, the thumb on the pads of index and middle."""
        angles = np.zeros((n, 15, 3))
        root, knuckle = rng.uniform(20, 75, n), rng.uniform(20, 75, n)
        for k, finger in enumerate(FOUR):
            bend(
                angles,
                finger,
                root + 4 * k + rng.normal(0, 3, n),
                knuckle + rng.normal(0, 4, n),
                None,
                rng,
                splay=np.full(n, -0.3),
            )
        points, rotations = self.hand.pose(angles)
        index, facing = self.hand.pad(points, rotations, "index")
        middle, facing2 = self.hand.pad(points, rotations, "middle")
        return self._touch(angles, 0.5 * (index + middle), facing + facing2, rng, tolerance=0.006, facing=0.2)

    def _touch(
        self,
        angles: np.ndarray,
        target: np.ndarray,
        normal: np.ndarray,
        rng: np.random.Generator,
        tolerance: float,
        facing: float = 0.3,
    ):
        """Give each pose a thumb whose pad lies on `target` (n,3) and faces against `normal` (n,3)."""
        normal = normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        distance, near = self.thumbs.tree.query(target, k=96)
        against = -np.einsum("nkc,nc->nk", self.thumbs.facing[near], normal)
        good = (distance < tolerance) & (against > facing)
        # of the configurations that touch, one that leaves the thumb's base by the palm is the likelier
        out = np.maximum(np.rad2deg(self.thumbs.angles[near, 0, 1]) - NATURAL, 0.0) / OUT_OF_PALM
        cost = np.where(good, rng.random(distance.shape) + out, 10 + distance / tolerance - against)
        pick = cost.argmin(axis=1)
        rows = np.arange(len(angles))
        angles = angles.copy()
        angles[:, THUMB] = self.thumbs.angles[near[rows, pick]]
        return angles, good[rows, pick]
