"""Which hands to ask about next: strategies behind one call, and a user's own by entry point.

A strategy is a function (candidates, count, random) -> choices, best first, no hand twice. A package adds one with

    [project.entry-points."annotator.strategies"]
    mine = "my_package:choose"

`uncertainty`: Lewis and Gale 1994; `core-set`: Sener and Savarese 2018 (greedy k-centre); `ours`: hands that stand for many
others (facility location), weighted by the expected drop of the mesh's variance by the best single correction.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import NamedTuple

import numpy as np

from annotator.errors import InputError
from annotator.rounds.candidates import Candidates

GROUP = "annotator.strategies"
MASS, FIRST = 2000, 500
RANDOM_SHARE = 0.1  # of `ours`: chosen blindly, so that what the model is wrongly sure of is seen, too


class Choice(NamedTuple):
    """index into the candidates; score: comparable within one call only; why: words for a person."""

    index: int
    score: float
    why: str


Strategy = Callable[[Candidates, int, np.random.Generator], list[Choice]]


def by_chance(candidates: Candidates, count: int, random: np.random.Generator) -> list[Choice]:
    """Any hands."""
    order = random.permutation(len(candidates))[:count]
    return [Choice(int(k), 0.0, "drawn at random") for k in order]


def uncertainty(candidates: Candidates, count: int, random: np.random.Generator) -> list[Choice]:
    """The hands whose typical keypoint is least sure."""
    order = np.argsort(-candidates.sigma, kind="stable")[:count]
    return [Choice(int(k), float(candidates.sigma[k]), f"keypoints may be {candidates.sigma[k]:.1f} px off") for k in order]


def core_set(candidates: Candidates, count: int, random: np.random.Generator) -> list[Choice]:
    """The hands farthest, in the network's global features, from all that was chosen or has taught."""
    chosen = _spread(candidates, count, np.ones(len(candidates)), random)
    return [Choice(k, d, f"{d:.2f} from everything chosen so far") for k, d in chosen]


def ours(candidates: Candidates, count: int, random: np.random.Generator) -> list[Choice]:
    """Hands that stand for many others of which one correction is expected to take much of the mesh's uncertainty, see
    `_standing_for`; a tenth by chance."""
    if not len(candidates):
        return []
    drop = 1000 * np.sqrt(np.maximum(candidates.gains.max(1), 0.0))
    blind = int(round(RANDOM_SHARE * count))
    chosen = _standing_for(candidates, count - blind, drop, random)
    taken = {k for k, _ in chosen}
    rest = np.array([k for k in range(len(candidates)) if k not in taken], int)
    found = [
        Choice(k, s, f"one correction is expected to take {drop[k]:.1f} mm of doubt; views differ by "
               f"{candidates.views[k]:.1f} px, stages by {candidates.stages[k]:.1f} px") for k, s in chosen
    ]  # fmt: skip
    for at, k in enumerate(random.permutation(rest)[:blind]):  # spread over the list: a person may stop anywhere
        found.insert(min(len(found), round((at + 1) * count / (blind + 1))), Choice(int(k), 0.0, "drawn at random"))
    return found


def _standing_for(
    candidates: Candidates, count: int, value: np.ndarray, random: np.random.Generator
) -> list[tuple[int, float]]:
    """Greedy facility location (Wei, Iyer and Bilmes 2015): again and again the hand that adds most to the sum over hands of
    value times likeness to the nearest one chosen or taught; (index, score). Likeness: a Gaussian of the distance in
    standardised global features, as wide as the typical one.

    The hands of greatest value alone would be the strangest ones, from which little can be learned of any other. Of many
    hands `MASS` drawn by chance stand for all; after `FIRST` choices the rest come by value.
    """
    points, taught = _standardised(candidates)
    anchors = np.arange(len(points)) if len(points) <= MASS else np.sort(random.permutation(len(points))[:MASS])
    width = np.sqrt(2.0 * points.shape[1])  # the typical distance of two hands
    alike = np.exp(-2.0 * (_distances(points, points[anchors]) / width) ** 2)
    covered = np.zeros(len(anchors), np.float32)
    if len(taught):
        covered = np.exp(-2.0 * (_distances(taught, points[anchors]).min(0) / width) ** 2)
    weight = value[anchors].astype(np.float32)
    free = np.ones(len(points), bool)
    shuffle = random.permutation(len(points))  # ties are broken by chance
    chosen = []
    for _ in range(min(count, len(points), FIRST)):
        score = np.where(free, np.maximum(alike - covered, 0.0) @ weight, -1.0)
        best = int(shuffle[score[shuffle].argmax()])
        chosen.append((best, float(score[best])))
        free[best] = False
        covered = np.maximum(covered, alike[best])
    rest = shuffle[free[shuffle]]
    rest = rest[np.argsort(-value[rest], kind="stable")][: max(count - len(chosen), 0)]
    return chosen + [(int(k), 0.0) for k in rest]


def _standardised(candidates: Candidates) -> tuple[np.ndarray, np.ndarray]:
    """Global features of candidates and of what has taught, each number with variance 1 over both."""
    everything = np.concatenate([candidates.features, candidates.taught]) if len(candidates.taught) else candidates.features
    middle, spread = everything.mean(0), everything.std(0) + 1e-9
    return ((candidates.features - middle) / spread).astype(np.float32), ((candidates.taught - middle) / spread).astype(np.float32)


def _distances(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(N, M) float32: between rows (N, G) and (M, G)."""
    squared = (points**2).sum(1)[:, None] + (others**2).sum(1)[None] - 2 * points @ others.T
    return np.sqrt(np.maximum(squared, 0.0))


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
    # ties (as at the start of a core-set without anything taught) are broken by chance
    shuffle = random.permutation(len(points))
    chosen = []
    for _ in range(count):
        score = np.where(free, value * nearest, -1.0)
        best = int(shuffle[score[shuffle].argmax()])
        chosen.append((best, float(score[best])))
        free[best] = False
        nearest = np.minimum(nearest, np.linalg.norm(points - points[best], axis=1) / typical)
    return chosen


BUILT_IN: dict[str, Strategy] = {"random": by_chance, "uncertainty": uncertainty, "core-set": core_set, "ours": ours}


def names() -> list[str]:
    """All strategies there are, the user's own last."""
    return [*BUILT_IN, *(found.name for found in entry_points(group=GROUP) if found.name not in BUILT_IN)]


def strategy(name: str) -> Strategy:
    """The strategy of this name; InputError if there is none, or it cannot be loaded."""
    if name in BUILT_IN:
        return BUILT_IN[name]
    for found in entry_points(group=GROUP):
        if found.name == name:
            try:
                return found.load()
            except Exception as error:  # somebody else's code: whatever it raises, the name belongs into the message
                raise InputError(f"strategy {name!r} ({found.value}) cannot be loaded: {error}") from error
    raise InputError(f"unknown strategy {name!r}: expected one of {', '.join(names())}")


def choose(name: str, candidates: Candidates, count: int, random: np.random.Generator) -> list[Choice]:
    """The strategy's choices, checked: at most `count`, of hands that exist, none twice. InputError names the strategy."""
    found = [Choice(*one) for one in strategy(name)(candidates, count, random)][:count]
    picked = [one.index for one in found]
    if len(set(picked)) != len(picked) or not all(0 <= k < len(candidates) for k in picked):
        raise InputError(f"strategy {name!r} chose hands that do not exist, or one of them twice")
    return found
