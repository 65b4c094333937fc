"""Names, orders and the skeleton of a hand's joints.

The tree itself, and the two orders of joints, are `topology.HAND`; here are its names as constants, joints by name or
number, and how MANO's joints stand to ours.
"""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import TypeVar

from annotator.errors import InputError
from annotator.hand.topology import HAND, JOINTS

Value = TypeVar("Value")
# What is said of some joints: by name, by keypoint number, or both.
ByJoint = Mapping[int, Value] | Mapping[str, Value] | Mapping[int | str, Value]

FINGERS, JOINT_NAMES = HAND.fingers, HAND.names
# A database keeps the position in this tuple: never reorder.
SIDES = ("right", "left")
EITHER_SIDE = (0, 9)  # keypoints that are where they are, whichever side a hand is taken for: wrist and middle knuckle

# The keypoint each keypoint hangs on (the wrist on none), and the 20 bones as (nearer, farther) pairs.
PARENT, BONES, TIPS = HAND.parents, HAND.bones, HAND.tips

MANO_PARENTS = HAND.model_parents
# MANO_TO_KEYPOINTS[k]: where keypoint k stands in (16 model joints, then tips thumb, index, middle, ring,
# little).
MANO_TO_KEYPOINTS = HAND.in_model_order
# MANO has no tips: vertices of its mesh stand for them, thumb first. Data sets' labels were made with different ones.
MANO_TIP_VERTICES = {
    "freihand": (744, 320, 443, 555, 672),
    "ho3d": (744, 333, 444, 555, 672),
    "smplx": (744, 320, 443, 554, 671),
    "manopth": (745, 317, 444, 556, 673),  # and DexYCB, whose joints come from it
}
LEFT_TIP_VERTICES = {"manopth": (745, 317, 445, 556, 673)}  # of those who have others on left hands
# KEYPOINT_OF_MANO[j]: the keypoint that the model joint j is.
KEYPOINT_OF_MANO = tuple(MANO_TO_KEYPOINTS.index(j) for j in range(JOINTS))
MANO_JOINT_NAMES = tuple(JOINT_NAMES[k] for k in KEYPOINT_OF_MANO)

_INDEX = {name: k for k, name in enumerate(JOINT_NAMES)}


def joint_index(key: str | int) -> int:
    """The keypoint number 0..20 of a joint given by name or number.

    Raises InputError for an unknown name or a number outside 0..20.
    """
    if isinstance(key, str):
        text = key.strip().lower()
        if text in _INDEX:
            return _INDEX[text]
        if text.isdecimal() and int(text) < len(JOINT_NAMES):
            return int(text)
    elif isinstance(key, numbers.Integral) and not isinstance(key, bool) and 0 <= key < len(JOINT_NAMES):
        return int(key)
    raise InputError(f"unknown joint {key!r}: expected a number 0..20 or one of {', '.join(JOINT_NAMES)}")


def opposite(side: str) -> str:
    """The other of the two sides."""
    return "left" if check_side(side) == "right" else "right"


def check_side(side: str) -> str:
    """Return `side` if it is "right" or "left", else raise InputError."""
    if side not in SIDES:
        raise InputError(f"unknown side {side!r}: expected 'right' or 'left'")
    return side
