"""Steps that one command made together, on many hands: in force together, taken back and put in force again together.

Each is an event of its hand like any other; what ties them is a name in their notes. All functions work inside the
caller's transaction.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, select

from annotator.project import journal, reading
from annotator.project.instants import companions
from annotator.project.journal import EDIT, STATE, next_redo
from annotator.project.overview.steps import BATCH, batch_of
from annotator.project.storage.schema import events, hands
from annotator.project.teamwork import team, user_history


def new_batch() -> str:
    """A name that no other batch has."""
    return uuid.uuid4().hex


def undo(connection: Connection, folder: Path, who: str) -> list[str]:
    """Take back this person's last step in force and those that were made together with it and are in force; the hands'
    ids. InputError: see `user_history.last_changed`; or somebody else has one of the hands in work."""
    last = user_history.last_changed(connection, who, folder)
    head = connection.scalar(select(hands.c.head).where(hands.c.id == last))
    found = [hand for hand, seq in _together(connection, head, who) if seq == _head(connection, hand)]
    return _move(connection, folder, who, found or [last], journal.undo)


def redo(connection: Connection, folder: Path, who: str) -> list[str]:
    """Put what this person undid last in force again, and what was made together with it; the hands' ids. InputError:
    see `user_history.last_undone`; or somebody else has one of the hands in work."""
    last = user_history.last_undone(connection, who, folder)
    target = next_redo(connection, reading.row_of(connection, folder, last))
    found = [
        hand
        for hand, seq in _together(connection, target, who)
        if seq == next_redo(connection, reading.row_of(connection, folder, hand))
    ]
    return _move(connection, folder, who, found or [last], journal.redo)


def _together(connection: Connection, seq: int | None, who: str) -> list[tuple[str, int]]:
    """(hand, seq) of this person's steps that were made together with the event, itself included."""
    batch = batch_of(json.loads(connection.scalar(select(events.c.note).where(events.c.seq == seq)) or "{}"))
    if not batch:
        return []
    said = f"%{json.dumps(BATCH)}: {json.dumps(batch)}%"
    statement = select(events.c.hand, events.c.seq).where(
        events.c.who == who, events.c.kind.in_((EDIT, STATE)), events.c.note.like(said)
    )
    return [(hand, number) for hand, number in connection.execute(statement.order_by(events.c.seq))]


def _head(connection: Connection, hand: str) -> int | None:
    return connection.scalar(select(hands.c.head).where(hands.c.id == hand))


def _move(connection: Connection, folder: Path, who: str, found: list[str], move: Callable) -> list[str]:
    """Each of the hands, and those that are the same mesh in other photos and were changed with it."""
    rows = {hand: reading.row_of(connection, folder, hand) for hand in found}
    for row in list(rows.values()):
        rows |= {other.id: other for other in companions(connection, folder, row, move is journal.redo)}
    for hand, row in rows.items():
        team.refuse_if_leased(connection, hand, who)
        move(connection, row, who)
    return list(rows)
