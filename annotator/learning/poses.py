"""Natural and wide hand poses: correlated curls, named postures, pinches solved for contact, grasps of solids.

`PoseSampler.sample` draws poses as joint angles (flexion, abduction, twist about the hand model's anatomical axes), all
within its limits and free of strong self-penetration. Contacts (thumb on a finger's pad, thumb across a fist) are found
by search: many thumb configurations are computed once, and the nearest ones to a target point whose pad faces it are
taken. Grasps close each joint until its bone touches the solid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.spatial
import scipy.special

from annotator.learning.synthetic_solids import Solid, grasp_solids
from annotator.learning.poses_kinematics import FINGER_BASES, THUMB, Kinematics

KINDS = ("curls", "open", "spread", "fist_across", "fist_beside", "count", "pinch", "gather", "thumbs_up", "hook",
         "claw", "relaxed", "grasp_cylinder", "grasp_sphere", "grasp_box", "between")
_SHARES = np.array([0.17, 0.06, 0.05, 0.05, 0.03, 0.16, 0.13, 0.04, 0.03, 0.03, 0.03, 0.05, 0.05, 0.03, 0.03, 0.06])

_THUMBS = 30000  # configurations searched for contacts


@dataclass(frozen=True, eq=False)
class Poses:
    """angles (N,15,3) rad in MANO's joint order; kind (N,) index into KINDS; solids: N entries, None or the grasped
    Solid in the frame of the rest hand (wrist joint at the origin), metres."""

    angles: np.ndarray
    kind: np.ndarray
    solids: list[Solid | None]


class PoseSampler:
    """Draws poses for one hand model (contacts and penetration are judged at its mean shape).

    Building it takes about a second; `sample` about a millisecond a pose. Deterministic for a given generator state.
    """

    def __init__(self, model) -> None:
        self.hand = Kinematics(model)
        rng = np.random.default_rng(7)
        angles = np.zeros((_THUMBS, 15, 3))
        angles[:, THUMB] = _any_thumb(rng, _THUMBS)
        self.thumb_angles = self.hand.clip(angles)[:, THUMB]
        points, rotations = self.hand.pose(angles)
        self.thumb_pad, self.thumb_facing = self.hand.pad(points, rotations, "thumb")
        self.thumb_tree = scipy.spatial.cKDTree(self.thumb_pad)

    def sample(self, count: int, rng: np.random.Generator) -> Poses:
        """`count` poses of all kinds, shuffled."""
        kinds = rng.choice(len(KINDS), count, p=_SHARES / _SHARES.sum())
        angles = np.zeros((count, 15, 3))
        solids: list[Solid | None] = [None] * count
        between = KINDS.index("between")
        for kind in range(len(KINDS)):
            where = np.flatnonzero(kinds == kind)
            if kind == between or not len(where):
                continue
            drawn, held = self._kind(KINDS[kind], len(where), rng)
            angles[where] = drawn
            for place, solid in zip(where, held):
                solids[place] = solid
        where = np.flatnonzero(kinds == between)
        if len(where):
            angles[where] = self._accepted(len(where), rng, lambda n: (self._between(n, rng), None))[0]
        return Poses(angles, kinds.astype(np.int64), solids)

    def _kind(self, name: str, count: int, rng: np.random.Generator) -> tuple[np.ndarray, list]:
        if name.startswith("grasp"):
            return self._grasps(name.split("_")[1], count, rng)
        draw = getattr(self, "_" + name)
        return self._accepted(count, rng, lambda n: draw(n, rng))[0], [None] * count

    def _accepted(self, count: int, rng: np.random.Generator, draw) -> tuple[np.ndarray, np.ndarray]:
        """Draw until `count` poses reach their contacts and do not penetrate; gives up rejecting after a while."""
        kept, rejected, need = [], [], count
        for _ in range(12):
            angles, reached = draw(int(need * 1.5) + 4)
            angles = self.hand.clip(angles)
            good = ~self.hand.penetrates(self.hand.pose(angles)[0])
            if reached is not None:
                good &= reached
            kept.append(angles[good])
            rejected.append(angles[~good])
            need = count - sum(len(k) for k in kept)
            if need <= 0:
                break
        angles = np.concatenate(kept + rejected)[:count]
        return angles, np.arange(count) < sum(len(k) for k in kept)

    # ---- kinds: each returns (angles (n,15,3), reached (n,) bool or None) ----

    def _curls(self, n: int, rng: np.random.Generator):
        angles = np.zeros((n, 15, 3))
        common = rng.normal(0, 1, (n, 1))
        share = rng.choice([0.3, 0.7, 0.95], (n, 1))
        curl = scipy.special.ndtr(np.sqrt(share) * common + np.sqrt(1 - share) * rng.normal(0, 1, (n, 4)))
        curl = scipy.special.betaincinv(rng.uniform(0.7, 1.6, (n, 1)), rng.uniform(0.8, 1.8, (n, 1)), curl)
        root = np.clip(curl + rng.normal(0, 0.25, (n, 4)), 0, 1)
        splay = rng.normal(0, 0.5, (n, 1)) + rng.normal(0, 0.25, (n, 4))
        for k, finger in enumerate(_FINGERS):
            _bend(angles, finger, _lerp(-15, 88, root[:, k]), _lerp(-3, 105, curl[:, k]), None, rng,
                  splay=splay[:, k])
        angles[:, THUMB] = _any_thumb(rng, n)
        return angles, None

    def _open(self, n: int, rng: np.random.Generator):
        angles = _straight(n, rng, splay=rng.normal(0.0, 0.5, (n, 1)))
        angles[:, THUMB] = np.where(rng.random((n, 1, 1)) < 0.6, _open_thumb(rng, n), _any_thumb(rng, n))
        # some with the thumb laid along the index finger
        points, _ = self.hand.pose(angles)
        radial = np.broadcast_to(self.hand.frame[0], (n, 3))
        share = rng.uniform(-0.2, 0.5, (n, 1))
        target = points[:, 5] * (1 - share) + points[:, 6] * share + 0.0105 * radial
        beside, reached = self._touch(angles, target, radial, rng, tolerance=0.009, facing=0.0)
        reached &= rng.random(n) < 0.4
        return np.where(reached[:, None, None], beside, angles), None

    def _spread(self, n: int, rng: np.random.Generator):
        angles = _straight(n, rng, splay=rng.uniform(0.6, 1.2, (n, 1)))
        angles[:, THUMB] = _open_thumb(rng, n)
        return angles, None

    def _relaxed(self, n: int, rng: np.random.Generator):
        angles = np.zeros((n, 15, 3))
        amount = rng.uniform(0.1, 0.6, n)
        for k, finger in enumerate(_FINGERS):
            more = amount + 0.05 * k + rng.normal(0, 0.05, n)
            _bend(angles, finger, 70 * more, 85 * more, None, rng, splay=rng.normal(0, 0.3, n))
        angles[:, THUMB] = _thumb(n, rng, (-5, 10), (10, 30), (5, 25), (5, 30))
        return angles, None

    def _hook(self, n: int, rng: np.random.Generator):
        angles = np.zeros((n, 15, 3))
        for finger in _FINGERS:
            _bend(angles, finger, rng.normal(5, 12, n), rng.normal(85, 12, n), rng.normal(55, 10, n), rng)
        angles[:, THUMB] = _any_thumb(rng, n)
        return angles, None

    def _claw(self, n: int, rng: np.random.Generator):
        angles = np.zeros((n, 15, 3))
        wide = rng.uniform(0.3, 1.1, n)
        for finger in _FINGERS:
            _bend(angles, finger, rng.normal(-2, 10, n), rng.normal(50, 15, n), rng.normal(30, 12, n), rng, splay=wide)
        angles[:, THUMB] = _thumb(n, rng, (-15, 10), (10, 45), (0, 40), (10, 60))
        return angles, None

    def _thumbs_up(self, n: int, rng: np.random.Generator):
        angles = _fist(n, rng)
        angles[:, THUMB] = _thumb(n, rng, (-30, -8), (-15, 15), (-15, 12), (-25, 10))
        return angles, None

    def _fist_across(self, n: int, rng: np.random.Generator):
        """Thumb pad on the back of the middle phalanges of index, middle or ring."""
        return self._thumb_over(_fist(n, rng), rng.choice(4, n, p=[0.4, 0.4, 0.15, 0.05]), rng)

    def _fist_beside(self, n: int, rng: np.random.Generator):
        """Thumb along the radial side of the bent index finger."""
        angles = _fist(n, rng)
        points, rotations = self.hand.pose(angles)
        share = rng.uniform(0.1, 0.9, (n, 1))
        target = points[:, 5] * (1 - share) + points[:, 6] * share
        radial = np.broadcast_to(self.hand.frame[0], target.shape)
        return self._touch(angles, target + 0.0095 * radial, radial, rng, tolerance=0.008)

    def _thumb_over(self, angles: np.ndarray, finger: np.ndarray, rng: np.random.Generator):
        """Thumb pad on the back of a finger's (0 index to 3 little) middle or last phalanx, or on its nail."""
        points, rotations = self.hand.pose(angles)
        rows = np.arange(len(angles))
        bone = (rng.random(len(angles)) < 0.35).astype(int)  # 0 the middle phalanx, 1 the last
        backs = np.array([[self.hand.back(rotations, name, level) for level in (1, 2)] for name in _FINGERS])
        normal = backs[finger, bone, rows]
        start, end = points[rows, 6 + 4 * finger + bone], points[rows, 7 + 4 * finger + bone]
        share = rng.uniform(0.2, 0.9, (len(angles), 1))
        target = start * (1 - share) + end * share + np.where(bone, 0.0065, 0.0085)[:, None] * normal
        return self._touch(angles, target, normal, rng, tolerance=0.007)

    def _count(self, n: int, rng: np.random.Generator):
        """Every subset of fingers stretched, the rest closed; the thumb out, over the closed ones, or across the palm."""
        angles = _straight(n, rng, splay=rng.normal(0.2, 0.5, (n, 1)))
        fist = _fist(n, rng)
        up = rng.random((n, 4)) < 0.5
        usual = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1], [1, 0, 0, 1], [0, 0, 0, 1],
                          [0, 1, 1, 1], [1, 1, 0, 1], [1, 0, 1, 1]], bool)
        take = rng.random(n) < 0.65
        up[take] = usual[rng.integers(0, len(usual), int(take.sum()))]
        for k, finger in enumerate(_FINGERS):
            base = FINGER_BASES[finger]
            down = ~up[:, k]
            angles[down, base:base + 3] = fist[down, base:base + 3]
        out = rng.random(n) < 0.4
        angles[:, THUMB] = _open_thumb(rng, n)
        folded = ~out
        closed = ~up
        which = np.where(closed, rng.random((n, 4)), -1.0).argmax(axis=1)
        held = rng.random(n) < 0.5  # the thumb holds down a finger that is bent, not closed
        for k, finger in enumerate(_FINGERS):
            rows = held & (which == k) & closed[:, k]
            one = np.zeros((int(rows.sum()), 15, 3))
            bend = rng.uniform(55, 100, len(one))
            _bend(one, finger, rng.uniform(35, 88, len(one)), bend, bend * rng.uniform(0.2, 0.7, len(one)), rng)
            angles[rows, FINGER_BASES[finger]:FINGER_BASES[finger] + 3] = \
                one[:, FINGER_BASES[finger]:FINGER_BASES[finger] + 3]
        over, reached = self._thumb_over(angles, which, rng)
        palm, reached_palm = self._thumb_in_palm(angles, rng)
        has_closed = closed.any(axis=1)
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
        """Thumb and one fingertip touch; the others stretched, bent, or closed (OK, sign-language 6 to 9, pinches)."""
        finger = rng.choice(4, n, p=[0.4, 0.25, 0.2, 0.15])
        angles = np.zeros((n, 15, 3))
        style = rng.integers(0, 4, n)
        straight, fist, curls = _straight(n, rng, rng.normal(0.3, 0.5, (n, 1))), _fist(n, rng), self._curls(n, rng)[0]
        pose = np.select([style[:, None, None] == 0, style[:, None, None] == 1], [straight, fist], curls)
        like = style == 3
        bent = np.zeros((n, 15, 3))
        root, knuckle = rng.uniform(15, 80, n), rng.uniform(15, 85, n)
        for name in _FINGERS:
            _bend(bent, name, root + rng.normal(0, 5, n), knuckle + rng.normal(0, 6, n),
                  np.clip(knuckle * rng.uniform(0.1, 0.8), 0, 60), rng)
        pose[like] = bent[like]
        angles[:] = pose
        pad, facing = np.zeros((n, 3)), np.zeros((n, 3))
        for k, name in enumerate(_FINGERS):
            rows = finger == k
            base = FINGER_BASES[name]
            angles[rows, base:base + 3] = bent[rows, base:base + 3]
        points, rotations = self.hand.pose(angles)
        for k, name in enumerate(_FINGERS):
            rows = finger == k
            pads, faces = self.hand.pad(points, rotations, name)
            pad[rows], facing[rows] = pads[rows], faces[rows]
        return self._touch(angles, pad, facing, rng, tolerance=0.005, facing=0.25)

    def _gather(self, n: int, rng: np.random.Generator):
        """All tips together, or the O: fingers bent alike, the thumb on the pads of index and middle."""
        angles = np.zeros((n, 15, 3))
        root, knuckle = rng.uniform(20, 75, n), rng.uniform(20, 75, n)
        for k, finger in enumerate(_FINGERS):
            _bend(angles, finger, root + 4 * k + rng.normal(0, 3, n), knuckle + rng.normal(0, 4, n), None, rng,
                  splay=np.full(n, -0.3))
        points, rotations = self.hand.pose(angles)
        index, facing = self.hand.pad(points, rotations, "index")
        middle, facing2 = self.hand.pad(points, rotations, "middle")
        return self._touch(angles, 0.5 * (index + middle), facing + facing2, rng, tolerance=0.006, facing=0.2)

    def _between(self, n: int, rng: np.random.Generator) -> np.ndarray:
        kinds = [k for k in KINDS if not k.startswith("grasp") and k != "between"]
        pool = np.concatenate([getattr(self, "_" + k)(max(4, n // 6), rng)[0] for k in kinds])
        pool = self.hand.clip(pool)
        share = rng.uniform(0.2, 0.8, (n, 1, 1))
        return (1 - share) * pool[rng.integers(0, len(pool), n)] + share * pool[rng.integers(0, len(pool), n)]

    # ---- contacts ----

    def _touch(self, angles: np.ndarray, target: np.ndarray, normal: np.ndarray, rng: np.random.Generator,
               tolerance: float, facing: float = 0.3):
        """Give each pose a thumb whose pad lies on `target` (n,3) and faces against `normal` (n,3)."""
        normal = normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        distance, near = self.thumb_tree.query(target, k=48)
        against = -np.einsum("nkc,nc->nk", self.thumb_facing[near], normal)
        good = (distance < tolerance) & (against > facing)
        cost = np.where(good, rng.random(distance.shape), 10 + distance / tolerance - against)
        pick = cost.argmin(axis=1)
        rows = np.arange(len(angles))
        angles = angles.copy()
        angles[:, THUMB] = self.thumb_angles[near[rows, pick]]
        return angles, good[rows, pick]

    # ---- grasps ----

    def _grasps(self, shape: str, count: int, rng: np.random.Generator) -> tuple[np.ndarray, list[Solid]]:
        """Close every joint on a solid held in the palm; contact poses that penetrate are drawn again."""
        kept, held = [], []
        for attempt in range(6):
            n = int((count - len(held)) * 1.6) + 4
            solids = grasp_solids(shape, n, self.hand.rest, self.hand.frame, rng)
            angles = self._closed_on(solids, shape, n, rng)
            angles = self.hand.clip(angles)
            good = ~self.hand.penetrates(self.hand.pose(angles)[0])
            if attempt == 5:
                good[:] = True
            for row in np.flatnonzero(good):
                kept.append(angles[row])
                held.append(solids[row])
            if len(held) >= count:
                break
        return np.array(kept[:count]), held[:count]

    def _closed_on(self, solids: list[Solid], shape: str, n: int, rng: np.random.Generator) -> np.ndarray:
        angles = np.zeros((n, 15, 3))
        wide = rng.uniform(0.4, 1.2, n) if shape == "sphere" else rng.normal(0.0, 0.25, n)
        for finger in _FINGERS:
            _bend(angles, finger, np.full(n, -20.0), np.full(n, 2.0), np.full(n, 2.0), rng, splay=wide, jitter=0.3)
        angles[:, THUMB] = _thumb(n, rng, (-25, -10), (25, 50), (-5, 5), (-5, 5))
        beside = rng.random(n) < 0.2  # thumb along the solid instead of round it
        angles[beside, THUMB.start, 1] = np.deg2rad(rng.uniform(-5, 15, int(beside.sum())))
        angles = self.hand.clip(angles)
        limit = np.deg2rad(np.array([88.0, 100.0, 65.0]))
        thumb_limit = np.deg2rad(np.array([35.0, 55.0, 70.0]))
        step = np.deg2rad(3.0)
        for level in range(3):
            still = np.ones((n, 5), bool)
            for _ in range(40):
                trial = angles.copy()
                for k, finger in enumerate(("thumb",) + _FINGERS):
                    joint = FINGER_BASES[finger] + level
                    trial[:, joint, 0] += step * still[:, k]
                    top = thumb_limit[level] if k == 0 else limit[level]
                    still[:, k] &= trial[:, joint, 0] < top
                points, _ = self.hand.pose(trial)
                gap = self.hand.clearance(points, solids)  # (n,5,3): finger, bone
                still &= gap[:, :, level:].min(axis=2) > 0
                if not still.any():
                    break
                for k, finger in enumerate(("thumb",) + _FINGERS):
                    joint = FINGER_BASES[finger] + level
                    angles[still[:, k], joint, 0] = trial[still[:, k], joint, 0]
        return angles


_FINGERS = ("index", "middle", "ring", "little")
# splay 1 = fingers well apart; degrees of abduction (positive: toward the thumb's side)
_SPLAY = {"index": 13.0, "middle": 1.0, "ring": -9.0, "little": -20.0}


def _lerp(low: float, high: float, share: np.ndarray) -> np.ndarray:
    return low + (high - low) * share


def _bend(angles, finger, mcp, pip, dip, rng, splay=0.0, jitter=1.0) -> None:
    """Set one finger (degrees); dip None couples the DIP joint to the PIP joint as tendons do."""
    n, base = len(angles), FINGER_BASES[finger]
    if dip is None:
        dip = pip * rng.uniform(0.45, 0.75, n) + rng.normal(0, 5, n)
    angles[:, base, 0] = np.deg2rad(mcp + jitter * rng.normal(0, 4, n))
    angles[:, base, 1] = np.deg2rad(_SPLAY[finger] * splay + jitter * rng.normal(0, 2.5, n))
    angles[:, base, 2] = np.deg2rad(jitter * rng.normal(0, 2, n))
    angles[:, base + 1, 0] = np.deg2rad(pip + jitter * rng.normal(0, 4, n))
    angles[:, base + 2, 0] = np.deg2rad(dip + jitter * rng.normal(0, 3, n))


def _straight(n: int, rng: np.random.Generator, splay: np.ndarray) -> np.ndarray:
    angles = np.zeros((n, 15, 3))
    lean = rng.normal(0, 10, n)
    bow = np.abs(rng.normal(0, 8, n))
    for finger in _FINGERS:
        _bend(angles, finger, lean + rng.normal(0, 5, n), bow + np.abs(rng.normal(0, 5, n)), None, rng,
              splay=splay[:, 0] + rng.normal(0, 0.15, n))
    return angles


def _fist(n: int, rng: np.random.Generator) -> np.ndarray:
    angles = np.zeros((n, 15, 3))
    tight = rng.uniform(0.8, 1.0, n)
    for finger in _FINGERS:
        _bend(angles, finger, 90 * tight + rng.normal(0, 4, n), 102 * tight + rng.normal(0, 5, n),
              58 * tight + rng.normal(0, 8, n), rng, splay=rng.normal(-0.1, 0.1, n), jitter=0.6)
    return angles


def _thumb(n: int, rng: np.random.Generator, flexion, abduction, mcp, ip) -> np.ndarray:
    """(n,3,3) thumb angles from ranges in degrees; the saddle joint's twist follows flexion and abduction."""
    angles = np.zeros((n, 3, 3))
    flex, abduct = rng.uniform(*flexion, n), rng.uniform(*abduction, n)
    twist = -0.5 * np.maximum(abduct, 0) - 0.55 * flex + rng.normal(0, 6, n)
    for joint, (a, b, c) in enumerate(((flex, abduct, twist),
                                       (rng.uniform(*mcp, n), rng.normal(0, 4, n), rng.normal(0, 3, n)),
                                       (rng.uniform(*ip, n), 0.0, 0.0))):
        angles[:, joint, 0], angles[:, joint, 1], angles[:, joint, 2] = np.deg2rad(a), np.deg2rad(b), np.deg2rad(c)
    return angles


def _any_thumb(rng: np.random.Generator, n: int) -> np.ndarray:
    angles = _thumb(n, rng, (-28, 38), (-20, 52), (-12, 60), (-20, 80))
    # MCP and IP bend together more often than not
    together = rng.random(n) < 0.5
    angles[together, 2, 0] = np.deg2rad(np.clip(np.rad2deg(angles[together, 1, 0]) * 1.1
                                                + rng.normal(0, 12, int(together.sum())), -20, 80))
    return angles


def _open_thumb(rng: np.random.Generator, n: int) -> np.ndarray:
    return _thumb(n, rng, (-28, 5), (-10, 35), (-10, 20), (-20, 20))
