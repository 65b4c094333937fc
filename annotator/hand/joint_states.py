"""The states of a hand's joints: what is known of a keypoint, and whose word it is."""

from __future__ import annotations

# proposed: where the network put it; corrected: a person moved it; confirmed: a person left it there on purpose;
# occluded: not to be seen, its place is a guess; out of frame: outside the photo
PROPOSED, CORRECTED, CONFIRMED = "proposed", "corrected", "confirmed"
OCCLUDED, OUT_OF_FRAME = "occluded", "out of frame"
# A database keeps the position in this tuple: append, never reorder.
JOINT_STATES = (PROPOSED, CORRECTED, CONFIRMED, OCCLUDED, OUT_OF_FRAME)
BY_A_PERSON = (CORRECTED, CONFIRMED)
UNSEEN = (OCCLUDED, OUT_OF_FRAME)  # their places in the photo count for nothing
