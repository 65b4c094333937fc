"""A robust smoother over a whole track, or over its last moments: jitter and slips go, motion stays.

Each curve is the likeliest one given what was seen in every frame and that hands do not change their speed without
need: least squares over observations, in sigmas, and over accelerations. Both terms have heavy tails (Student's t,
solved by reweighting): a frame that disagrees with its neighbours counts little, and a hand that really starts or stops
may do so, so nothing drags behind. Where a hand keeps changing its speed, as in fast motion, more of it is believed:
how much, the curve's own accelerations round each moment say. What lies on one finger is doubted together. The turn of
the hand is smoothed on the rotation group itself, by Gauss-Newton steps in its tangent space; every step is one banded
system, so a track costs time in proportion to its length.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solveh_banded
from scipy.ndimage import gaussian_filter1d, median_filter

from annotator.hand.rotations import rotation_matrices, rotation_vectors
from annotator.tracking.trajectories.motion import ANGLES, FINGER_ANGLES, PLACE, TURN, Curves


@dataclass(frozen=True)
class Smoothing:
    """noise: of what a frame's answer is off from its neighbours', as a share of its sigma; acceleration: one sigma of
    how a quiet curve's speed changes, in its own sigmas a second^1.5; tails: degrees of freedom of both; steps: of
    reweighting; start: seconds of the running median that it starts from; lively: one sigma of acceleration over the
    curve's own within `nearby` seconds (one sigma) of a moment, where that is more, up to `liveliest` times a quiet
    curve's."""

    noise: float = 1.0
    angle_acceleration: float = 20.0
    turn_acceleration: float = 20.0
    place_acceleration: float = 40.0
    depth_acceleration: float = 4.0
    noise_tails: float = 5.0
    motion_tails: float = 3.0
    steps: int = 12
    start: float = 0.2
    lively: float = 3.5
    nearby: float = 0.2
    liveliest: float = 10.0


SMOOTHING = Smoothing()
LISTENED = (4, 8)  # steps before which a curve is asked how lively it is


def smoothed(curves: Curves, settings: Smoothing = SMOOTHING, weight: np.ndarray | None = None) -> Curves:
    """The likeliest curves. weight (N,): how much each frame's observation counts (0: nothing was seen in it, the curve
    is led through); None: all alike."""
    count = len(curves)
    if count < 3:
        return curves.changed(shape=_one_shape(curves, weight))
    seen = np.ones(count) if weight is None else np.asarray(weight, np.float64)
    system = _System(curves.seconds, settings)
    sigma = settings.noise * curves.sigma
    angles = np.empty_like(curves.angles)
    for rows in FINGER_ANGLES.values():
        unit = sigma[:, ANGLES][:, rows]
        angles[:, rows] = system.curve(curves.angles[:, rows], unit, seen, settings.angle_acceleration)
    place = np.empty_like(curves.place)
    unit = sigma[:, PLACE]
    place[:, :2] = system.curve(curves.place[:, :2], unit[:, :2], seen, settings.place_acceleration)
    place[:, 2:] = system.curve(curves.place[:, 2:], unit[:, 2:], seen, settings.depth_acceleration)
    turns = system.turns(curves.turns, sigma[:, TURN], seen, settings.turn_acceleration)
    return curves.changed(angles=angles, turns=turns, place=place, shape=_one_shape(curves, weight))


def _one_shape(curves: Curves, weight: np.ndarray | None) -> np.ndarray:
    """A track has one subject: the same shape in every frame, the median of all that were seen."""
    counts = np.ones(len(curves)) if weight is None or not np.any(weight) else np.asarray(weight, np.float64)
    shape = np.array([_weighted_median(column, counts) for column in curves.shape.T])
    return np.tile(shape, (len(curves), 1))


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


