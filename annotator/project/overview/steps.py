"""The journal's newest events as steps that a person remembers: what was done, and whether it is undone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from annotator.project.journal import EDIT, REDO, STATE, UNDO, Event

BATCH = "batch"  # in a note: names the steps that one command made together


@dataclass(frozen=True)
class Step:
    """One step, of one hand. words: what was done; undone: whether undo took it back; at: UTC, ISO 8601; seq: the
    event's number; batch: what names the steps that were made together ("": made alone)."""

    hand: str
    words: str
    who: str
    at: str
    undone: bool
    seq: int = 0
    batch: str = ""

    def as_dict(self) -> dict:
        """For JSON."""
        return dict(vars(self))


def steps_of(newest_first: Iterable[Event]) -> list[Step]:
    """The steps among a project's newest events, newest first. An undo or a redo is no step of its own: it says of
    another whether that is in force."""
    in_force: dict[int, bool] = {}  # the newest word on an event counts
    found = []
    for event in newest_first:
        if event.target is not None and event.kind in (UNDO, REDO):
            in_force.setdefault(event.target, event.kind == REDO)
        elif event.kind in (EDIT, STATE):
            undone = not in_force.get(event.seq, True)
            words, batch = words_of(event.kind, event.note), batch_of(event.note)
            found.append(Step(event.hand, words, event.who, event.at, undone, event.seq, batch))
    return found


def batch_of(note: Mapping) -> str:
    """What names the steps that an event was made together with; "" for one that was made alone."""
    batch = note.get(BATCH)
    return batch if isinstance(batch, str) else ""


def words_of(kind: str, note: Mapping) -> str:
    """What an event did, from what its maker noted."""
    words = "changed"
    if note.get("deleted"):
        words = "deleted"
    elif note.get("box"):
        words = "drawn again" if note["box"] == "drawn again" else "added by a box"
    elif isinstance(note.get("state"), str):
        words = note["state"]
    elif note.get("propagation"):
        words = "labels carried over"
    elif isinstance(note.get("alternative"), str):
        words = f"other depth: {note['alternative']}"
    elif isinstance(note.get("side"), str):
        words = f"is a {note['side']} hand"
    elif isinstance(note.get("states"), Mapping) and note["states"]:
        (joint, state), more = next(iter(note["states"].items())), len(note["states"]) - 1
        words = f"{joint} {state}" if not more else f"{more + 1} keypoints {state}"
    elif _of_depth(note):
        words = _of_depth(note)
    elif isinstance(note.get("joint"), str):
        words = f"{note['joint']} moved"
    elif kind == STATE:
        words = "judged"
    return words.replace("_", " ")


def _of_depth(note: Mapping) -> str:
    """What was said of a hand's depth; "": nothing."""
    joint = note.get("joint", "hand")
    if note.get("depth") == "forgotten":
        return f"taken back: {note.get('what') or f'depth of {joint}'}"
    for order in ("in front of", "behind"):
        if order in note:
            return f"{joint} {order} {note[order]}"
    return f"{joint} nearer by {note['nearer by, mm']} mm" if "nearer by, mm" in note else ""


def is_gone(history: Sequence[Event]) -> bool:
    """Whether a rejected hand is none: it was deleted, or drawing it was undone. Else somebody looked at a hand and did
    not want it. history: of one hand, oldest first."""
    in_force: dict[int, bool] = {}
    for event in reversed(history):
        if event.kind in (UNDO, REDO):
            assert event.target is not None  # what was undone or redone
            in_force.setdefault(event.target, event.kind == REDO)
        elif event.kind in (EDIT, STATE) and in_force.get(event.seq, True):
            return bool(event.note.get("deleted"))
    return True
