"""The way to the answer: which descents are made, in which order, and what is done where no hand meets all
corrections.

Two questions are answered here. `likeliest`: which hand do labels, each of its own accuracy, and the proposal make
likeliest together? That is one descent. `pinned`: which hand has every label where it was put? There the pose takes
what labels say together, labels that are still farther off than `reach` pull harder until they are not, and the rest,
`reach` at most, is left to a smooth field on the surface (`field`), which is exact. A pinned hand follows a label's
noise too: it is for those who want the mesh on their clicks at any price.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from annotator.correcting.accuracy import LabelAccuracy
from annotator.correcting.solver.descent import Descent, descend
from annotator.correcting.solver.prior import ProposalPrior
from annotator.correcting.solver.problem import HandProblem

HARDEST = 0.02  # px: no correction pulls harder
CONCAVE_PASSES = 4
NEARLY = 1.03  # of `reach`: near enough
STUCK = 0.7  # of the miss a round before: after some rounds only great progress is worth another
Stages = Sequence[tuple[float, int]]


@dataclass(frozen=True)
class SolverSettings:
    """What the solver may do. Pixels are of the 224 px crop, sigmas along each axis."""

    prior: ProposalPrior = field(default_factory=ProposalPrior)
    accuracy: LabelAccuracy = field(default_factory=LabelAccuracy)
    most: int = 12  # steps to the likeliest hand
    person: float = 1.5  # px, sigma of a person's click on a joint that is pinned
    reach: float = 3.5  # px: a pose need not come nearer to a correction, the surface takes the rest
    surface: float = 5.0  # px: what the surface takes at most, where no pose comes within `reach`
    exact: float = 0.5  # px: a correction within this is met
    steps: tuple[int, int] = (6, 3)  # most steps of the first descent, and of each harder one
    rounds: int = 4  # how often corrections are made to pull harder (twice that if it goes well)
    gentle: Stages = ((4.0, 5), (1.0, 5), (0.2, 5), (0.05, 15))  # second try: sigma px, steps
    enough: float = 1e-3  # see `descend`
    worth: float = 1e-3
    leg: float = 30.0  # px: longer drags are followed in legs of this length,
    most_legs: int = 8  # ... or in so many
    soft: float = 2.0  # px, sigma of a correction that no hand meets
    depth_factor: float = 1.6  # the hand may come nearer or go farther by this; with a second view by 4
    shape_limit: float = 3.0  # numbers of shape stay within it
    stretch: float = 0.045  # share, sigma of a bone's length beyond any shape, where surfaces are measured
    relation: float = 0.0005  # m, sigma of a depth relation


def likeliest(problem: HandProblem, x: np.ndarray, settings: SolverSettings) -> Descent:
    """The hand that labels, by their accuracy (the problem's `hardness`), and the proposal make likeliest; from x
    (n,)."""
    near, tried = _approach(problem, problem.open_shape(x), settings)
    found = descend(problem, near, settings.most, settings.enough, settings.worth)
    return dataclasses.replace(found, tried=tried + found.tried)


def pinned(problem: HandProblem, metric: bool, settings: SolverSettings) -> Descent:
    """First the pose alone; the shape too where that is not enough (metric: from the start, where a second
    view tells size from distance); a more gentle way where a little is missing; and where no hand is enough,
    the closest.
    """
    x = problem.coordinates.start[: problem.count]
    if metric:
        x = problem.open_shape(x)
    problem.hardness = np.full(len(problem.targets.joints), settings.person)
    near, tried = _approach(problem, x, settings)
    found = _tightened(problem, near, settings)
    tried += found.tried
    if _worst(found) > settings.surface and not metric:
        found = _tightened(problem, problem.open_shape(found.x), settings)
        tried += found.tried
    if settings.surface < _worst(found) < 4 * settings.surface:
        again = _descents(problem, problem.open_shape(near), settings.gentle, settings)
        tried += again.tried
        found = min(found, again, key=_worst)
    if _worst(found) > settings.surface:
        found = _closest(problem, problem.open_shape(near), settings)
        tried += found.tried
    return dataclasses.replace(found, tried=tried)


def _worst(found: Descent) -> float:
    return float(found.state.distances.max(initial=0.0))


def _tightened(problem: HandProblem, x: np.ndarray, settings: SolverSettings) -> Descent:
    """Clicks weighed by what a person's hand is good for; then harder, those that stay farther off than
    `reach`.
    """
    found = _descents(problem, x, [(settings.person, settings.steps[0])], settings)
    tried, before = found.tried, math.inf
    for round_ in range(2 * settings.rounds):
        far = found.state.distances
        worst = far.max(initial=0.0)
        if worst <= NEARLY * settings.reach or (round_ >= settings.rounds and worst > STUCK * before):
            break
        before = worst
        # A miss grows with the square of the sigma: this one would leave `reach`, were all linear. One that
        # is just beyond `reach` is pulled just a little harder: the answer has no jump there.
        problem.hardness = np.maximum(
            problem.hardness * np.sqrt(settings.reach / np.maximum(far, settings.reach)), HARDEST
        )
        found = descend(problem, found.x, settings.steps[1], settings.enough, settings.worth)
        tried += found.tried
    return dataclasses.replace(found, tried=tried)


def _descents(problem: HandProblem, x: np.ndarray, stages: Stages, settings: SolverSettings) -> Descent:
    tried = 0
    for hard, most in stages:
        problem.hardness = np.full(len(problem.targets.joints), hard)
        found = descend(problem, x, most, settings.enough, settings.worth)
        x, tried = found.x, tried + found.tried
    return dataclasses.replace(found, tried=tried)


def _closest(problem: HandProblem, x: np.ndarray, settings: SolverSettings) -> Descent:
    """The answer to corrections that no hand meets: those that can be met together are, the others as nearly
    as may be.

    Which those are, a few passes with a concave penalty find (it lets misses fall on few keypoints, where
    squares would spread them); in the last pass these pull softly and the rest hard.
    """
    found = _descents(problem, x, [(settings.soft, 4)], settings)
    tried = found.tried
    for _ in range(CONCAVE_PASSES):
        problem.hardness = np.maximum(0.37 * found.state.distances**0.75, 0.05)
        found = descend(problem, found.x, 4, settings.enough, settings.worth)
        tried += found.tried
    unmet = found.state.distances > settings.surface
    problem.hardness = np.where(unmet, settings.soft, np.minimum(problem.hardness, 0.3))
    found = descend(problem, found.x, 8, settings.enough, settings.worth)
    return dataclasses.replace(found, tried=tried + found.tried)


def _approach(problem: HandProblem, x: np.ndarray, settings: SolverSettings) -> tuple[np.ndarray, int]:
    """Draws the keypoints toward far targets along straight lines, a step of Gauss-Newton each: so a long
    drag ends in the valley that a slow one would have followed.
    """
    goal = problem.targets.places
    _, state = problem.evaluate(x)
    legs = min(math.ceil(state.distances.max(initial=0.0) / settings.leg), settings.most_legs)
    tried = 0
    for leg in range(1, legs):
        problem.targets = dataclasses.replace(problem.targets, places=goal + state.miss * (1 - leg / legs))
        found = descend(problem, x, 1, settings.enough, settings.worth)
        x, tried = found.x, tried + found.tried
    problem.targets = dataclasses.replace(problem.targets, places=goal)
    return x, tried
