"""Damped Gauss-Newton steps in a box (K. Levenberg 1944, D. Marquardt 1963; bounds by an active set)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.linalg.lapack import dposv

PASSES = 4  # of the active set within one step
AT_BOUND = 1e-9  # a coordinate this near to its bound is at it: coupled bounds move, and rounding with them
MOST_PRODUCTS = 250_000  # in one product: BLAS spreads larger ones over threads, and rounds otherwise
FIRST = 1.0  # damping, in units of the prior's curvature, which is 1 in every coordinate


@dataclass(frozen=True, eq=False)
class Box:
    """Bounds of the coordinates (n,) at one point. links: (dependent, driver, slope) triples: while
    `dependent` is held at its bound, it moves `slope` times as far as `driver`, on which its bound depends.
    """

    low: np.ndarray
    high: np.ndarray
    links: tuple[tuple[int, int, float], ...] = ()


class Problem(Protocol):
    """What `descend` makes smaller: half a sum of squares of x (n,) within a box.

    scale (n,): natural lengths of the coordinates; steps are taken, and their size is judged, in these units.
    """

    @property
    def scale(self) -> np.ndarray: ...

    def evaluate(self, x: np.ndarray) -> tuple[float, Any]:
        """Cost, and a state to linearise at."""

    def normal_equations(self, state: Any) -> tuple[np.ndarray, np.ndarray]:
        """Gauss-Newton Hessian (n,n) and gradient (n,) in units of `scale`."""

    def clamp(self, x: np.ndarray) -> tuple[np.ndarray, Box]:
        """x drawn into its bounds, and the bounds there (not scaled)."""


def add_squares(hessian: np.ndarray, gradient: np.ndarray, rows: np.ndarray, residual: np.ndarray) -> None:
    """Add the squares of residuals (m,), whose derivatives are rows (m,n), to the normal equations, in place."""
    size = max(MOST_PRODUCTS // rows.shape[1] ** 2, 1)
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        hessian += part.T @ part
        gradient += residual[start : start + size] @ part


def boxed_step(hessian: np.ndarray, gradient: np.ndarray, box: Box) -> np.ndarray:
    """The step d (n,) that makes g d + d H d / 2 smallest with low <= d <= high (low <= 0 <= high).

    A primal active set: free coordinates are solved for, those that leave the box are put on its side and the
    rest solved again, a few times; exact when nothing has to be freed again, always inside the box (but for
    links).
    """
    low, high = box.low, box.high
    held = ((low >= -AT_BOUND) & (gradient > 0)) | ((high <= AT_BOUND) & (gradient < 0))
    links = [link for link in box.links if held[link[0]]]
    if links:
        hessian, gradient = hessian.copy(), gradient.copy()
        for dependent, driver, slope in links:
            hessian[:, driver] += slope * hessian[:, dependent]
            hessian[driver] += slope * hessian[dependent]
            gradient[driver] += slope * gradient[dependent]
    step = np.zeros_like(gradient)
    fixed = np.flatnonzero(held)
    for _ in range(PASSES):
        free = np.flatnonzero(~held)
        if len(fixed):
            rows = hessian[free]
            _, solved, info = dposv(rows[:, free], -gradient[free] - rows[:, fixed] @ step[fixed])
        else:
            _, solved, info = dposv(hessian, -gradient)
        if info:  # not positive definite: cannot happen with a prior on every coordinate, unless numbers overflow
            break
        step[free] = np.minimum(np.maximum(solved, low[free]), high[free])
        outside = free[solved != step[free]]
        if not len(outside):
            break
        held[outside] = True
        fixed = np.flatnonzero(held)
    for dependent, driver, slope in links:
        step[dependent] = slope * step[driver]
    return step


@dataclass(frozen=True, eq=False)
class Descent:
    """Where a descent ended: x (n,), the problem's state and cost there, and the number of steps tried."""

    x: np.ndarray
    state: Any
    cost: float
    tried: int


def descend(problem: Problem, x: np.ndarray, most: int, enough: float, worth: float) -> Descent:
    """At most `most` steps from x.

    Ends when a step moves no coordinate by `enough` (in units of the problem's scale) or makes the cost
    smaller by less than `worth` of itself.
    """
    x, box = problem.clamp(x)
    cost, state = problem.evaluate(x)
    hessian, gradient = problem.normal_equations(state)
    damping, growth, tried = 0.0, 4.0, 0
    scale = problem.scale
    while tried < most:
        tried += 1
        damped = hessian
        if damping:
            damped = hessian.copy()
            damped.flat[:: len(x) + 1] += damping
        links = tuple((a, b, slope * scale[b] / scale[a]) for a, b, slope in box.links)
        step = boxed_step(damped, gradient, Box((box.low - x) / scale, (box.high - x) / scale, links))
        trial, trial_box = problem.clamp(x + step * scale)
        trial_cost, trial_state = problem.evaluate(trial)
        went = (trial - x) / scale
        moved = float(np.abs(went).max())
        if trial_cost < cost:
            gain = cost - trial_cost
            x, box, state, cost = trial, trial_box, trial_state, trial_cost
            if damping:  # less of it the better the quadratic model foretold the gain (H. B. Nielsen, 1999)
                foretold = -float(gradient @ went + 0.5 * went @ hessian @ went)
                trust = gain / foretold if foretold > 0 else 0.0
                damping *= min(max(1.0 / 3.0, 1.0 - (2.0 * trust - 1.0) ** 3), 2.0)
                damping = damping if damping > 0.05 else 0.0
            growth = 4.0
            if moved < enough or gain < worth * cost:
                break
            if tried < most:
                hessian, gradient = problem.normal_equations(state)
        else:
            if moved < enough or trial_cost - cost < 0.1 * worth * cost:
                break
            damping, growth = max(growth * damping, FIRST), 2.0 * growth
    return Descent(x, state, cost, tried)
