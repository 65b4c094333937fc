"""Labels over time, in threads beside the window: carrying them through a track, and where a person is needed; without
Qt and napari."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from annotator.project import Project

if TYPE_CHECKING:
    from annotator.tracking.labelling.labels import Carried, Needed


def propagate(folder: Path, hand_id: str, direction: str, who: str) -> Carried:
    """Carry a hand's labels 'forward' or 'backward' through its track, as `who`. InputError: it has none."""
    from annotator.tracking import propagate

    with Project.open(folder, who) as project:
        return propagate(project, hand_id, direction)


def needed(folder: Path, tracks: Sequence[int]) -> Needed | None:
    """The hand of these tracks whose correction helps its track most; None: nothing waits."""
    from annotator.tracking import needed_next

    with Project.open(folder) as project:
        found = [one for track in tracks for one in needed_next(project, 1, track)]
    return max(found, key=lambda one: one.gain_mm, default=None)


def words_of(carried: Carried) -> str:
    """What a propagation did, for a person."""
    ends = {"unsure": "then the motion leaves the labels behind", "corrected": "up to a frame that somebody corrected",
            "crossing": "up to a crossing", "end": "up to the track's end"}  # fmt: skip
    why = "; ".join(f"{ends.get(reason, reason)}" for reason in carried.ended.values())
    if not carried.hands:
        return f"no frame was changed: {why}"
    count = len(carried.hands)
    frames = f"frames {carried.first} to {carried.last}" if count > 1 else f"frame {carried.first}"
    return f"labels carried to {count} hand{'' if count == 1 else 's'}, {frames}, {why} (Undo takes it back)"
