"""What a corrected hand is weighed by: the sum of squares that the solver makes smallest.

In units of one sigma:

    labels, confirmed keypoints            (projection - target) / hardness: their accuracy
    the proposal's keypoints               whitened by their sigmas and how errors hang together (`prior`)
    the proposal's pose, place and shape   by the spread of proposals' errors; a subject's shape by its covariance
    evidence in 3-D                        depth relations, depths, second views, measured surfaces
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from annotator.correcting.depth.evidence import Depths, Evidence, InFront, PalmDepths, PalmDistance, SecondView
from annotator.correcting.depth.surface_pairs import SurfacePairs
from annotator.correcting.solver.coordinates import POSE_COUNT, SHAPE, Coordinates, PosedHand
from annotator.correcting.solver.descent import Box, add_squares
from annotator.correcting.solver.surface_term import SurfaceTerm
from annotator.hand.depth_labels import PALM_KEYPOINTS

NEAREST = 0.02  # m: points nearer than this project as if they were here, so that no step divides by nothing
PALM, ALL = np.array(PALM_KEYPOINTS), np.arange(21)


@dataclass(frozen=True, eq=False)
class SolverCamera:
    """Projects points (N,3) m of the solver's frame to pixels (N,2) of any unit: u = K (R X + t),
    dehomogenised.

    The solver's frame is the photo's camera frame, for a left hand its mirror image (x -> -x), where the hand
    is a right one. matrix (3,3) and shift (3,) hold K R and K t.
    """

    matrix: np.ndarray
    shift: np.ndarray

    @staticmethod
    def of(
        K: np.ndarray, scale: float, mirrored: bool, R: np.ndarray | None = None, t: np.ndarray | None = None
    ) -> SolverCamera:
        """The view of intrinsics K (3,3) px with pixels scaled by `scale`, mirrored for a left hand; R, t as
        above.
        """
        matrix = np.diag([scale, scale, 1.0]) @ np.asarray(K, dtype=np.float64)
        shift = matrix @ t if t is not None else np.zeros(3)
        matrix = matrix @ R if R is not None else matrix
        if mirrored:  # x -> -x in the world and in the picture
            mirror = np.array([-1.0, 1.0, 1.0])
            matrix, shift = mirror[:, None] * matrix * mirror, mirror * shift
        return SolverCamera(matrix, shift)

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points (N,3) m -> pixels (N,2) and depths (N,1) m."""
        image = points @ self.matrix.T + self.shift
        depth = np.maximum(image[:, 2:], NEAREST)
        return image[:, :2] / depth, depth

    def rates(self, image: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """The derivative (N,2,3) of the pixels by the points, from what `project` gave for them."""
        pixels, depth = image
        return (self.matrix[:2] - pixels[:, :, None] * self.matrix[2]) / depth[:, :, None]


@dataclass(frozen=True, eq=False)
class Targets:
    """Keypoints with labels: joints (h,), their places (h,2) in crop units of the solver's frame, and one sigma (h,) of
    each along an axis, crop px."""

    joints: np.ndarray
    places: np.ndarray
    sigma: np.ndarray


@dataclass(frozen=True, eq=False)
class Proposal:
    """What the photo said of the keypoints before: joints (n,) that count, places (n,2) crop units of the
    solver's frame, whitening (n,n) of their errors along one image axis.
    """

    joints: np.ndarray
    places: np.ndarray
    whitening: np.ndarray


@dataclass(frozen=True, eq=False)
class State:
    """A hand and its residuals: miss (h,2) px of the labelled keypoints, soft (n,2) whitened, prior (51,), or
    with the shape (61,) or more, sigmas.
    """

    placed: PosedHand
    image: tuple[np.ndarray, np.ndarray]
    miss: np.ndarray
    soft: np.ndarray
    prior: np.ndarray

    @property
    def distances(self) -> np.ndarray:
        """(h,) px from each hard keypoint to its target."""
        return np.hypot(self.miss[:, 0], self.miss[:, 1])


class HandProblem:
    """The problem for `descend`. hardness (h,) px may be set between descents; `open_shape` frees the
    coordinates of shape, too.
    """

    def __init__(
        self,
        coordinates: Coordinates,
        view: SolverCamera,
        targets: Targets,
        proposal: Proposal,
        sigmas: np.ndarray,
        evidence: Sequence[Evidence | SurfacePairs],
        mirrored: bool,
        relation: float,
        shape_whitening: np.ndarray | None = None,
    ):
        self.coordinates, self.view, self.targets, self.proposal = coordinates, view, targets, proposal
        self._sigmas = sigmas
        self._shape_whitening = shape_whitening  # (10,10) of a subject's shape, whose numbers err together
        self.count = POSE_COUNT
        self.hardness = np.array(targets.sigma, dtype=np.float64)
        self._relations = [e for e in evidence if isinstance(e, InFront)]
        self._relation_sigma = relation
        self._depths = [e for e in evidence if isinstance(e, Depths) and e.depths]
        self._from_palm = [e for e in evidence if isinstance(e, PalmDepths) and e.depths]
        self._distances = [e for e in evidence if isinstance(e, PalmDistance)]
        self._surfaces = [SurfaceTerm(coordinates, e, mirrored) for e in evidence if isinstance(e, SurfacePairs)]
        self._views = [_Other.of(e, mirrored) for e in evidence if isinstance(e, SecondView)]

    @property
    def scale(self) -> np.ndarray:
        """One sigma of each coordinate in use."""
        return self._sigmas[: self.count]

    def open_shape(self, x: np.ndarray) -> np.ndarray:
        """Free the shape too; returns x with the proposal's shape appended."""
        self.count = self.coordinates.count
        return np.concatenate([x[: self.count], self.coordinates.start[len(x) :]])

    def clamp(self, x: np.ndarray) -> tuple[np.ndarray, Box]:
        return self.coordinates.clamp(x)

    def evaluate(self, x: np.ndarray) -> tuple[float, State]:
        placed = self.coordinates.place(x)
        image = self.view.project(placed.keypoints)
        pixels = image[0]
        miss = pixels[self.targets.joints] - self.targets.places
        soft = self.proposal.whitening @ (pixels[self.proposal.joints] - self.proposal.places)
        off = x - self.coordinates.start[: len(x)]
        prior = off / self.scale
        if self._shape_whitening is not None and len(x) > POSE_COUNT:
            prior[SHAPE] = self._shape_whitening @ off[SHAPE]
        hard = miss / self.hardness[:, None]
        total = np.vdot(hard, hard) + np.vdot(soft, soft) + prior @ prior
        for residual, _, _ in self._evidence(placed):
            total += residual @ residual
        for surface in self._surfaces:
            residual = surface.residual(placed)
            total += residual @ residual
        return 0.5 * float(total), State(placed, image, miss, soft, prior)

    def normal_equations(self, state: State, hard: bool = True) -> tuple[np.ndarray, np.ndarray]:
        """Gauss-Newton Hessian and gradient per sigma; hard=False leaves corrections and evidence out."""
        count = self.count
        jacobian = self.keypoint_jacobian(state)
        in_photo = self.view.rates(state.image) @ jacobian  # (21,2,n)
        joints = self.proposal.joints
        soft_rows = self.proposal.whitening @ in_photo[joints].reshape(len(joints), 2 * count)
        blocks = [(soft_rows.reshape(-1, count), state.soft.ravel())]
        if hard and len(self.hardness):
            weight = 1.0 / self.hardness[:, None]
            hard_rows = in_photo[self.targets.joints] * weight[..., None]
            blocks.append((hard_rows.reshape(-1, count), (state.miss * weight).ravel()))
        if hard:
            for residual, by_keypoint, joints in self._evidence(state.placed):
                rows = by_keypoint.reshape(len(residual), -1) @ jacobian[joints].reshape(-1, count)
                blocks.append((rows, residual))
            for surface in self._surfaces:
                blocks.append(surface.rows(state.placed, self.scale))
        hessian, gradient = np.eye(count), state.prior.copy()
        if self._shape_whitening is not None and count > POSE_COUNT:
            shape_rows = self._shape_whitening * self.scale[SHAPE]
            hessian[SHAPE, SHAPE] = shape_rows.T @ shape_rows
            gradient[SHAPE] = state.prior[SHAPE] @ shape_rows
        for rows, residual in blocks:
            add_squares(hessian, gradient, rows, residual)
        return hessian, gradient

    def keypoint_jacobian(self, state: State) -> np.ndarray:
        """(21,3,n) m per sigma."""
        return self.coordinates.jacobian(state.placed, self.count > POSE_COUNT) * self.scale

    def _evidence(self, placed: PosedHand) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Residuals (m,), their derivative (m,j,3) by the keypoints numbered (j,)."""
        z = placed.keypoints[:, 2]
        for relation in self._relations:
            lacking = z[relation.near] + relation.margin - z[relation.far]
            if lacking > 0:
                rates = np.array([[[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]]]) / self._relation_sigma
                yield (
                    np.array([lacking / self._relation_sigma]),
                    rates,
                    np.array([relation.near, relation.far]),
                )
        for depths in self._depths:
            joints, wanted = np.array(list(depths.depths)), np.array(list(depths.depths.values()))
            sigma = np.array(list(depths.sigmas.values()))
            rates = np.zeros((len(joints), len(joints), 3))
            rates[np.arange(len(joints)), np.arange(len(joints)), 2] = 1.0 / sigma
            yield (z[joints] - wanted) / sigma, rates, joints
        for placed_by in self._from_palm:
            joints, wanted = np.array(list(placed_by.depths)), np.array(list(placed_by.depths.values()))
            rates = np.zeros((len(joints), 21, 3))
            rates[np.arange(len(joints)), joints, 2] = 1.0 / placed_by.sigma
            rates[:, PALM, 2] -= 1.0 / (placed_by.sigma * len(PALM))
            yield (z[joints] - z[PALM].mean() - wanted) / placed_by.sigma, rates, ALL
        for palm in self._distances:
            rates = np.zeros((1, len(PALM), 3))
            rates[..., 2] = 1.0 / (palm.sigma * len(PALM))
            yield np.array([(z[PALM].mean() - palm.distance) / palm.sigma]), rates, PALM
        for other in self._views:
            yield other.residual(placed.keypoints)


@dataclass(frozen=True, eq=False)
class _Other:
    """A second view as seen from the solver's frame."""

    view: SolverCamera
    joints: np.ndarray
    pixels: np.ndarray
    sigma: float

    @staticmethod
    def of(other: SecondView, mirrored: bool) -> _Other:
        pixels = other.pixels * (-1.0 if mirrored else 1.0, 1.0)
        return _Other(SolverCamera.of(other.K, 1.0, mirrored, other.R, other.t), other.joints, pixels, other.sigma)

    def residual(self, keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        image = self.view.project(keypoints[self.joints])
        count = len(self.joints)
        spread = np.zeros((count, 2, count, 3))
        spread[np.arange(count), :, np.arange(count)] = self.view.rates(image) / self.sigma
        return ((image[0] - self.pixels) / self.sigma).ravel(), spread.reshape(-1, count, 3), self.joints
