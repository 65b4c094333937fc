"""Where on a hand a joint's name is: anatomical, MANO's, MediaPipe's, or as a person or a data set labels it.

Two labellers who are both right put 'wrist' a centimetre apart, each the same way every time. A joint definition is a
map from a hand's mesh to 21 joints, so that a label is read as it was meant and an export says what its readers expect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotator.errors import InputError
from annotator.hand.joints import KEYPOINT_OF_MANO, MANO_PARENTS, PARENT, TIPS
from annotator.hand.mano import chain_joints, in_order, tips_of
from annotator.hand.mesh import HandMesh
from annotator.hand.model import load_hand
from annotator.hand.rotations import rotation_matrices

# The model joint in whose frame a keypoint's offset is given: that of the bone which ends in it; the wrist's own.
FRAME_OF = np.array([0] + [KEYPOINT_OF_MANO.index(PARENT[k]) for k in range(1, 21)])
MANO_VERTICES = 778
LARGEST = 0.05  # m: an offset beyond this is no way of labelling a joint


def _spread(wrist: float, thumb_base: float, knuckles: float, others: float) -> np.ndarray:
    spread = np.full(21, others)
    spread[[0, 1]], spread[[2, 5, 9, 13, 17]] = (wrist, thumb_base), knuckles
    return spread


# m, one sigma along each axis: how far people and data sets put a joint from the anatomical one, the same way every
# time. Of the sets compared, wrists lie 6 to 7 mm and thumb bases up to 10 mm apart, knuckles 2 to 5, finger joints 2.
UNKNOWN_LABELLER = _spread(0.007, 0.007, 0.0038, 0.0024)
# m, in the frames of FRAME_OF: MediaPipe's joints against ours, on 348 rendered hands that its network sees rightly
# (`python -m annotator.tools.own_joints measure DATA/calibration`): its hand ends before the fingertips
# and begins beyond the wrist.
_MEDIAPIPE = 0.001 * np.array([  # wrist; thumb, index, middle, ring, little from base to tip
    (-7.7, -3.5, -0.8),
    (-9.6, -8.6, 9.4), (-1.9, 1.7, 1.4), (2.3, 2.1, -3.4), (4.7, 2.9, -7.2),
    (-4.4, 0.7, -1.2), (1.0, -0.0, -0.2), (3.1, 0.5, -0.1), (5.9, -0.3, 0.7),
    (-3.5, -1.0, -0.4), (1.8, -0.9, 0.1), (4.3, 0.1, 0.7), (6.5, -1.3, 1.4),
    (-6.2, 0.1, -0.6), (-0.3, -0.6, 0.2), (4.0, -0.3, 1.6), (7.1, -1.0, 2.2),
    (-6.8, 0.6, 0.3), (0.0, -0.1, -0.3), (1.0, 0.6, 0.5), (6.5, 1.2, 1.4),
])  # fmt: skip


@dataclass(frozen=True, eq=False)
class JointDefinition:
    """A map from a hand's mesh to 21 joints: the anatomical joints, moved by fixed offsets in the frames of their
    bones.

    Attributes
    ----------
    name : str
    offsets : (21, 3) array, m
        In rest axes of the right hand (fingers along -x, thumb side +z, back of the hand +y), turned with the bone that
        ends in the joint, see `FRAME_OF`.
    spread : (21,) array, m
        One sigma along each axis of what is not known of the offsets: a label is no better than this however often the
        same labeller repeats it.
    hands : int
        Labelled hands that it was learned from; 0 for a named definition.
    """

    name: str
    offsets: np.ndarray
    spread: np.ndarray
    hands: int = 0

    def __post_init__(self) -> None:
        for field, shape in (("offsets", (21, 3)), ("spread", (21,))):
            try:
                array = np.array(getattr(self, field), dtype=np.float64)
            except (TypeError, ValueError) as error:
                raise InputError(f"joint definition {self.name!r}: {field} are no numbers: {error}") from None
            if array.shape != shape or not np.isfinite(array).all() or np.abs(array).max() > LARGEST:
                raise InputError(
                    f"joint definition {self.name!r}: {field} must be {shape}, finite and within {LARGEST:g} m"
                )
            array.setflags(write=False)
            object.__setattr__(self, field, array)
        if (self.spread < 0).any():
            raise InputError(f"joint definition {self.name!r}: a spread is negative")

    @property
    def moves(self) -> bool:
        """Whether its joints are elsewhere than the mesh's own."""
        return bool(self.offsets.any())

    def joints(self, hand: HandMesh) -> np.ndarray:
        """The hand's joints as this definition has them, (21, 3) m, camera frame."""
        return hand.joints + turned(self.offsets, hand) if self.offsets.any() else hand.joints

    def keypoints(self, hand: HandMesh) -> np.ndarray:
        """The same in the photo, (21, 2) px."""
        image = self.joints(hand) @ np.asarray(hand.camera).T
        return image[:, :2] / image[:, 2:]

    def as_ours(self, points: np.ndarray, hand: HandMesh) -> np.ndarray:
        """Keypoints (21, 2) px that were meant in this way -> where the hand's own joints would have been set."""
        return points - (self.keypoints(hand) - hand.keypoints)

    def places(self, hand: HandMesh) -> np.ndarray:
        """(21, 2) px: the hand's keypoints as they are shown and exported: labels exactly as they were set, elsewhere
        where the mesh has the joints of this definition."""
        places = self.keypoints(hand)
        for joint, place in hand.corrections.items():
            places[joint] = place
        return places

    def as_dict(self) -> dict[str, Any]:
        """For JSON; `from_dict` reads it."""
        return {
            "name": self.name,
            "offsets": self.offsets.tolist(),
            "spread": self.spread.tolist(),
            "hands": self.hands,
        }

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> JointDefinition:
        """What `as_dict` gave. InputError for anything else."""
        try:
            return JointDefinition(
                str(values["name"]), values["offsets"], values["spread"], int(values.get("hands", 0))
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"this is no joint definition: {error}") from None


