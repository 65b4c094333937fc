"""What the whole pages of a damaged project still hold, sorted by what each row can only be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from annotator.errors import InputError
from annotator.files.file_errors import reading
from annotator.project import journal
from annotator.project.storage import schema
from annotator.project.storage.pages import Pages

_FRAME = ("video", "frame", "seconds")
_EVENT = ("seq", "hand", "version", "kind", "who", "at", "base", "target", "delta", "check", "note", "chain")
_HAND = tuple(schema.hands.c.keys())
_KINDS = (journal.PROPOSE, journal.EDIT, journal.STATE, journal.UNDO, journal.REDO)
_NOTHING = type(None)
_WHOLE, _MAYBE_WHOLE, _MAYBE_TEXT, _MAYBE_BYTES = int, (int, _NOTHING), (str, _NOTHING), (bytes, _NOTHING)
_EVENT_KINDS = (_NOTHING, str, int, str, str, str, _MAYBE_WHOLE, _MAYBE_WHOLE, _MAYBE_BYTES, int, _MAYBE_TEXT, bytes)
_HAND_KINDS = (str, int, int, int, str, str, str, str, str, (int, float), int, int, str, int, int)
_STATEMENT = tuple(schema.statements.c.keys())
_STATEMENT_KINDS = (_NOTHING, str, str, str, str, str, str, _MAYBE_WHOLE, bytes)


class EventRow(dict):
    """An event as `journal.replay` reads it: its columns as attributes, too."""

    def __getattr__(self, name: str) -> Any:
        return self[name]

    @property
    def _mapping(self) -> Mapping:
        return self


@dataclass
class Found:
    """Rows by table, as they were found in whole pages: by their key, or all candidates for it."""

    meta: dict[str, str] = field(default_factory=dict)
    photos: dict[int, dict] = field(default_factory=dict)
    sources: dict[int, dict] = field(default_factory=dict)
    looked_at: set[tuple] = field(default_factory=set)
    hands: dict[str, dict] = field(default_factory=dict)
    events: dict[int, EventRow] = field(default_factory=dict)
    parametric: dict[str, set] = field(default_factory=lambda: defaultdict(set))
    reviews: dict[int, dict] = field(default_factory=dict)
    gold: dict[str, dict] = field(default_factory=dict)
    trials: set[tuple] = field(default_factory=set)
    people: dict[str, int] = field(default_factory=dict)
    statements: dict[int, dict] = field(default_factory=dict)
    tracked: dict[str, dict] = field(default_factory=dict)

    def take(self, number: int, values: tuple) -> None:
        """Sort one row in by what it holds. Of a hand's list entry the newest counts: freed pages hold older ones."""
        if _are(values, _EVENT_KINDS) and values[3] in _KINDS:
            self.events.setdefault(number, EventRow(zip(_EVENT, (number, *values[1:]), strict=True)))
        elif _are(values, _HAND_KINDS):
            row = dict(zip(_HAND, values, strict=True))
            if row["version"] > self.hands.get(row["id"], {"version": 0})["version"]:
                self.hands[row["id"]] = row
        elif _are(values[:6], (_NOTHING, str, str, str, int, int)) and len(values) in range(7, 12):
            self._photo(number, values)
        elif _are(values, (str, bytes, _MAYBE_BYTES)):
            self.parametric[values[0]].add(values[2])
        elif _are(values, (_NOTHING, str, str, str)) and len(values[1]) == 64:
            row = dict(zip(("id", "digest", "model_digest", "document"), (number, *values[1:]), strict=True))
            self.sources.setdefault(number, row)
        elif _are(values, (_NOTHING, str, int, str, str, str, str)):
            names = ("id", "hand", "head", "who", "verdict", "remark", "at")
            self.reviews.setdefault(number, dict(zip(names, (number, *values[1:]), strict=True)))
        elif _are(values, _STATEMENT_KINDS):
            self.statements.setdefault(number, dict(zip(_STATEMENT, (number, *values[1:]), strict=True)))
        elif _are(values, (str, bytes, str, str)):
            self.gold.setdefault(values[0], dict(zip(("hand", "record", "who", "at"), values, strict=True)))
        elif _are(values, (str, int, str, str)):
            hand, track, kind, reasons = values
            self.tracked.setdefault(hand, {"hand": hand, "track": track, "kind": kind, "reasons": reasons})
        elif _are(values, (int, str, str)):
            self.looked_at.add(values)
        elif _are(values, (str, str, str)):
            self.trials.add(values)
        elif _are(values, (str, str)):
            self.meta.setdefault(*values)
        elif _are(values, (str, int)):
            self.people[values[0]] = max(values[1], self.people.get(values[0], 0))

    def _photo(self, number: int, values: tuple) -> None:
        """Older projects have the size behind the time, or none; and nothing of videos."""
        added = next((value for value in values[6:8] if isinstance(value, str)), None)
        size = next((value for value in values[6:8] if isinstance(value, int)), None)
        names = ("sha256", "path", "relative", "height", "width")
        row = {"id": number, **dict(zip(names, values[1:6], strict=True)), "bytes": size, "added": added}
        frame = (*values[8:], None, None, None)[:3]
        row |= dict(zip(_FRAME, frame, strict=True))
        of_frame = frame == (None, None, None) or _are(frame, (str, int, (int, float)))
        if len(values[1]) == 64 and added is not None and of_frame:
            self.photos.setdefault(number, row)


def _are(values: tuple, kinds: tuple) -> bool:
    return len(values) == len(kinds) and all(map(isinstance, values, kinds))


def found_in(path: Path) -> Found:
    """All that the whole pages of a project's file hold. InputError: it cannot be read, or there is nothing in it."""
    found = Found()
    with reading(path, "is no file of a project"):
        for row in Pages(path).rows():
            found.take(row.number, row.values)
    if not found.events and not found.hands:
        raise InputError(f"{path} has no whole page with anything of a project in it")
    return found
