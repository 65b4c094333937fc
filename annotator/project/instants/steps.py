"""Steps of a hand in several photos: what belongs together, to be undone and redone as one."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

from sqlalchemy import Connection, Row, select

from annotator.project import journal, reading
from annotator.project.instants.keys import MESH
from annotator.project.storage import documents
from annotator.project.storage.schema import events


def new_together() -> dict[str, str]:
    """For the notes of events that are one step of a hand in several photos."""
    return {"together": uuid.uuid4().hex}


def views_of(connection: Connection, hand_id: str) -> list[str]:
    """The ids of the hands that are one mesh with this one, itself first."""
    content = documents.get(connection, f"{MESH}{hand_id}")
    others = [] if content is None else [other for other in content["hands"].values() if other != hand_id]
    return [hand_id, *others]


def companions(connection: Connection, folder: Path, row: Row, forth: bool) -> list[Row]:
    """The other hands that the step which undo (forth: redo) of this hand is about changed too, and in which it is the
    next to be undone (redone)."""
    seq = journal.next_redo(connection, row) if forth else row.head
    together = _together(connection, seq)
    content = documents.get(connection, f"{MESH}{row.id}") if together else None
    if content is None:
        return []
    found = []
    for hand_id in content["hands"].values():
        if hand_id == row.id:
            continue
        other = reading.row_of(connection, folder, hand_id)
        at = journal.next_redo(connection, other) if forth else other.head
        if _together(connection, at) == together:
            found.append(other)
    return found


def _together(connection: Connection, seq: int | None) -> str | None:
    note = None if seq is None else connection.scalar(select(events.c.note).where(events.c.seq == seq))
    return json.loads(note).get("together") if note else None
