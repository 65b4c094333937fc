"""The states of a hand's joints: what is known of a keypoint, and whose word it is."""

from __future__ import annotations

from collections.abc import Iterable

from annotator.errors import InputError
from annotator.hand.topology import KEYPOINTS

# proposed: where the network put it; corrected: a person moved it; confirmed: a person left it there on purpose;
# occluded: not to be seen, its place is a guess; out of frame: outside the photo
PROPOSED, CORRECTED, CONFIRMED = "proposed", "corrected", "confirmed"
OCCLUDED, OUT_OF_FRAME = "occluded", "out of frame"
# put there by labels of neighbouring frames of a video: more than a proposal, and nobody's word
PROPAGATED = "propagated"
# A database keeps the position in this tuple: append, never reorder.
JOINT_STATES = (PROPOSED, CORRECTED, CONFIRMED, OCCLUDED, OUT_OF_FRAME, PROPAGATED)
BY_A_PERSON = (CORRECTED, CONFIRMED)
UNSEEN = (OCCLUDED, OUT_OF_FRAME)  # their places in the photo count for nothing


def check_joint_states(states: Iterable[str]) -> tuple[str, ...]:
    """The states of the 21 keypoints as a tuple; InputError unless there are 21 and all are JOINT_STATES."""
    states = tuple(states)
    if len(states) != KEYPOINTS:
        raise InputError(f"expected {KEYPOINTS} joint states, got {len(states)}")
    for state in states:
        if state not in JOINT_STATES:
            raise InputError(f"unknown joint state {state!r}: expected one of {', '.join(JOINT_STATES)}")
    return states
