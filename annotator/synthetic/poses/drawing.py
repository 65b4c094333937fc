"""Natural and wide hand poses: correlated curls, named postures, pinches solved for contact, grasps of
solids.

`PoseSampler.sample` draws poses as joint angles (flexion, abduction, twist about the hand model's anatomical
axes), all within its limits and free of strong self-penetration. Contacts are found by search
(`kinds`); grasps close each joint until its bone touches the solid (`grasps`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from annotator.synthetic.poses.grasps import grasps
from annotator.synthetic.poses.kinds import Postures
from annotator.synthetic.solids import Solid

KINDS = (
    "curls",
    "open",
    "spread",
    "fist_across",
    "fist_beside",
    "count",
    "pinch",
    "gather",
    "thumbs_up",
    "hook",
    "claw",
    "relaxed",
    "grasp_cylinder",
    "grasp_sphere",
    "grasp_box",
    "between",
)
_SHARES = np.array([0.17, 0.06, 0.05, 0.05, 0.03, 0.16, 0.13, 0.04, 0.03, 0.03, 0.03, 0.05, 0.05, 0.03, 0.03, 0.06])


@dataclass(frozen=True, eq=False)
class Poses:
    """angles (N,15,3) rad in MANO's joint order; kind (N,) index into KINDS; solids: N entries, None or the
    grasped Solid in the frame of the rest hand (wrist joint at the origin), metres."""

    angles: np.ndarray
    kind: np.ndarray
    solids: list[Solid | None]


class PoseSampler(Postures):
    """Draws poses for one hand model (contacts and penetration are judged at its mean shape).

    Building it takes about a second; `sample` about a millisecond a pose. Deterministic for a given generator
    state.
    """

    def sample(self, count: int, rng: np.random.Generator, shares: Mapping[str, float] | None = None) -> Poses:
        """`count` poses of all kinds, or of those in `shares` (kind -> share), shuffled."""
        chances = _SHARES if not shares else np.array([shares.get(kind, 0.0) for kind in KINDS])
        kinds = rng.choice(len(KINDS), count, p=chances / chances.sum())
        angles = np.zeros((count, 15, 3))
        solids: list[Solid | None] = [None] * count
        between = KINDS.index("between")
        for kind in range(len(KINDS)):
            where = np.flatnonzero(kinds == kind)
            if kind == between or not len(where):
                continue
            drawn, held = self._kind(KINDS[kind], len(where), rng)
            angles[where] = drawn
            for place, solid in zip(where, held, strict=True):
                solids[place] = solid
        where = np.flatnonzero(kinds == between)
        if len(where):
            angles[where] = self._accepted(len(where), rng, lambda n: (self._between(n, rng), None))[0]
        return Poses(angles, kinds.astype(np.int64), solids)

    def _kind(self, name: str, count: int, rng: np.random.Generator) -> tuple[np.ndarray, list]:
        if name.startswith("grasp"):
            return grasps(self.hand, name.split("_")[1], count, rng)
        draw = getattr(self, "_" + name)
        return self._accepted(count, rng, lambda n: draw(n, rng))[0], [None] * count

    def _accepted(self, count: int, rng: np.random.Generator, draw) -> tuple[np.ndarray, np.ndarray]:
        """Draw until `count` poses reach their contacts and do not penetrate; gives up rejecting after a
        while."""
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

    def _between(self, n: int, rng: np.random.Generator) -> np.ndarray:
        kinds = [k for k in KINDS if not k.startswith("grasp") and k != "between"]
        pool = np.concatenate([getattr(self, "_" + k)(max(4, n // 6), rng)[0] for k in kinds])
        pool = self.hand.clip(pool)
        share = rng.uniform(0.2, 0.8, (n, 1, 1))
        return (1 - share) * pool[rng.integers(0, len(pool), n)] + share * pool[rng.integers(0, len(pool), n)]