class _System:
    """Observations and accelerations of N moments as banded normal equations."""

    def __init__(self, seconds: np.ndarray, settings: Smoothing):
        self.settings, self.count = settings, len(seconds)
        step = np.maximum(np.diff(seconds), 1e-4)
        before, after = step[:-1], step[1:]
        mean = (before + after) / 2
        # acceleration at the inner moments: rows of three, times the root of the time that each stands for
        root = np.sqrt(mean)
        self.rows = np.stack([1 / before, -1 / before - 1 / after, 1 / after], axis=1) / mean[:, None] * root[:, None]
        usual = float(np.median(step))
        self.window = max(3, int(round(settings.start / usual)) | 1)
        self.nearby = settings.nearby / usual

    def bend(self, x: np.ndarray) -> np.ndarray:
        """(N - 2, C): the accelerations of curves (N, C)."""
        a, b, c = self.rows.T[..., None]
        return a * x[:-2] + b * x[1:-1] + c * x[2:]

    def _solve(self, own: np.ndarray, motion: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Least squares with weights own (N,) of observations, motion (N - 2,) of accelerations; right (N, C)."""
        bands = np.zeros((3, self.count))  # upper form: second, first, main diagonal
        bands[2] = own
        weighted = self.rows * motion[:, None]
        for k in range(3):
            bands[2, k : k + self.count - 2] += weighted[:, k] * self.rows[:, k]
        bands[1, 1:-1] += weighted[:, 0] * self.rows[:, 1]
        bands[1, 2:] += weighted[:, 1] * self.rows[:, 2]
        bands[0, 2:] += weighted[:, 0] * self.rows[:, 2]
        bands[2] += 1e-9 * max(bands[2].max(), 1e-9)
        return solveh_banded(bands, right)

    def curve(self, seen: np.ndarray, sigma: np.ndarray, weight: np.ndarray, acceleration: float) -> np.ndarray:
        """The likeliest curves (N, C) of one group. seen (N, C), sigma (N, C) of it; weight (N,); acceleration: in
        sigmas."""
        unit = np.exp(np.log(sigma).mean(0))  # of each curve; what is left of sigma differs from frame to frame
        own = np.sqrt(((sigma / unit) ** 2).mean(1))
        y = seen / unit
        x = self._start(y, weight)
        usual = np.full(self.count - 2, acceleration)
        for step in range(self.settings.steps):
            bend = self.bend(x)
            usual = self._liveliness(bend, acceleration) if step in LISTENED else usual
            trust, move = self._weights((x - y) / own[:, None], bend / usual[:, None])
            trust = trust * weight / own**2
            x = self._solve(trust, move / usual**2, trust[:, None] * y)
        return x * unit

    def turns(self, seen: np.ndarray, sigma: np.ndarray, weight: np.ndarray, acceleration: float) -> np.ndarray:
        """The likeliest turns (N, 3, 3). sigma (N, 3) rad."""
        unit = float(np.exp(np.log(sigma).mean()))
        own = np.sqrt(((sigma / unit) ** 2).mean(1))
        # round a middle that follows: the running median of the path in small steps
        steps = _between(seen[:-1], seen[1:])
        x = _chained(seen, self._start(np.concatenate([np.zeros((1, 3)), np.cumsum(steps, axis=0)]), weight))
        usual = np.full(self.count - 2, acceleration)
        for step in range(self.settings.steps):
            off = _between(x, seen) / unit  # where the observation lies, from x
            speed = np.concatenate([np.zeros((1, 3)), np.cumsum(_between(x[:-1], x[1:]), axis=0)]) / unit
            bend = self.bend(speed)
            usual = self._liveliness(bend, acceleration) if step in LISTENED else usual
            trust, move = self._weights(off / own[:, None], bend / usual[:, None])
            trust, move = trust * weight / own**2, move / usual**2
            right = trust[:, None] * off
            for k in range(3):
                right[k : k + self.count - 2] -= (move * self.rows[:, k])[:, None] * bend
            x = x @ rotation_matrices(self._solve(trust, move, right) * unit)
        return x

    def _start(self, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """A running median, led straight through frames that count nothing."""
        there = np.flatnonzero(weight > 0)
        if not len(there):
            return y.copy()
        rows = np.arange(self.count)
        filled = np.stack([np.interp(rows, there, column[there]) for column in y.T], axis=1)
        return median_filter(filled, size=(self.window, 1), mode="nearest")

    def _liveliness(self, bend: np.ndarray, acceleration: float) -> np.ndarray:
        """(N - 2,): one sigma of acceleration at each moment, by the accelerations (N - 2, C) round it."""
        around = np.sqrt(gaussian_filter1d((bend**2).mean(1), self.nearby, mode="nearest"))
        return np.clip(self.settings.lively * around, acceleration, self.settings.liveliest * acceleration)

    def _weights(self, off: np.ndarray, bend: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Student's weights of each moment's observation and acceleration, all curves of the group together."""
        channels = off.shape[1]
        noise, motion = self.settings.noise_tails, self.settings.motion_tails
        trust = (noise + channels) / (noise + (off**2).sum(1))
        move = (motion + channels) / (motion + (bend**2).sum(1))
        return trust, move


def _between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N, 3): the turn from rotations a to b (N, 3, 3), in a's own frame."""
    return rotation_vectors(a.transpose(0, 2, 1) @ b)


def _chained(seen: np.ndarray, path: np.ndarray) -> np.ndarray:
    """Rotations (N, 3, 3) whose steps are those of `path` (N, 3), begun where `seen` begins."""
    x = np.empty_like(seen)
    x[0] = seen[0] @ rotation_matrices(path[0])
    steps = rotation_matrices(np.diff(path, axis=0))
    for k in range(1, len(seen)):
        x[k] = x[k - 1] @ steps[k - 1]
    return x
