"""The solver's coordinates: one vector for pose, place and shape, in which limits are boxes and doubts are
plain sigmas.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from annotator.correcting.kinematics.angles import (
    angle_rates,
    angles_to_rotations,
    coupled_limits,
    coupling_slopes,
    limit_excess,
    rotation_matrix,
    rotations_to_angles,
    turn_rate,
)
from annotator.correcting.kinematics.chain import Chain, Posed, Rest, chain_of
from annotator.correcting.solver.descent import AT_BOUND, Box
from annotator.hand.mesh import HandParameters
from annotator.hand.model import HandModel
from annotator.hand.rotations import rotation_matrices, rotation_vectors
from annotator.hand.topology import ARTICULATED
from annotator.hand.topology import SHAPE as SHAPE_COUNT

# The solver's coordinates: joint angles, the whole hand's turn, its place (x and y, then log depth), and its shape.
ANGLES = slice(0, 3 * ARTICULATED)
TURN = slice(ANGLES.stop, ANGLES.stop + 3)
PLACE = slice(TURN.stop, TURN.stop + 3)
SHAPE = slice(PLACE.stop, PLACE.stop + SHAPE_COUNT)
LOG_DEPTH = PLACE.stop - 1
POSE_COUNT, COUNT = PLACE.stop, SHAPE.stop
KEPT_EXCESS = math.radians(4.0)  # a proposal that is this far outside a limit may stay there
NEAREST_WRIST = 0.08  # m


@dataclass(frozen=True, eq=False)
class PosedHand:
    """A hand at coordinates x (61,): keypoints (21,3) m in the solver's frame; rotations (16,3,3) local;
    posed.
    """

    x: np.ndarray
    keypoints: np.ndarray
    rotations: np.ndarray
    posed: Posed


class Coordinates:
    """Coordinates round a proposal.

    x (61,): 45 joint angles (joint by joint: flexion, abduction, twist, rad); a rotation vector (rad) that
    turns the whole hand, in its own frame, from the proposal; the wrist's place as X/Z, Y/Z and log Z; ten
    numbers of shape. `start` is the proposal, drawn into the limits where it is more than `KEPT_EXCESS`
    outside them. count: of all of them; form: those of the hand at rest.
    """

    count, form = COUNT, SHAPE

    def __init__(self, model: HandModel, parameters: HandParameters, depth_factor: float, shape_limit: float):
        self.model, self.chain = model, chain_of(model)
        self.axes = model.anatomical_axes
        self.offsets = parameters.offsets
        rotations = rotation_matrices(parameters.pose)
        self.turn0 = rotations[0]
        x, y, z = parameters.translation
        z = max(float(z), NEAREST_WRIST)
        angles = rotations_to_angles(rotations[1:], self.axes)
        excess = np.minimum(limit_excess(angles, model.limits), KEPT_EXCESS)
        self._excess = excess
        limits = model.limits
        start = np.zeros(COUNT)
        start[ANGLES] = angles.ravel()
        start[PLACE] = x / z, y / z, math.log(z)
        start[SHAPE] = parameters.shape
        self._low, self._high = np.full(COUNT, -np.inf), np.full(COUNT, np.inf)
        self._low[ANGLES], self._high[ANGLES] = (
            (limits[..., 0] - excess).ravel(),
            (limits[..., 1] + excess).ravel(),
        )
        reach = math.log(depth_factor)
        self._low[LOG_DEPTH] = max(start[LOG_DEPTH] - reach, math.log(NEAREST_WRIST))
        self._high[LOG_DEPTH] = start[LOG_DEPTH] + reach
        room = np.maximum(np.abs(parameters.shape), shape_limit)
        self._low[SHAPE], self._high[SHAPE] = -room, room
        self.start, _ = self.clamp(start)
        self._rest: tuple[np.ndarray, Rest] | None = None

    def _bounds(self, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        least, most = coupled_limits(angles, self.model.limits)
        return least - self._excess, most + self._excess

    def clamp(self, x: np.ndarray) -> tuple[np.ndarray, Box]:
        """x drawn into its bounds, what others depend on first; and the bounds there."""
        x = np.clip(x, self._low[: len(x)], self._high[: len(x)])
        least, most = self._bounds(x[ANGLES].reshape(15, 3))  # the angles they depend on are in place by now
        low, high = self._low[: len(x)].copy(), self._high[: len(x)].copy()
        low[ANGLES], high[ANGLES] = least.ravel(), most.ravel()
        np.clip(x[ANGLES], low[ANGLES], high[ANGLES], out=x[ANGLES])
        return x, Box(low, high, self._links(x, low, high))

    def _links(self, x: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[tuple[int, int, float], ...]:
        """For angles that lie at a bound which depends on another angle: how the one moves with the other."""
        links, constant = [], self.model.limits.reshape(ANGLES.stop, 2)
        for dependent, driver, slope, both in coupling_slopes(x[ANGLES].reshape(15, 3)):
            if x[dependent] <= low[dependent] + AT_BOUND:
                links.append((dependent, driver, slope * constant[dependent, 0]))
            elif both and x[dependent] >= high[dependent] - AT_BOUND:
                links.append((dependent, driver, slope * constant[dependent, 1]))
        return tuple(links)

    def place(self, x: np.ndarray) -> PosedHand:
        """The hand at x (61,), or at x (51,) with the proposal's shape."""
        if len(x) == POSE_COUNT:
            x = np.concatenate([x, self.start[self.form]])
        form = x[self.form]
        if self._rest is None or not np.array_equal(self._rest[0], form):
            self._rest = form.copy(), self.chain.rest(form, self.offsets)
        rotations = np.empty((16, 3, 3))
        rotations[0] = self.turn0 @ rotation_matrix(x[TURN])
        rotations[1:] = angles_to_rotations(x[ANGLES].reshape(15, 3), self.axes)
        posed = self.chain.pose(rotations, self._rest[1])
        return PosedHand(x, posed.keypoints + self.translation(x), rotations, posed)

    @staticmethod
    def translation(x: np.ndarray) -> np.ndarray:
        """(3,) m: where the wrist is."""
        a, b, log_depth = x[PLACE]
        return math.exp(log_depth) * np.array([a, b, 1.0])

    def _turn_rates(self, x: np.ndarray) -> np.ndarray:
        """(16,3,3): how each joint turns in its own frame (columns) as its three coordinates grow; the whole hand
        first."""
        rates = np.empty((16, 3, 3))
        rates[0] = turn_rate(x[TURN])
        rates[1:] = angle_rates(x[ANGLES].reshape(15, 3), self.axes)
        return rates

    def jacobian(self, placed: PosedHand, with_shape: bool = True) -> np.ndarray:
        """d keypoints / d x, (21,3,count), or (21,3,51) without the shape."""
        return self.jacobian_of(self.chain, placed.posed, placed.x, with_shape)

    def jacobian_of(self, chain: Chain, posed: Posed, x: np.ndarray, with_shape: bool) -> np.ndarray:
        """d points / d x, (K,3,count), or (K,3,51) without the shape, of the points of a chain, posed at x."""
        turns = chain.turn_jacobian(posed, self._turn_rates(x))
        jacobian = np.zeros((len(turns), 3, self.count if with_shape else POSE_COUNT))
        jacobian[..., ANGLES] = turns[:, :, 1:].reshape(len(turns), 3, ANGLES.stop)
        jacobian[..., TURN] = turns[:, :, 0]
        translation = self.translation(x)
        jacobian[:, 0, PLACE.start] = jacobian[:, 1, PLACE.start + 1] = translation[2]
        jacobian[..., LOG_DEPTH] = translation
        if with_shape:
            jacobian[..., self.form] = chain.shape_jacobian(posed)
        return jacobian

    def parameters(self, placed: PosedHand) -> HandParameters:
        """The hand at x as the parameters of a hand model."""
        return HandParameters(
            pose=rotation_vectors(placed.rotations),
            shape=placed.x[SHAPE],
            translation=self.translation(placed.x),
            offsets=self.offsets,
        )
