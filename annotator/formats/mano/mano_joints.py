"""The joints and the place of a MANO hand for formats whose readers run MANO's own code.

The joints are those of `hand.mano`. MANO's translation moves the resting hand, whose wrist is not at the origin, and
the whole hand's rotation turns about that wrist. So wrist = translation + root, root being the resting wrist; it stays
as it is when the camera's axes are turned.
"""

from __future__ import annotations

import numpy as np

from annotator.errors import InputError
from annotator.formats.core.base import LabelledHand
from annotator.hand.mano import MIRROR, mano_joints
from annotator.hand.model import USER_HANDS, HandModel, load_hand


def joints_as(record: LabelledHand, tips: str) -> np.ndarray | None:
    """(21,3) joints of a record as a format of MANO's family means them: `mano_joints` of a hand of the user's MANO,
    the record's own joints (a data set's label, the free hand's) of any other."""
    if record.parameters is None or (model := mano_named(record.hand_model)) is None:
        return record.joints
    return mano_joints(model, record.parameters, record.side, tips)


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
    return root * MIRROR if side == "left" else root


def turned_place(translation: np.ndarray, root: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """MANO's translation in camera axes that are `axes` (3,) of +-1 times the ones it was given in, or back."""
    return axes * (np.asarray(translation, np.float64) + root) - root
