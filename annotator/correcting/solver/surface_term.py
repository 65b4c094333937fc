"""Skin that belongs on a measured surface: residuals and rows of the solver's least squares."""

from __future__ import annotations

import functools

import numpy as np

from annotator.correcting.depth.surface_pairs import SurfacePairs
from annotator.correcting.kinematics.chain import Chain, Posed
from annotator.correcting.solver.coordinates import Coordinates, PosedHand
from annotator.correcting.solver.stretching import Stretched, forms
from annotator.hand.model import HandModel


class SurfaceTerm:
    """Distances of vertices from the planes in which they belong, over their sigmas. mirrored: of a left hand, which is
    a right one in the solver's frame."""

    def __init__(self, coordinates: Coordinates, pairs: SurfacePairs, mirrored: bool):
        mirror = np.array([-1.0 if mirrored else 1.0, 1.0, 1.0])
        self._coordinates = coordinates
        skin = skin_chain_of(coordinates.model, isinstance(coordinates, Stretched))
        self._chain = skin.of_points(pairs.vertices, coordinates.offsets)
        self._directions = pairs.directions * mirror / pairs.sigma[:, None]
        self._last: tuple[PosedHand, Posed] | None = None
        self._distances = (pairs.places * mirror * self._directions).sum(1)

    def residual(self, placed: PosedHand) -> np.ndarray:
        """(n,) sigmas."""
        posed = self._posed(placed)
        points = posed.keypoints + self._coordinates.translation(placed.x)
        return (points * self._directions).sum(1) - self._distances

    def rows(self, placed: PosedHand, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Derivatives (n, count) by coordinates in units of `scale` (count,), and the residuals (n,)."""
        own = self._coordinates
        with_shape = len(scale) == own.count
        jacobian = own.jacobian_of(self._chain, self._posed(placed), placed.x, with_shape)
        return np.einsum("nc,ncx->nx", self._directions, jacobian) * scale, self.residual(placed)

    def _posed(self, placed: PosedHand) -> Posed:
        if self._last is None or self._last[0] is not placed:
            rest = self._chain.rest(placed.x[self._coordinates.form])
            self._last = placed, self._chain.pose(placed.rotations, rest)
        return self._last[1]


@functools.lru_cache(maxsize=2)
def skin_chain_of(model: HandModel, stretched: bool) -> Chain:
    """The kinematic chain of all vertices of a hand model, made once. stretched: with bone lengths."""
    return Chain(model, np.eye(len(model.template)), forms(model) if stretched else None)
