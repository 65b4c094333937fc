"""Labels over time in a project: carried through a track, and which frames need a person next.

What came from neighbours has a joint state of its own, 'propagated', and is nobody's label: it is never exported as
one, and a person's correction takes its place. Hands that a person touched are only ever read here.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotator.correcting.next_keypoint import next_keypoint
from annotator.errors import InputError
from annotator.hand.joint_states import CORRECTED, PROPAGATED, PROPOSED
from annotator.hand.joints import JOINT_NAMES
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel, load_hand
from annotator.project import Project
from annotator.project.overview import steps
from annotator.project.records.views import TrackEntry
from annotator.project.tracks import PROPAGATION, Edit
from annotator.tracking.doubts import CROSSING, JUMP
from annotator.tracking.labelling.next_frames import next_frames
from annotator.tracking.labelling.propagating import propagated
from annotator.tracking.records import SIDE

BATCH = PROPAGATION
DIRECTIONS = {"forward": (1,), "backward": (-1,), "both": (1, -1)}
ENDS = (CROSSING,)  # behind these the hand may be another one
DOUBTED = {JUMP: 4.0, CROSSING: 2.0, SIDE: 4.0}  # factors on the variance of a frame


@dataclass(frozen=True)
class Carried:
    """What a propagation did. batch: its name, for `take_back`; hands: ids, in the order of the frames; first, last:
    frames that they span; ended: direction -> why it went no farther: 'unsure', 'corrected' (another frame of a
    person's), 'crossing' or 'end' (of the track)."""

    batch: str
    hands: tuple[str, ...]
    first: int | None
    last: int | None
    ended: dict[str, str]


@dataclass(frozen=True)
class Needed:
    """A hand whose correction helps its track most. joint: the keypoint to begin with; gain_mm, frames: see
    `next_frames.Wanted`; why: for a person."""

    id: str
    track: int
    frame: int
    joint: str
    gain_mm: float
    frames: int
    why: str


@dataclass(frozen=True, eq=False)
class _Known:
    """A track as the project has it: entries, each hand as proposed and as it is, rows that a person made."""

    entries: list[TrackEntry]
    proposed: list[HandMesh]
    corrected: dict[int, HandMesh]
    open: set[int]
    model: HandModel

    @property
    def seconds(self) -> np.ndarray:
        return np.array([one.seconds for one in self.entries])


def propagate(project: Project, hand_id: str, direction: str = "both") -> Carried:
    """Carry the labels of a hand through its track, until they say nothing any more of the frame, or come to a frame
    that a person corrected, or to a place where the hand may have been taken for another.

    Frames between two corrected ones hear both. All in one transaction. InputError: no track, no labels, an unknown
    direction.
    """
    if direction not in DIRECTIONS:
        raise InputError(f"unknown direction {direction!r}: expected {', '.join(DIRECTIONS)}")
    known = _known(project, _track_of(project, hand_id))
    row = next(at for at, one in enumerate(known.entries) if one.id == hand_id)
    if row not in known.corrected:
        raise InputError(f"hand {hand_id} has nothing to carry: no person corrected or accepted it")
    found = propagated(known.proposed, known.seconds, known.corrected, known.model)
    rows, ended = [], {}
    for step in DIRECTIONS[direction]:
        way, why = _way(known, found.surely(row, step), row, step)
        rows += [at for at in way if at in known.open]
        ended["forward" if step > 0 else "backward"] = why
    rows.sort()
    batch = uuid.uuid4().hex[:12]
    edits = [
        Edit(known.entries[at].id, found.hands[at], _states(found.joints[at]), known.entries[at].version, True)
        for at in rows
    ]
    # the second name is what undo goes by
    project.edit_many(edits, {BATCH: batch, steps.BATCH: batch, "from": hand_id})
    frames = [known.entries[at].frame for at in rows]
    ids = tuple(known.entries[at].id for at in rows)
    return Carried(batch, ids, min(frames, default=None), max(frames, default=None), ended)


def take_back(project: Project, batch: str) -> list[str]:
    """Undo a propagation; the hands' ids. One that a person changed since stays as it is. InputError: unknown batch."""
    undone = project.undo_many(BATCH, batch)
    if not undone:
        raise InputError(f"there is no propagation {batch!r} to take back in {project.folder}")
    return undone


def needed_next(project: Project, count: int = 1, track: int | None = None) -> list[Needed]:
    """Up to `count` hands whose correction is expected to help their tracks most, best first. track: of this one
    alone. InputError: there is no such track."""
    numbers = [track] if track is not None else [one.track for one in project.tracks()]
    found = []
    for number in numbers:
        known = _known(project, number)
        doubt = np.array([np.prod([DOUBTED.get(reason, 1.0) for reason in one.reasons]) for one in known.entries])
        done = sorted(set(range(len(known.entries))) - known.open)
        for wanted in next_frames(known.proposed, known.seconds, done, known.model, count, doubt):
            entry = known.entries[wanted.row]
            joint = next_keypoint(project.mesh(entry.id), known.model)
            why = f"tells {wanted.frames} frames" + "".join(f"; {reason}" for reason in entry.reasons)
            name = JOINT_NAMES[joint or 0]
            found.append(Needed(entry.id, number, entry.frame, name, wanted.gain_mm, wanted.frames, why))
    return sorted(found, key=lambda one: -one.gain_mm)[:count]


def _way(known: _Known, rows: Sequence[int], row: int, step: int) -> tuple[list[int], str]:
    """The rows up to where the hand may be another one, and why it ends there."""
    way: list[int] = []
    for at in rows:
        if any(reason in ENDS for reason in known.entries[at].reasons):
            return way, CROSSING
        way.append(at)
    after = (way[-1] if way else row) + step
    if not 0 <= after < len(known.entries):
        return way, "end"
    return way, "corrected" if after in known.corrected else "unsure"


def _states(joints: Sequence[int]) -> dict[int, str]:
    return {joint: PROPAGATED if joint in joints else PROPOSED for joint in range(21)}


def _track_of(project: Project, hand_id: str) -> int:
    number = project.track_of(hand_id)
    if number is None:
        raise InputError(f"hand {hand_id} is on no track (annotator track VIDEO --project {project.folder})")
    return number


def _known(project: Project, number: int) -> _Known:
    """Of the track's hands those of its own side: one that was taken for the other hand says nothing here."""
    entries = project.track(number)
    right = 2 * sum(one.side == "right" for one in entries) >= len(entries)
    entries = [one for one in entries if one.side == ("right" if right else "left")]
    proposed = [project.proposal(one.id) for one in entries]
    corrected, open_rows = {}, set()
    for row, one in enumerate(entries):
        if one.state == PROPOSED:
            open_rows.add(row)
        elif one.corrections or one.state == "accepted" or CORRECTED in project.hand(one.id).joint_states:
            if one.state not in ("rejected", "flagged"):
                corrected[row] = project.mesh(one.id)
    return _Known(entries, proposed, corrected, open_rows, load_hand(proposed[0].hand_model))
