"""Instants as a caller sees them, and what makes hands of several photos one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from annotator.project.records.views import StoredPhoto


@dataclass(frozen=True)
class Instant:
    """rig: its name; moment: the instant's; photos: camera -> the photo of it; proposed: are its hands made?"""

    rig: str
    moment: str
    photos: Mapping[str, StoredPhoto]
    proposed: bool = False


@dataclass(frozen=True)
class OneMesh:
    """What makes hands of several photos one: rig, moment; hands: camera -> the hand's id in that photo; left_out:
    camera -> why its own proposal does not count; apart, reprojection: camera -> see `InstantHand.without` and
    `InstantHand.reprojection`, as it was proposed (projects of before have no reprojection)."""

    rig: str
    moment: str
    hands: Mapping[str, str]
    left_out: Mapping[str, str]
    apart: Mapping[str, float]
    reprojection: Mapping[str, float] = field(default_factory=dict)
