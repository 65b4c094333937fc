"""The states of hands and joints, their stable numbers on disk, and what they mean."""

from __future__ import annotations

from annotator.errors import InputError
from annotator.hand.joint_states import (
    CONFIRMED,
    CORRECTED,
    JOINT_STATES,
    OCCLUDED,
    OUT_OF_FRAME,
    PROPAGATED,
    PROPOSED,
    check_joint_states,
)

IN_WORK, ACCEPTED, REJECTED, FLAGGED = "in work", "accepted", "rejected", "flagged"
# proposed: nobody touched it; in work: edited since; flagged: put aside for a second look
HAND_STATES = (PROPOSED, IN_WORK, ACCEPTED, REJECTED, FLAGGED)

# A database keeps the position in these tuples: append, never reorder.
HAND_STATE_CODE = {state: code for code, state in enumerate(HAND_STATES)}
JOINT_STATE_CODE = {state: code for code, state in enumerate(JOINT_STATES)}


def check_hand_state(state: str) -> str:
    """`state` itself; InputError if it is none of HAND_STATES."""
    if state not in HAND_STATE_CODE:
        raise InputError(f"unknown hand state {state!r}: expected one of {', '.join(HAND_STATES)}")
    return state


__all__ = [
    "ACCEPTED",
    "CONFIRMED",
    "CORRECTED",
    "FLAGGED",
    "HAND_STATES",
    "HAND_STATE_CODE",
    "IN_WORK",
    "JOINT_STATES",
    "JOINT_STATE_CODE",
    "OCCLUDED",
    "OUT_OF_FRAME",
    "PROPAGATED",
    "PROPOSED",
    "REJECTED",
    "check_hand_state",
    "check_joint_states",
]
