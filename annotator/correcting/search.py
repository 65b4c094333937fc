"""The way to the answer: which descents are made, in which order, and what is done where no hand meets all corrections."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from annotator.correcting.descent import Descent, descend
from annotator.correcting.doubt import Doubt
from annotator.correcting.problem import HandProblem

HOPELESS = 10.0  # px: a miss above this is no matter of a few steps more
CONCAVE_PASSES, LENIENCY = 4, 0.37

Stages = Sequence[tuple[float, int]]


@dataclass(frozen=True)
class Settings:
    """What the solver may do. Pixels are of the 224 px crop.

    exact: a correction within this is met; aim: one farther off than this makes the shape give;
    pose_steps, shape_steps, gentle_steps: the descents of the pose alone, of the shape too, and of the second try: sigma
    of a correction and the most Gauss-Newton steps (the last sigma leaves a miss far below `exact`; softer ones before it
    take the first, least linear steps); enough, worth: see `descend`;
    leg, most_legs: longer drags are followed in legs of this length; soft: sigma of a correction that cannot be met;
    depth_factor: the hand may come nearer or go farther by this factor (but for a second view: then by 4);
    shape_limit: numbers of shape stay within it; relation: sigma of a depth relation, m;
    person: how exact a person's click is (one sigma), for the answer's own uncertainty.
    """

    doubt: Doubt = field(default_factory=Doubt)
    exact: float = 0.5
    aim: float = 0.05
    pose_steps: Stages = ((0.5, 2), (0.02, 6))
    shape_steps: Stages = ((0.02, 16),)
    gentle_steps: Stages = ((4.0, 5), (1.0, 5), (0.2, 5), (0.05, 5), (0.02, 15))
    enough: float = 1e-3
    worth: float = 1e-4
    leg: float = 30.0
    most_legs: int = 8
    soft: float = 2.0
    depth_factor: float = 1.6
    shape_limit: float = 3.0
    relation: float = 0.0005
    person: float = 1.5


def search(problem: HandProblem, metric: bool, settings: Settings) -> Descent:
    """First the pose alone; the shape too where that is not enough (or a second view tells size from distance); a more
    gentle way where a little is still missing; and where no hand is enough, the closest."""
    x, tried = problem.coordinates.start[: problem.count], 0
    if metric:
        x = problem.open_shape(x)
    near, tried = _approach(problem, x, settings)
    found = _descents(problem, near, settings.pose_steps, settings)
    tried += found.tried
    if _worst(found) > settings.aim:
        found = _descents(problem, problem.open_shape(found.x), settings.shape_steps, settings)
        tried += found.tried
    if settings.exact < _worst(found) < HOPELESS:
        again = _descents(problem, problem.open_shape(near), settings.gentle_steps, settings)
        tried += again.tried
        found = min(found, again, key=_worst)
    if _worst(found) > settings.exact:
        found = _closest(problem, problem.open_shape(near), settings)
        tried += found.tried
    return dataclasses.replace(found, tried=tried)


def _descents(problem: HandProblem, x: np.ndarray, stages: Sequence[tuple[float, int]], settings: Settings) -> Descent:
    tried = 0
    for hard, most in stages:
        problem.hardness = np.full(len(problem.targets.joints), hard)
        found = descend(problem, x, most, settings.enough, settings.worth)
        x, tried = found.x, tried + found.tried
    return dataclasses.replace(found, tried=tried)


def _closest(problem: HandProblem, x: np.ndarray, settings: Settings) -> Descent:
    """The answer to corrections that no hand meets: those that can be met together are, the others as nearly as may be.

    Which those are, a few passes with a concave penalty find (it lets misses fall on few keypoints, where squares would
    spread them); in the last pass these pull softly and the rest hard.
    """
    found = _descents(problem, x, [(settings.soft, 4)], settings)
    tried, hard = found.tried, settings.shape_steps[-1][0]
    for _ in range(CONCAVE_PASSES):
        problem.hardness = np.maximum(LENIENCY * found.state.distances**0.75, hard)
        found = descend(problem, found.x, 4, settings.enough, settings.worth)
        tried += found.tried
    problem.hardness = np.where(found.state.distances > settings.exact, settings.soft, hard)
    found = descend(problem, found.x, 8, settings.enough, settings.worth)
    return dataclasses.replace(found, tried=tried + found.tried)


def _approach(problem: HandProblem, x: np.ndarray, settings: Settings) -> tuple[np.ndarray, int]:
    """Draws the keypoints toward far targets along straight lines, a step of Gauss-Newton each: so a long drag ends in
    the valley that a slow one would have followed."""
    goal = problem.targets.places
    _, state = problem.evaluate(x)
    legs = min(math.ceil(state.distances.max(initial=0.0) / settings.leg), settings.most_legs)
    tried = 0
    for leg in range(1, legs):
        problem.targets = dataclasses.replace(problem.targets, places=goal + state.miss * (1 - leg / legs))
        problem.hardness = np.full(len(goal), settings.pose_steps[0][0])
        found = descend(problem, x, 1, settings.enough, settings.worth)
        x, tried = found.x, tried + found.tried
    problem.targets = dataclasses.replace(problem.targets, places=goal)
    return x, tried


def _worst(found: Descent) -> float:
    return float(found.state.distances.max(initial=0.0))
