"""Names that others give to hands' joints and sides."""

from __future__ import annotations

import re

from annotator.hand.joints import FINGERS, JOINT_NAMES
from annotator.hand.topology import HAND

_FINGER = {name: name for name in FINGERS} | {"pinky": "little", "pinkie": "little", "small": "little",
           "forefinger": "index", "forefingure": "index"}  # fmt: skip
_JOINTS = {finger: tuple(JOINT_NAMES[k] for k in HAND.keypoints_of[finger]) for finger in FINGERS}


def keypoint_of(name: object) -> int | None:
    """0..20 of a joint's name, or None.

    Known: ours (`index_tip`), MediaPipe's (`INDEX_FINGER_TIP`, `PINKY_MCP`), MMPose's (`forefinger4`, `thumb1`, base
    to tip), numbers.
    """
    text = re.sub(r"[\s.-]+", "_", str(name).strip().lower())
    text = re.sub(r"^(left|right)_(hand_)?", "", text)
    if text.isdecimal():
        return int(text) if int(text) < 21 else None
    if text in ("wrist", "wrist_root", "hand_root"):
        return 0
    found = re.fullmatch(r"([a-z]+?)(?:_finger)?_?(\d|cmc|mcp|pip|dip|ip|tip)", text)
    if not found or found[1] not in _FINGER:
        return None
    joints = _JOINTS[_FINGER[found[1]]]
    if found[2].isdecimal():
        return JOINT_NAMES.index(joints[int(found[2]) - 1]) if 1 <= int(found[2]) <= 4 else None
    own = f"{_FINGER[found[1]]}_{found[2]}"
    return JOINT_NAMES.index(own) if own in joints else None


def side_of(text: object) -> str | None:
    """ "right" or "left" where a text or number (1 right, 0 left) says so and does not say both, else None."""
    if text is None:
        return None
    words = re.findall(r"left|right", str(text).lower())
    if len(set(words)) == 1:
        return words[0]
    letter = str(text).strip().lower()
    return {"r": "right", "l": "left", "1": "right", "0": "left"}.get(letter) if not words else None
