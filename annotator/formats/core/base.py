"""The record that all formats read and write, and the weights that tell a person's work from a network's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from annotator.errors import InputError
from annotator.formats.conventions.fillers import labelled
from annotator.hand.joint_states import (
    CONFIRMED,
    CORRECTED,
    OCCLUDED,
    OUT_OF_FRAME,
    PROPAGATED,
    PROPOSED,
    check_joint_states,
)
from annotator.hand.joints import check_side
from annotator.hand.mesh import HandParameters, checked_array

# How much a keypoint is worth as a label: what a person set or confirmed counts fully, what only a network
# said at most half, and less the less it was sure; a hidden place is a guess; outside the photo there is
# nothing to compare.
_WEIGHTS = {
    CORRECTED: (1.0, 0.0),
    CONFIRMED: (1.0, 0.0),
    PROPOSED: (0.0, 0.5),
    PROPAGATED: (0.0, 0.5),
    OCCLUDED: (0.0, 0.25),
    OUT_OF_FRAME: (0.0, 0.0),
}

_SHAPES = {
    "box": (4,), "K": (3, 3), "keypoints": (21, 2), "visible": (21,), "weights": (21,), "joints": (21, 3),
    "vertices": (None, 3), "faces": (None, 3), "keypoint_sigma": (21,), "joint_weights": (21,),
}  # fmt: skip
_OPTIONAL = ("K", "joints", "vertices", "faces", "keypoint_sigma", "joint_weights")
MANO_POSES = ("full", "from mean", "components")


@dataclass(frozen=True, eq=False)
class ManoLabel:
    """MANO's parameters as a data set gives them; they mean a mesh only together with MANO's own file.

    pose (48,): global rotation (3, axis-angle, this record's camera frame), then 45 numbers of `form`: "full"
    axis-angle with the mean pose in it (flat hand = 0), "from mean" axis-angle to be added to MANO's mean pose,
    "components" of MANO's pose space, to be added to its mean; shape (10,); translation (3,) m of MANO's root or
    None. Those of the hand's own side: a left hand's are for MANO's left model, never mirrored.
    """

    pose: np.ndarray
    shape: np.ndarray
    translation: np.ndarray | None = None
    form: str = "full"

    def __post_init__(self) -> None:
        if self.form not in MANO_POSES:
            raise InputError(f"MANO label: form is {self.form!r}, expected one of {', '.join(MANO_POSES)}")
        for name, count in (("pose", 48), ("shape", 10), ("translation", 3)):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, _array("MANO label", name, value, (count,)))

    def mirrored(self) -> ManoLabel:
        """Of the mirror image, for MANO's model of the other side; both the camera frame's x and the hand's turn
        round."""
        turn = np.tile([1.0, -1.0, -1.0], 16)
        if self.form == "components":  # the other side's components are mirrored themselves
            turn[3:] = 1.0
        place = None if self.translation is None else self.translation * (-1.0, 1.0, 1.0)
        return ManoLabel(self.pose * turn, self.shape, place, self.form)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ManoLabel):
            return NotImplemented
        return all(np.array_equal(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))

    __hash__ = None  # type: ignore[assignment]  # arrays inside


@dataclass(frozen=True, eq=False)
class LabelledHand:
    """One hand in one photo with its label, in that photo's pixels and camera.

    id: its name in its data set; photo: the image file; side "right" or "left"; box (4,) x0, y0, x1, y1 px; K
    (3,3) px or None where the camera is unknown; keypoints (21,2) px; visible (21,) bool; states: per keypoint,
    one of JOINT_STATES; weights (21,) 0..1, see `joint_weights`: 0 means that there is no label, and the place
    given is only the box's middle; joints (21,3) and vertices (V,3) m, camera frame (x right, y down, z
    forward), faces (F,3), counter-clockwise from outside, parameters, keypoint_sigma (21,) px: None where a
    data set has none; hand_model: whose topology and parameters these are; state: of the hand; provenance:
    JSON-ready; joint_weights (21,) 0..1 of `joints`, None: all 1; mano: MANO's parameters, of data sets made
    with it.
    InputError for wrong shapes, values that are not finite, a singular K, unknown sides or states.
    """

    id: str
    photo: Path
    side: str
    box: np.ndarray
    K: np.ndarray | None
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
    joint_weights: np.ndarray | None = None
    mano: ManoLabel | None = None

    def __post_init__(self) -> None:
        check_side(self.side)
        object.__setattr__(self, "photo", Path(self.photo))
        object.__setattr__(self, "states", check_joint_states(self.states))
        for name, shape in _SHAPES.items():
            value = getattr(self, name)
            if value is None and name in _OPTIONAL:
                continue
            object.__setattr__(self, name, _array(f"hand {self.id}", name, value, shape))
        if self.K is not None and abs(np.linalg.det(self.K)) < 1e-9:
            raise InputError(f"hand {self.id}: K is singular, no camera has such a matrix")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LabelledHand):
            return NotImplemented
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        arrays = np.ndarray
        return all(np.array_equal(a, b) if isinstance(a, arrays) or isinstance(b, arrays) else a == b for a, b in pairs)

    __hash__ = None  # type: ignore[assignment]  # arrays inside


def _array(owner: str, name: str, value: Any, shape: tuple[int | None, ...]) -> np.ndarray:
    """A read-only array of this shape (None: any length); InputError naming owner and field."""
    kind = {"faces": np.int32, "visible": bool}.get(name, np.float64)
    return checked_array(f"{owner}: {name}", value, shape, kind)


def field_array(name: str, value: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Finite numbers of this shape, also if they come in another of as many numbers. InputError naming the field."""
    found = np.array(value, np.float64)
    if found.size == int(np.prod(shape)):
        found = found.reshape(shape)
    if found.shape != shape:
        raise InputError(f"{name} has shape {found.shape}, expected {shape}")
    if not np.isfinite(found).all():
        raise InputError(f"{name} holds values that are not finite")
    return found


