"""Names, orders and the skeleton of a hand's joints.

Two orders exist in this library. *Keypoint order* (21): wrist; thumb, index, middle, ring, little, each from
base to tip (FreiHAND, OpenPose and MediaPipe use the same one). *Model order* (16): MANO's wrist; index,
middle, little, ring, thumb, three joints each, and no tips.
"""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import TypeVar

from annotator.errors import InputError

Value = TypeVar("Value")
# What is said of some joints: by name, by keypoint number, or both.
ByJoint = Mapping[int, Value] | Mapping[str, Value] | Mapping[int | str, Value]

FINGERS = ("thumb", "index", "middle", "ring", "little")
SIDES = ("right", "left")

JOINT_NAMES = ("wrist", "thumb_cmc", "thumb_mcp", "thumb_ip", "thumb_tip") + tuple(
    f"{finger}_{joint}" for finger in FINGERS[1:] for joint in ("mcp", "pip", "dip", "tip")
)

# The keypoint each keypoint hangs on (the wrist on none), and the 20 bones as (nearer, farther) pairs.
PARENT = (-1, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19)
BONES = tuple((PARENT[k], k) for k in range(1, 21))
TIPS = (4, 8, 12, 16, 20)

MANO_PARENTS = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11, 0, 13, 14)
# MANO_TO_KEYPOINTS[k]: where keypoint k stands in (16 model joints, then tips thumb, index, middle, ring,
# little).
MANO_TO_KEYPOINTS = (0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18, 10, 11, 12, 19, 7, 8, 9, 20)
# MANO has no tips: vertices of its mesh stand for them, thumb first. Data sets' labels were made with different ones.
MANO_TIP_VERTICES = {
    "freihand": (744, 320, 443, 555, 672),
    "ho3d": (744, 333, 444, 555, 672),
    "smplx": (744, 320, 443, 554, 671),
}
# KEYPOINT_OF_MANO[j]: the keypoint that the model joint j is.
KEYPOINT_OF_MANO = tuple(MANO_TO_KEYPOINTS.index(j) for j in range(16))
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


def check_side(side: str) -> str:
    """Return `side` if it is "right" or "left", else raise InputError."""
    if side not in SIDES:
        raise InputError(f"unknown side {side!r}: expected 'right' or 'left'")
    return side
