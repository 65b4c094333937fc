"""Which hands to ask about next: strategies behind one call, and a user's own by entry point.

A strategy is a function (candidates, count, random) -> choices, best first, no hand twice. A package adds one with

    [project.entry-points."annotator.strategies"]
    mine = "my_package:choose"

`uncertainty`: Lewis and Gale 1994; `core-set`: Sener and Savarese 2018 (greedy k-centre); `weighted-core-set`:
core-set weighted by the expected drop of the mesh's variance by the best single correction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from annotator.errors import InputError
from annotator.registry import Registry
from annotator.rounds.selection.candidates import Candidates

RANDOM_SHARE = 0.1  # of `weighted-core-set`: drawn at random, so that what the model is wrongly sure of is seen, too


class Choice(NamedTuple):
    """index into the candidates; score: comparable within one call only; why: words for a person."""

    index: int  # type: ignore[assignment]  # hides tuple.index
    score: float
    why: str


Strategy = Callable[[Candidates, int, np.random.Generator], list[Choice]]


@dataclass(frozen=True)
class StrategyEntry:
    """A strategy in its table; summary: one line."""

    name: str
    choose: Strategy

    @property
    def summary(self) -> str:
        return (self.choose.__doc__ or self.name).strip().split("\n\n")[0].replace("\n    ", " ")


def at_random(candidates: Candidates, count: int, random: np.random.Generator) -> list[Choice]:
    """Any hands."""
    order = random.permutation(len(candidates))[:count]
    return [Choice(int(k), 0.0, "drawn at random") for k in order]


def uncertainty(candidates: Candidates, count: int, random: np.random.Generator) -> list[Choice]:
    """The hands whose typical keypoint is least sure."""
    order = np.argsort(-candidates.sigma, kind="stable")[:count]
    return [
        Choice(int(k), float(candidates.sigma[k]), f"keypoints may be {candidates.sigma[k]:.1f} px off") for k in order
    ]


def core_set(candidates: Candidates, count: int, random: np.random.Generator) -> list[Choice]:
    """The hands farthest, in the network's global features, from all that was chosen or has taught."""
    chosen = _spread(candidates, count, np.ones(len(candidates)), random)
    return [Choice(k, d, f"{d:.2f} from everything chosen so far") for k, d in chosen]


def weighted_core_set(candidates: Candidates, count: int, random: np.random.Generator) -> list[Choice]:
    """Core-set, where of hands equally far those come first of which one correction is expected to take more of the
    mesh's uncertainty; a tenth at random.

    The expected drop counts by its rank: by its size it would bring the strangest hands, from which little can be
    learned of any other.
    """
    if not len(candidates):
        return []
    drop = 1000 * np.sqrt(np.maximum(candidates.gains.max(1), 0.0))
    drawn = int(round(RANDOM_SHARE * count))
    chosen = _spread(candidates, count - drawn, 0.5 + _rank(drop), random)
    taken = {k for k, _ in chosen}
    rest = np.array([k for k in range(len(candidates)) if k not in taken], int)
    found = [
        Choice(k, s, f"one correction is expected to take {drop[k]:.1f} mm of uncertainty; views differ by "
               f"{candidates.views[k]:.1f} px, stages by {candidates.stages[k]:.1f} px") for k, s in chosen
    ]  # fmt: skip
    for at, k in enumerate(random.permutation(rest)[:drawn]):  # spread over the list: a person may stop anywhere
        found.insert(min(len(found), round((at + 1) * count / (drawn + 1))), Choice(int(k), 0.0, "drawn at random"))
    return found


def _rank(values: np.ndarray) -> np.ndarray:
    """(N,) 0..1: the share of the others that are below."""
    return np.argsort(np.argsort(values, kind="stable"), kind="stable") / max(len(values) - 1, 1)


def _standardised(candidates: Candidates) -> tuple[np.ndarray, np.ndarray]:
    """Global features of candidates and of what has taught, each number with variance 1 over both."""
    everything = (
        np.concatenate([candidates.features, candidates.taught]) if len(candidates.taught) else candidates.features
    )
    middle, spread = everything.mean(0), everything.std(0) + 1e-9
    return ((candidates.features - middle) / spread).astype(np.float32), ((candidates.taught - middle) / spread).astype(
        np.float32
    )


def _spread(
    candidates: Candidates, count: int, value: np.ndarray, random: np.random.Generator
) -> list[tuple[int, float]]:
    """Greedy: again and again the largest value times distance to the nearest feature chosen or taught; (index, score).

    Features are standardised; distances are shares of the typical distance between two hands.
    """
    count = min(count, len(candidates))
    if not count:
        return []
    points, taught = _standardised(candidates)
    typical = np.sqrt(2.0 * points.shape[1])
    nearest = np.full(len(points), 1.0)
    for known in taught:
        nearest = np.minimum(nearest, np.linalg.norm(points - known, axis=1) / typical)
    free = np.ones(len(points), bool)
    # ties (as at the start of a core-set without anything taught) are broken at random
    shuffle = random.permutation(len(points))
    chosen = []
    for _ in range(count):
        score = np.where(free, value * nearest, -1.0)
        best = int(shuffle[score[shuffle].argmax()])
        chosen.append((best, float(score[best])))
        free[best] = False
        nearest = np.minimum(nearest, np.linalg.norm(points - points[best], axis=1) / typical)
    return chosen


DEFAULT = "weighted-core-set"
BUILT_IN: dict[str, Strategy] = {
    "random": at_random, "uncertainty": uncertainty, "core-set": core_set, DEFAULT: weighted_core_set,
}  # fmt: skip
STRATEGIES = Registry[StrategyEntry](
    "strategy",
    "annotator.strategies",
    (StrategyEntry(*each) for each in BUILT_IN.items()),
    taken=StrategyEntry,
    renamed={"ours": DEFAULT},
)


def names() -> list[str]:
    """All strategies there are, the user's own last."""
    return STRATEGIES.names()


def strategy(name: str) -> Strategy:
    """The strategy of this name; InputError if there is none, or it cannot be loaded."""
    return STRATEGIES[name].choose


def choose(name: str, candidates: Candidates, count: int, random: np.random.Generator) -> list[Choice]:
    """The strategy's choices, checked: at most `count`, of hands that exist, none twice. InputError names the
    strategy."""
    found = [Choice(*one) for one in strategy(name)(candidates, count, random)][:count]
    picked = [one.index for one in found]
    if len(set(picked)) != len(picked) or not all(0 <= k < len(candidates) for k in picked):
        raise InputError(f"strategy {name!r} chose hands that do not exist, or one of them twice")
    return found
