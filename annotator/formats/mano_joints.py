"""The 21 joints and the place of a MANO hand as MANO's own code has them, for formats whose readers run that code.

MANO's 16 joints are those of its kinematic chain: regressed from the resting, shaped mesh and posed with the bones.
Joints regressed from the posed mesh are not these: skinning and pose blend shapes move vertices, by millimetres at a
bent knuckle. Tips have no joint: vertices of the posed mesh stand for them, and each data set has its own choice
(`hand.joints.MANO_TIP_VERTICES`). smplx gives the same 21 (`smplx.MANO` with `joint_regressor` and
`vertex_ids["mano"]`).

MANO's translation moves the resting hand, whose wrist is not at the origin, and the whole hand's rotation turns about
that wrist. So wrist = translation + root, root being the resting wrist; it stays as it is when the camera's axes are
turned.
"""

from __future__ import annotations

import numpy as np

from annotator.errors import InputError
from annotator.formats.base import LabelledHand
from annotator.hand.joints import MANO_TIP_VERTICES, MANO_TO_KEYPOINTS
from annotator.hand.mesh import HandParameters
from annotator.hand.model import USER_HANDS, HandModel, load_hand
from annotator.hand.rotations import rotation_matrices

_MIRROR = np.array([-1.0, 1.0, 1.0])


def mano_joints(model: HandModel, parameters: HandParameters, side: str = "right", tips: str = "smplx") -> np.ndarray:
    """(21,3) m, keypoint order, camera frame, of a hand of `model`, a MANO; tips: whose vertices (`MANO_TIP_VERTICES`).

    parameters: ours, those of its mirror image for a left hand. InputError for an unknown name of tips.
    """
    if tips not in MANO_TIP_VERTICES:
        raise InputError(f"unknown tips {tips!r}: expected one of {', '.join(MANO_TIP_VERTICES)}")
    _, _, chain = model.bone_transforms(rotation_matrices(parameters.pose), parameters.shape)
    vertices = model.vertices(parameters, side)[list(MANO_TIP_VERTICES[tips])]
    joints = (chain + parameters.translation) * (_MIRROR if side == "left" else 1.0)
    return np.concatenate([joints, vertices])[list(MANO_TO_KEYPOINTS)]


def joints_as(record: LabelledHand, tips: str) -> np.ndarray | None:
    """(21,3) joints of a record as a format of MANO's family means them: `mano_joints` of a hand of the user's MANO,
    the record's own joints (a data set's label, the free hand's) of any other."""
    model = mano_named(record.hand_model) if record.parameters is not None else None
    return record.joints if model is None else mano_joints(model, record.parameters, record.side, tips)


def mano_named(hand_model: str) -> HandModel | None:
    """The user's MANO of this name or digest, None where it is none or is not imported."""
    for name in USER_HANDS:
        try:
            model = load_hand(name)
        except InputError:  # not imported
            continue
        if hand_model in (name, model.digest):
            return model
    return None


def root_of(shape: np.ndarray, side: str = "right", hand_model: str = "") -> np.ndarray | None:
    """(3,) m: where MANO's wrist rests, of a hand of this side; None where no MANO was imported."""
    model = mano_named(hand_model) or mano_named("mano") or mano_named("mano_left")
    if model is None:
        return None
    root = model.joint_regressor[0] @ (model.template + model.shape_directions @ np.asarray(shape, np.float64))
    return root * _MIRROR if side == "left" else root


def turned_place(translation: np.ndarray, root: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """MANO's translation in camera axes that are `axes` (3,) of +-1 times the ones it was given in, or back."""
    return axes * (np.asarray(translation, np.float64) + root) - root
