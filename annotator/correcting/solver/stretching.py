"""Bone lengths as coordinates of their own: several photos see how long a bone is, whatever a shape space says.

`hand.building.proportions` makes hands of any bone lengths, and its template is linear in them; so each bone is one
more direction of shape, and chain and Jacobian are those of the solver with thirty numbers of shape in place of ten. A
hand model's parameters have no place for bone lengths: the answer is baked into its surface offsets, posed as it is.
"""

from __future__ import annotations

import functools

import numpy as np

from annotator.correcting.kinematics.chain import Chain
from annotator.correcting.solver.coordinates import COUNT, SHAPE, Coordinates, PosedHand
from annotator.hand.building.proportions import with_bone_lengths
from annotator.hand.mesh import HandParameters
from annotator.hand.model import OFFSET_LEVEL, HandModel
from annotator.hand.rotations import rotation_vectors

BONES = 20
STRETCH = slice(COUNT, COUNT + BONES)
FORM = slice(SHAPE.start, STRETCH.stop)  # the numbers of shape and the stretches behind them
MOST = 0.3  # share: no bone is longer or shorter by more
STEP = 0.25  # share by which the template is stretched to find its (constant) derivative


@functools.lru_cache(maxsize=4)
def directions(model: HandModel) -> np.ndarray:
    """(V,3,20) m: how the template moves for a bone that is twice as long."""
    found = []
    for bone in range(BONES):
        factors = np.ones(BONES)
        factors[bone] += STEP
        found.append((with_bone_lengths(model, factors).template - model.template) / STEP)
    return np.stack(found, axis=-1)


def forms(model: HandModel) -> np.ndarray:
    """(V,3,30) m: how the template moves with the numbers of shape and with the stretches behind them."""
    return np.concatenate([model.shape_directions, directions(model)], axis=-1)


@functools.lru_cache(maxsize=4)
def stretch_chain_of(model: HandModel) -> Chain:
    """The kinematic chain of a hand model with the stretches as further numbers of shape, made once."""
    return Chain(model, forms=forms(model))


class Stretched(Coordinates):
    """`solver.coordinates.Coordinates` with the twenty stretches behind them: x (81,)."""

    count, form = STRETCH.stop, FORM

    def __init__(self, model: HandModel, parameters: HandParameters, depth_factor: float, shape_limit: float):
        super().__init__(model, parameters, depth_factor, shape_limit)
        self.chain = stretch_chain_of(model)
        self.start = np.concatenate([self.start, np.zeros(BONES)])
        self._low = np.concatenate([self._low, np.full(BONES, -MOST)])
        self._high = np.concatenate([self._high, np.full(BONES, MOST)])

    def parameters(self, placed: PosedHand) -> HandParameters:
        """The hand at x as parameters of the hand model, the stretches in its offsets."""
        x = placed.x
        return HandParameters(
            pose=rotation_vectors(placed.rotations),
            shape=x[SHAPE],
            translation=self.translation(x),
            offsets=self.offsets + baked(self.model, placed.rotations, x[SHAPE], x[STRETCH]),
        )


def baked(model: HandModel, rotations: np.ndarray, shape: np.ndarray, stretch: np.ndarray) -> np.ndarray:
    """Offsets (M,3) m, rest pose, with which the model has the vertices of the stretched hand in this pose."""
    if not stretch.any():
        return np.zeros((model.offset_count, 3))
    longer = model.with_template(model.template + directions(model) @ stretch)
    wanted = longer.skin(rotations, shape)
    turned, moved, _ = model.bone_transforms(rotations, shape)
    blended = np.tensordot(model.weights, turned, axes=1)
    plain = np.einsum("vab,vb->va", blended, model.rest_vertices(shape, None, OFFSET_LEVEL)) + model.weights @ moved
    at = model.levels[OFFSET_LEVEL].indices
    return np.linalg.solve(blended[at], (wanted - plain)[at][..., None])[..., 0]
