"""What a hand that several cameras see is weighed by: one pose, place and shape, residuals in every photo.

In units of one sigma, as in `solver.problem`, whose blocks these are:

    in each photo: labels and confirmed keypoints, by their accuracy; the proposal's keypoints, whitened
    once: the pose and shape that the proposals say together, by the spread of their errors
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from annotator.correcting.solver.coordinates import Coordinates, PosedHand
from annotator.correcting.solver.descent import Box, add_squares
from annotator.correcting.solver.problem import Proposal, SolverCamera, Targets


@dataclass(eq=False)
class Photo:
    """One camera's residuals, in crop px of that photo and the solver's frame. soft: the proposal's keypoints, or None
    where there is no proposal that counts."""

    name: str
    view: SolverCamera
    targets: Targets
    soft: Proposal | None


@dataclass(frozen=True, eq=False)
class Seen:
    """A hand in one photo: image (pixels, depths), miss (h,2) px of labelled keypoints, soft (n,2) whitened."""

    image: tuple[np.ndarray, np.ndarray]
    miss: np.ndarray
    soft: np.ndarray


@dataclass(frozen=True, eq=False)
class State:
    """A hand, in each photo, and its residuals to the prior, sigmas (n,)."""

    placed: PosedHand
    seen: list[Seen] = field(repr=False)
    prior: np.ndarray


class InstantProblem:
    """The problem for `solver.descent.descend`: all coordinates are free, cameras tell size from distance."""

    def __init__(self, coordinates: Coordinates, photos: Sequence[Photo], sigmas: np.ndarray):
        self.coordinates, self.photos, self._sigmas = coordinates, list(photos), sigmas
        self.count = len(sigmas)

    @property
    def scale(self) -> np.ndarray:
        """One sigma of each coordinate."""
        return self._sigmas

    def clamp(self, x: np.ndarray) -> tuple[np.ndarray, Box]:
        return self.coordinates.clamp(x)

    def evaluate(self, x: np.ndarray) -> tuple[float, State]:
        placed = self.coordinates.place(x)
        prior = (x - self.coordinates.start) / self._sigmas
        total, seen = float(prior @ prior), []
        for photo in self.photos:
            image = photo.view.project(placed.keypoints)
            miss = image[0][photo.targets.joints] - photo.targets.places
            hard = miss / photo.targets.sigma[:, None]
            total += float(np.vdot(hard, hard))
            soft = np.zeros((0, 2))
            if photo.soft is not None:
                soft = photo.soft.whitening @ (image[0][photo.soft.joints] - photo.soft.places)
                total += float(np.vdot(soft, soft))
            seen.append(Seen(image, miss, soft))
        return 0.5 * total, State(placed, seen, prior)

    def normal_equations(self, state: State, photos: Sequence[int] | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Gauss-Newton Hessian (n,n) and gradient (n,) per sigma. photos: the numbers of those that count."""
        jacobian = self.keypoint_jacobian(state)
        hessian, gradient = np.eye(self.count), state.prior.copy()
        for number, (photo, seen) in enumerate(zip(self.photos, state.seen, strict=True)):
            if photos is not None and number not in photos:
                continue
            in_photo = photo.view.rates(seen.image) @ jacobian  # (21,2,n)
            blocks = []
            if photo.soft is not None:
                joints = photo.soft.joints
                rows = photo.soft.whitening @ in_photo[joints].reshape(len(joints), 2 * self.count)
                blocks.append((rows.reshape(-1, self.count), seen.soft.ravel()))
            if len(photo.targets.joints):
                weight = 1.0 / photo.targets.sigma[:, None]
                rows = (in_photo[photo.targets.joints] * weight[..., None]).reshape(-1, self.count)
                blocks.append((rows, (seen.miss * weight).ravel()))
            for rows, residual in blocks:
                add_squares(hessian, gradient, rows, residual)
        return hessian, gradient

    def keypoint_jacobian(self, state: State) -> np.ndarray:
        """(21,3,n) m per sigma."""
        return self.coordinates.jacobian(state.placed, True) * self._sigmas
