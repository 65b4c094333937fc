"""The record that all formats read and write, and the weights that tell a person's work from a network's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.hand.joints import check_side
from annotator.hand.mesh import HandParameters
from annotator.project.states import (
    CONFIRMED,
    CORRECTED,
    OCCLUDED,
    OUT_OF_FRAME,
    PROPOSED,
    check_joint_states,
)

# How much a keypoint is worth as a label: what a person set or confirmed counts fully, what only a network
# said at most half, and less the less it was sure; a hidden place is a guess; outside the photo there is
# nothing to compare.
_WEIGHTS = {
    CORRECTED: (1.0, 0.0),
    CONFIRMED: (1.0, 0.0),
    PROPOSED: (0.0, 0.5),
    OCCLUDED: (0.0, 0.25),
    OUT_OF_FRAME: (0.0, 0.0),
}

_SHAPES = {
    "box": (4,), "K": (3, 3), "keypoints": (21, 2), "visible": (21,), "weights": (21,), "joints": (21, 3),
    "vertices": (None, 3), "faces": (None, 3), "keypoint_sigma": (21,),
}  # fmt: skip
_OPTIONAL = ("joints", "vertices", "faces", "keypoint_sigma")


@dataclass(frozen=True, eq=False)
class LabelledHand:
    """One hand in one photo with its label, in that photo's pixels and camera.

    id: its name in its data set; photo: the image file; side "right" or "left"; box (4,) x0, y0, x1, y1 px; K
    (3,3) px; keypoints (21,2) px; visible (21,) bool; states: per keypoint, one of JOINT_STATES; weights
    (21,) 0..1, see `joint_weights`; joints (21,3) and vertices (V,3) m, camera frame (x right, y down, z
    forward), faces (F,3), counter-clockwise from outside, parameters, keypoint_sigma (21,) px: None where a
    data set has none; hand_model: whose topology and parameters these are; state: of the hand; provenance:
    JSON-ready.
    InputError for wrong shapes, values that are not finite, unknown sides or states.
    """

    id: str
    photo: Path
    side: str
    box: np.ndarray
    K: np.ndarray
    keypoints: np.ndarray
    visible: np.ndarray
    states: tuple[str, ...]
    weights: np.ndarray
    joints: np.ndarray | None = None
    vertices: np.ndarray | None = None
    faces: np.ndarray | None = None
    parameters: HandParameters | None = None
    keypoint_sigma: np.ndarray | None = None
    hand_model: str = ""
    state: str = ""
    provenance: Mapping = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_side(self.side)
        object.__setattr__(self, "photo", Path(self.photo))
        object.__setattr__(self, "states", check_joint_states(self.states))
        for name, shape in _SHAPES.items():
            value = getattr(self, name)
            if value is None and name in _OPTIONAL:
                continue
            object.__setattr__(self, name, self._array(name, value, shape))

    def _array(self, name: str, value, shape: tuple[int | None, ...]) -> np.ndarray:
        kind = {"faces": np.int32, "visible": bool}.get(name, np.float64)
        try:
            array = np.array(value, dtype=kind)
        except (TypeError, ValueError) as error:
            raise InputError(f"hand {self.id}: {name} is not an array of numbers: {error}") from None
        if array.ndim != len(shape) or any(
            n not in (None, m) for n, m in zip(shape, array.shape, strict=True)
        ):
            wanted = ", ".join("any" if n is None else str(n) for n in shape)
            raise InputError(f"hand {self.id}: {name} has shape {array.shape}, expected ({wanted})")
        if not np.isfinite(array).all():
            raise InputError(f"hand {self.id}: {name} holds values that are not finite")
        array.setflags(write=False)
        return array

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LabelledHand):
            return NotImplemented
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return all(np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b for a, b in pairs)

    __hash__ = None  # arrays inside


def joint_weights(states: Iterable[str], confidence: float) -> np.ndarray:
    """(21,) weights of keypoints as labels: 1 for a person's, at most 0.5 (by confidence) for a network's."""
    return np.array(
        [_WEIGHTS[state][0] + _WEIGHTS[state][1] * confidence for state in check_joint_states(states)]
    )


def visibility(states: Iterable[str]) -> np.ndarray:
    """(21,) bool: false for occluded and out of frame."""
    return np.array([state not in (OCCLUDED, OUT_OF_FRAME) for state in check_joint_states(states)])


def box_of(points: np.ndarray) -> np.ndarray:
    """(4,) x0, y0, x1, y1: the upright box round points (N, 2)."""
    return np.concatenate([points.min(axis=0), points.max(axis=0)])