def joint_weights(states: Iterable[str], confidence: float) -> np.ndarray:
    """(21,) weights of keypoints as labels: 1 for a person's, at most 0.5 (by confidence) for a network's."""
    return np.array([_WEIGHTS[state][0] + _WEIGHTS[state][1] * confidence for state in check_joint_states(states)])


def visibility(states: Iterable[str]) -> np.ndarray:
    """(21,) bool: false for occluded and out of frame."""
    return np.array([state not in (OCCLUDED, OUT_OF_FRAME) for state in check_joint_states(states)])


def box_of(points: np.ndarray) -> np.ndarray:
    """(4,) x0, y0, x1, y1: the upright box round points (N, 2)."""
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


def labels_of(points, known, visible=None, weights=None) -> dict:
    """Keypoint fields of a `LabelledHand` from another set's points (21,2) px, of which only `known` (21,) are labels.

    visible (21,) and weights (21,) 0..1: None, all of the known. A labelled keypoint counts as confirmed, or as
    occluded where it is not visible; one below full weight as proposed. What is not known gets the middle of
    the known ones' box, no weight, and is not visible; nor is what only fills a row, see `fillers.labelled`. InputError
    if nothing is known.
    """
    points, known = np.array(points, np.float64), np.array(known, bool)
    if points.shape != (21, 2) or known.shape != (21,):
        raise InputError(f"keypoints have shape {points.shape}, expected (21, 2)")
    known = labelled(points, known)
    if not known.any():
        raise InputError("no keypoint of the hand has a label")
    visible = known.copy() if visible is None else np.array(visible, bool) & known
    weights = known.astype(float) if weights is None else np.where(known, np.array(weights, np.float64), 0.0)
    if not ((weights >= 0) & (weights <= 1)).all():
        raise InputError("the weights of keypoints are not all between 0 and 1")
    box = box_of(points[known])
    points[~known] = box.reshape(2, 2).mean(axis=0)
    words = np.where(visible, np.where(weights < 1, PROPOSED, CONFIRMED), OCCLUDED)
    return {"keypoints": points, "visible": visible, "weights": weights, "states": tuple(words.tolist())}
