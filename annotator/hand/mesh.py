"""Records of a hand: its parameters, and the mesh of a proposal or correction; frozen, arrays read-only."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from annotator.errors import InputError
from annotator.hand.depth_labels import DepthLabels
from annotator.hand.joints import check_side, joint_index


def checked_array(what: str, value: Any, shape: tuple[int | None, ...], kind: type = np.float64) -> np.ndarray:
    """A read-only copy of `value` as a finite array of `shape` (None: any length); InputError, naming `what`,
    otherwise."""
    try:
        array: np.ndarray = np.array(value, dtype=kind)
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} is not an array of numbers: {error}") from None
    if array.ndim != len(shape) or any(want not in (None, got) for want, got in zip(shape, array.shape, strict=True)):
        wanted = ", ".join("any" if n is None else str(n) for n in shape)
        raise InputError(f"{what} has shape {array.shape}, expected ({wanted})")
    if not np.isfinite(array).all():
        raise InputError(f"{what} holds values that are not finite")
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False)
class _Record:
    """Turns the fields listed in `_SHAPES` into read-only arrays when a record is made."""

    _SHAPES: ClassVar[dict[str, tuple[int | None, ...]]] = {}

    def __post_init__(self) -> None:
        for name, shape in self._SHAPES.items():
            object.__setattr__(self, name, checked_array(f"{type(self).__name__}.{name}", getattr(self, name), shape))

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(
            np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b
            for a, b in ((getattr(self, f.name), getattr(other, f.name)) for f in dataclasses.fields(self) if f.compare)
        )

    __hash__ = None  # type: ignore[assignment]  # arrays inside

    def replace(self, **changes: Any) -> Any:
        """A copy with some fields changed.

        Parameters
        ----------
        changes
            Fields by name.

        Returns
        -------
        The same kind of record
            Checked as a new one is.

        Raises
        ------
        InputError
            As for a new one.
        """
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True, eq=False)
class HandParameters(_Record):
    """What a hand model needs to place a hand.

    For a left hand all of them belong to its mirror image (see HandModel.vertices).

    Parameters
    ----------
    pose
        (16, 3) axis-angle, rad, each in its parent's frame, in the model's order.
    shape
        (10,) numbers of the model's shape space.
    translation
        (3,) m: where the wrist joint is in the camera frame (x right, y down, z forward).
    offsets
        (M, 3) m at mesh level OFFSET_LEVEL, in the rest pose.

    Raises
    ------
    InputError
        Wrong shapes, or values that are not finite.
    """

    pose: np.ndarray
    shape: np.ndarray
    translation: np.ndarray
    offsets: np.ndarray

    _SHAPES = {"pose": (16, 3), "shape": (10,), "translation": (3,), "offsets": (None, 3)}


@dataclass(frozen=True, eq=False)
class ParametricEstimate(_Record):
    """The parametric stage's own answer: vertices (V,3) m, joints (21,3) m, keypoints (21,2) photo px, and its
    parameters, from which a project builds the rest again."""

    vertices: np.ndarray
    joints: np.ndarray
    keypoints: np.ndarray
    parameters: HandParameters | None = None

    _SHAPES = {"vertices": (None, 3), "joints": (21, 3), "keypoints": (21, 2)}


@dataclass(frozen=True, eq=False)
class HandMesh(_Record):
    """One hand in one photo, as the network or a person's corrections have it.

    Parameters
    ----------
    side
        "right" or "left".
    camera
        (3, 3) intrinsics of the photo, px.
    crop_center, crop_size, crop_angle
        The crop it was seen in: (2,) photo px, px a side, and rad from the photo's x axis toward its y axis.
    vertices
        (V, 3) m, camera frame (x right, y down, z forward).
    faces
        (F, 3) numbers of vertices, counter-clockwise from outside.
    joints
        (21, 3) m, camera frame, in the order of `hand.joints.JOINT_NAMES`.
    keypoints
        (21, 2) photo px: the joints as the camera sees them.
    keypoint_sigma, vertex_sigma
        (21,) px and (V,) m: one standard deviation per axis.
    confidence
        0..1.
    parameters
        What the hand model makes the mesh of.
    hand_model
        The hand model's digest or name.
    parametric
        The parametric stage's own answer.
    corrections
        Keypoint number -> (x, y) photo px set by a person.
    depth_labels
        What a person said of its depth.
    features
        Cached encoder features; not compared.

    Raises
    ------
    InputError
        Wrong shapes, values that are not finite, an unknown side or joint, confidence outside 0..1.
    """

    side: str
    camera: np.ndarray
    crop_center: np.ndarray
    crop_size: float
    crop_angle: float
    vertices: np.ndarray
    faces: np.ndarray
    joints: np.ndarray
    keypoints: np.ndarray
    keypoint_sigma: np.ndarray
    vertex_sigma: np.ndarray
    confidence: float
    parameters: HandParameters
    hand_model: str
    parametric: ParametricEstimate | None
    corrections: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    depth_labels: DepthLabels = field(default_factory=DepthLabels)
    features: Any = field(default=None, compare=False, repr=False)

    _SHAPES = {
        "camera": (3, 3), "crop_center": (2,), "vertices": (None, 3), "joints": (21, 3), "keypoints": (21, 2),
        "keypoint_sigma": (21,), "vertex_sigma": (None,),
    }  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        check_side(self.side)
        object.__setattr__(self, "faces", checked_array("HandMesh.faces", self.faces, (None, 3), np.int32))
        if len(self.vertex_sigma) != len(self.vertices):
            raise InputError(
                f"HandMesh.vertex_sigma has {len(self.vertex_sigma)} values for {len(self.vertices)} vertices"
            )
        if self.faces.size and (self.faces.min() < 0 or self.faces.max() >= len(self.vertices)):
            raise InputError("HandMesh.faces names vertices that do not exist")
        for name in ("crop_size", "crop_angle", "confidence"):
            object.__setattr__(self, name, float(checked_array(f"HandMesh.{name}", getattr(self, name), ())))
        if not 0.0 <= self.confidence <= 1.0:
            raise InputError(f"HandMesh.confidence is {self.confidence}, expected 0..1")
        corrections = {}
        for key, point in self.corrections.items():
            x, y = checked_array(f"HandMesh.corrections[{key!r}]", point, (2,))
            corrections[joint_index(key)] = (float(x), float(y))
        object.__setattr__(self, "corrections", dict(sorted(corrections.items())))

    def unlabelled(self) -> HandMesh:
        """The same mesh without what a person said of it.

        Returns
        -------
        HandMesh
            Without corrections and labels of depth.
        """
        return self.replace(corrections={}, depth_labels=DepthLabels())
