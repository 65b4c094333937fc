"""A hand's length and width, as a ruler has them, of a hand model's shapes: linear in the shape near any of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from annotator.errors import InputError
from annotator.evaluation.metrics import aligned
from annotator.hand.joints import PARENT
from annotator.hand.model import HandModel

LENGTH, WIDTH = "length", "width"
# m, one sigma of a person with a ruler: the crease of the wrist and the widest place of the palm are not sharp
RULER = {LENGTH: 0.0025, WIDTH: 0.002}
LEAST, MOST = {LENGTH: 0.08, WIDTH: 0.035}, {LENGTH: 0.27, WIDTH: 0.13}  # m: small children to the largest of hands
MIDDLE = (0, 9, 10, 11, 12)  # keypoints from the wrist to the middle fingertip
KNUCKLES = (5, 17)
_SLAB = 0.012  # m: how far from the line through the knuckles the palm is measured


def checked_sizes(sizes: Mapping[str, float | None] | None) -> dict[str, float]:
    """Sizes in m by name, without those that are None. InputError: an unknown name, or no size of a hand."""
    found = {}
    for name, value in (sizes or {}).items():
        if value is None:
            continue
        if name not in RULER:
            raise InputError(f"unknown size {name!r} of a hand: expected {LENGTH} or {WIDTH}")
        try:
            metres = float(value)
        except (TypeError, ValueError):
            raise InputError(f"the {name} of a hand is {value!r}: expected metres") from None
        if not LEAST[name] <= metres <= MOST[name]:
            raise InputError(
                f"the {name} of a hand is {1000 * metres:g} mm: expected {1000 * LEAST[name]:g} to "
                f"{1000 * MOST[name]:g} mm"
            )
        found[name] = metres
    return dict(sorted(found.items()))


def bones_of(model: HandModel, vertices: np.ndarray) -> np.ndarray:
    """(20,) m: the bones of a mesh (V, 3) of this model; number k - 1 ends in keypoint k."""
    joints = model.joints(vertices)
    return np.array([np.linalg.norm(joints[k] - joints[PARENT[k]]) for k in range(1, 21)])


def size_of(model: HandModel, shape: np.ndarray, name: str) -> tuple[float, np.ndarray]:
    """The length or width, m, of a stretched hand of this shape (10,), and its derivative (10,) by the shape.

    length: wrist joint to middle fingertip, along the finger; width: across the palm at the knuckles of index and
    little finger, skin to skin.
    """
    vertices = model.template + model.shape_directions @ shape
    if name == LENGTH:
        joints = model.joints(vertices)[list(MIDDLE)]
        directions = np.einsum("kv,vab->kab", model.keypoint_regressor[list(MIDDLE)], model.shape_directions)
        bones, rates = np.diff(joints, axis=0), np.diff(directions, axis=0)
        lengths = np.linalg.norm(bones, axis=1)
        return float(lengths.sum()), np.einsum("kab,ka->b", rates, bones / lengths[:, None])
    low, high, across = _sides(model)
    apart = vertices[high] - vertices[low]
    return float(apart @ across), across @ (model.shape_directions[high] - model.shape_directions[low])


def _sides(model: HandModel) -> tuple[int, int, np.ndarray]:
    """The vertices farthest apart across the palm at the knuckles of the mean hand, and the direction (3,) across."""
    joints = model.joints(model.template)
    start, end = joints[list(KNUCKLES)]
    across = (end - start) / np.linalg.norm(end - start)
    along = joints[9] - joints[0]
    along = along - across * (along @ across)
    along /= np.linalg.norm(along)
    local = model.template - 0.5 * (start + end)
    thumb = model.weights[:, 13:].sum(axis=1) > 0.5
    near = np.flatnonzero((np.abs(local @ along) < _SLAB) & ~thumb)
    places = local[near] @ across
    return int(near[places.argmin()]), int(near[places.argmax()]), across


def apart(model: HandModel, shape: np.ndarray, other: np.ndarray) -> float:
    """m between two hands at rest of shapes (10,), mean over the surface, after alignment with scale."""
    own, theirs = (model.template + model.shape_directions @ np.asarray(one, np.float64) for one in (shape, other))
    return float(np.linalg.norm(aligned(own, theirs) - theirs, axis=1).mean())
