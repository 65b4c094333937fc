"""When hands are searched in a video, and what counts as lost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Following:
    """When to search and what counts as lost.

    again: seconds between searches for hands that came into the picture; retry: between searches for lost ones, or for
    any where none is known; keep: for which a lost hand is waited for, afterwards it is a new track; presence: 0..1,
    below which a hand is lost; moved, turned, grown: share of the crop's size, rad, log of the size's ratio, beyond
    which a crop is looked at again where it should have been; same: mean distance of keypoints over the hand's size
    below which two hands are one.
    """

    again: float = 1.0
    retry: float = 0.2
    keep: float = 1.0
    presence: float = 0.5
    moved: float = 0.10
    turned: float = 0.30
    grown: float = 0.22
    same: float = 0.16


FOLLOWING = Following()