class ManoDefinition(JointDefinition):
    """MANO's own joints, see `hand.mano`; on a mesh that is not MANO's (the embedded hand) the chain's joints and that
    hand's own tip vertices."""

    @property
    def moves(self) -> bool:
        """On every mesh: a regressor's joints are not the chain's to the last bit."""
        return True

    def joints(self, hand: HandMesh) -> np.ndarray:
        """See `JointDefinition.joints`."""
        chain = chain_joints(load_hand(hand.hand_model), hand.parameters, hand.side)
        tips = tips_of(hand.vertices) if len(hand.vertices) == MANO_VERTICES else hand.joints[list(TIPS)]
        return in_order(chain, tips)


def turned(offsets: np.ndarray, hand: HandMesh) -> np.ndarray:
    """Offsets (21, 3) m in the frames of the bones -> (21, 3) m in the camera frame of the hand."""
    moved = (bone_frames(hand) @ offsets[..., None])[..., 0]
    return moved * (-1.0, 1.0, 1.0) if hand.side == "left" else moved


def bone_frames(hand: HandMesh) -> np.ndarray:
    """(21, 3, 3): the rotation, from rest axes, of the bone that each keypoint belongs to; a left hand's are those of
    its mirror image (x -> -x)."""
    return frames_of(hand.parameters.pose)


def frames_of(pose: np.ndarray) -> np.ndarray:
    """The same of a pose (16, 3), axis-angle rad."""
    local = rotation_matrices(pose)
    turns = np.empty((16, 3, 3))
    turns[0] = local[0]
    for joint, parent in enumerate(MANO_PARENTS[1:], start=1):
        turns[joint] = turns[parent] @ local[joint]
    return turns[FRAME_OF]


ANATOMICAL = JointDefinition("anatomical", np.zeros((21, 3)), UNKNOWN_LABELLER)
EXACT = JointDefinition(
    "ours", np.zeros((21, 3)), np.zeros(21)
)  # labels made by our own regressor, as renders have them
MANO = ManoDefinition("mano", np.zeros((21, 3)), _spread(0.006, 0.006, 0.003, 0.002))
MEDIAPIPE = JointDefinition("mediapipe", _MEDIAPIPE, _spread(0.004, 0.004, 0.003, 0.003))  # one hand's
NAMED: Mapping[str, JointDefinition] = {one.name: one for one in (ANATOMICAL, EXACT, MANO, MEDIAPIPE)}


def definition_of(value: JointDefinition | str | None) -> JointDefinition:
    """A definition by itself or by name; None is the anatomical one. InputError for an unknown name."""
    if value is None:
        return ANATOMICAL
    if isinstance(value, JointDefinition):
        return value
    if value not in NAMED:
        raise InputError(f"unknown joint definition {value!r}: expected one of {', '.join(NAMED)}")
    return NAMED[value]
