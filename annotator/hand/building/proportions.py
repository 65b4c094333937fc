"""Hands of other proportions than a hand model's shape space has: every bone with a length of its own.

A shape space of ten numbers holds the hands it was made from. Real hands lie beside it: a bone of one is a tenth longer
than any of its shapes says. Tests and benchmarks need such hands, since a method that is tried only on hands of its own
shape space looks better than it is.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from annotator.errors import InputError
from annotator.hand.joints import KEYPOINT_OF_MANO, PARENT
from annotator.hand.model import HandModel

# Rays of the palm: keypoints that hang on the wrist.
RAYS = tuple(k for k in range(1, 21) if PARENT[k] == 0)
_NEAR = 0.008  # m: how sharply the skin of the palm belongs to the nearest ray


def with_bone_lengths(model: HandModel, factors: np.ndarray) -> HandModel:
    """The hand model with each bone's length at rest times a factor.

    Parameters
    ----------
    model : HandModel
    factors : (20,) array, finite, 0.5 to 2
        Bone number k - 1 is the one that ends in keypoint k; those that end in a first joint are the palm's rays.

    Returns
    -------
    HandModel
        Same faces, weights, regressors and shape directions; another template. Bones keep their directions at rest and
        their thickness; the skin is moved with the bones by its skinning weights, the palm's by its distance from the
        rays.

    Raises
    ------
    InputError
        Factors of another shape, or outside 0.5 to 2.
    """
    factors = np.asarray(factors, dtype=np.float64)
    if factors.shape != (20,) or not ((factors >= 0.5) & (factors <= 2.0)).all():
        raise InputError(f"bone length factors must be 20 numbers from 0.5 to 2, got shape {factors.shape}")
    template = model.template
    joints = model.joints(template)
    moved = joints.copy()
    for k in range(1, 21):
        moved[k] = moved[PARENT[k]] + factors[k - 1] * (joints[k] - joints[PARENT[k]])

    def stretched(start: int, end: int) -> np.ndarray:
        """The template (V,3) stretched along the bone from keypoint `start` to `end`."""
        along = joints[end] - joints[start]
        along = along / np.linalg.norm(along)
        local = template - joints[start]
        return moved[start] + local + (factors[end - 1] - 1.0) * (local @ along)[:, None] * along

    result = np.zeros_like(template)
    for bone, keypoint in enumerate(KEYPOINT_OF_MANO[1:], start=1):
        result += model.weights[:, bone, None] * stretched(keypoint, keypoint + 1)
    distance = np.stack([_distance(template, joints[0], joints[k]) for k in RAYS])
    share = np.exp(-0.5 * ((distance - distance.min(axis=0)) / _NEAR) ** 2)
    share /= share.sum(axis=0)
    palm = sum(part[:, None] * stretched(0, k) for part, k in zip(share, RAYS, strict=True))
    return dataclasses.replace(model, template=result + model.weights[:, 0, None] * palm)


def random_bone_lengths(random: np.random.Generator, spread: float) -> np.ndarray:
    """(20,) factors for `with_bone_lengths`, each drawn evenly from 1 - spread to 1 + spread on its own."""
    return random.uniform(1.0 - spread, 1.0 + spread, 20)


def _distance(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(V,) m from points (V,3) to the segment between start and end (3,)."""
    along = end - start
    at = np.clip((points - start) @ along / (along @ along), 0.0, 1.0)
    return np.linalg.norm(points - start - at[:, None] * along, axis=1)
