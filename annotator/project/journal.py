"""The journal: every change of a hand is an event that is only ever added; undo and redo are events, too.

Each event that changes something knows its base, the event in force when it was made, so a hand's history is
a tree and its state is the path from the proposal to the hand's *head*. Undo moves the head to its base, redo
to its latest child (after a new edit that is the edit itself, so a discarded branch cannot be redone but is
still in the journal). All functions work inside the caller's write transaction.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, cast

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from annotator.errors import InputError
from annotator.project.records.record import HandRecord, apply, check_sum, pack
from annotator.project.storage.schema import events, hands, next_number, records

PROPOSE, EDIT, STATE, UNDO, REDO = "propose", "edit", "state", "undo", "redo"


def now() -> str:
    """UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True)
class Event:
    """One line of the journal. target: the event that an undo or redo is about; note: the maker's remarks."""

    seq: int
    hand: str
    version: int
    kind: str
    who: str
    at: str
    base: int | None
    target: int | None
    note: Mapping


class Proposed(Protocol):
    """A proposal's record, its bytes with those of the event that begins with it (`pack`), and the parametric stage's
    parameters."""

    @property
    def record(self) -> HandRecord: ...

    @property
    def stored(self) -> tuple[bytes, bytes]: ...

    @property
    def parametric(self) -> bytes | None: ...


def propose(connection: Connection, hand: Mapping, proposed: Proposed, who: str, note: Mapping) -> None:
    """Add a new hand by its proposal. hand: id, number, photo, source and hand model, for its row."""
    seq = next_number(connection, events.c.seq)
    for table, row in zip((events, hands, records), proposal_rows(hand, proposed, who, note, seq, now()), strict=True):
        connection.execute(insert(table).values(row))


def proposal_rows(
    hand: Mapping, proposed: Proposed, who: str, note: Mapping, seq: int, at: str
) -> tuple[dict, dict, dict]:
    """A new hand's rows of `events`, `hands` and `records`. seq: its event's number; at: the time."""
    data, delta = proposed.stored
    event = {
        "seq": seq, "hand": hand["id"], "version": 1, "kind": PROPOSE, "who": who, "at": at, "base": None,
        "target": None, "delta": delta, "check": check_sum(data), "note": json.dumps(note) if note else None,
    }  # fmt: skip
    event["chain"] = link(b"", event, proposed.parametric)
    row = {**hand, **shown(proposed.record), "created": at, "changed": at, "version": 1, "root": seq, "head": seq}
    return event, row, {"hand": hand["id"], "record": data, "parametric": proposed.parametric}


def repropose(
    connection: Connection, row: Row, record: HandRecord, parametric: bytes | None, source: int, who: str, note: Mapping
) -> int:
    """Put a newer proposal in place of the one that nobody has touched; the hand's new version.

    It is the hand's new root: there is nothing to undo to. What the old one was stays in the journal; its provenance
    and the parametric stage's parameters go into the new event's note.
    """
    data, at = record.encode(), now()
    old = connection.scalar(select(records.c.parametric).where(records.c.hand == row.id))
    note = {**note, "source_before": row.source, "parametric_before": base64.b64encode(old).decode() if old else None}
    seq = _add(connection, row.id, row.version + 1, PROPOSE, who, at, data, base=row.head, delta=pack(None, data),
               note=note, parametric=parametric)  # fmt: skip
    connection.execute(update(hands).where(hands.c.id == row.id).values(root=seq, source=source))
    connection.execute(update(records).where(records.c.hand == row.id).values(parametric=parametric))
    return _put(connection, row, data, seq, at)


def change(connection: Connection, row: Row, after: HandRecord, kind: str, who: str, note: Mapping) -> int:
    """Put `after` in force for the hand of `row`; its new version, or the old one if nothing changed."""
    before, data = _record(connection, row.id), after.encode()
    if data == before:
        return row.version
    at = now()
    delta = pack(before, data)
    seq = _add(connection, row.id, row.version + 1, kind, who, at, data, base=row.head, delta=delta, note=note)
    return _put(connection, row, data, seq, at)


def undo(connection: Connection, row: Row, who: str) -> int:
    """Take back the hand's event in force; the new version. InputError if that is its proposal."""
    if row.head == row.root:
        raise InputError(f"nothing to undo in hand {row.id}")
    event = connection.execute(select(events.c.base, events.c.delta).where(events.c.seq == row.head)).one()
    data = apply(event.delta, _record(connection, row.id))
    at = now()
    _add(connection, row.id, row.version + 1, UNDO, who, at, data, base=row.head, target=row.head)
    return _put(connection, row, data, event.base, at)


def redo(connection: Connection, row: Row, who: str) -> int:
    """Put the event undone last in force again; the new version. InputError if there is none."""
    child = next_redo(connection, row)
    if child is None:
        raise InputError(f"nothing to redo in hand {row.id}")
    delta = connection.scalar(select(events.c.delta).where(events.c.seq == child))
    data = apply(cast(bytes, delta), _record(connection, row.id))
    at = now()
    _add(connection, row.id, row.version + 1, REDO, who, at, data, base=row.head, target=child)
    return _put(connection, row, data, child, at)


def next_redo(connection: Connection, row: Row) -> int | None:
    """seq of the event that redo would put in force, or None."""
    return connection.scalar(
        select(func.max(events.c.seq)).where(
            events.c.hand == row.id, events.c.base == row.head, events.c.kind.in_((EDIT, STATE))
        )
    )


def history(connection: Connection, hand_id: str) -> list[Event]:
    """The hand's events, oldest first."""
    return _read(connection, select(*_SHOWN).where(events.c.hand == hand_id).order_by(events.c.version))


def recent(connection: Connection, limit: int) -> list[Event]:
    """The newest `limit` events of all hands, newest first."""
    return _read(connection, select(*_SHOWN).order_by(events.c.seq.desc()).limit(limit))


def noted(connection: Connection, name: str, value: str) -> list[Event]:
    """The edits whose note says `name`: `value`, oldest first."""
    said = json.dumps({name: value})[1:-1]
    statement = select(*_SHOWN).where(events.c.kind == EDIT, events.c.note.contains(said, autoescape=True))
    return _read(connection, statement.order_by(events.c.seq))


_SHOWN = [events.c[name] for name in ("seq", "hand", "version", "kind", "who", "at", "base", "target", "note")]


def _read(connection: Connection, statement: Select) -> list[Event]:
    return [Event(**{**row._mapping, "note": json.loads(row.note or "{}")}) for row in connection.execute(statement)]


def replay(rows: Iterable[Any], parametric: bytes | None) -> tuple[bytes, int, int]:
    """(record, head, version) of a hand from its events alone (rows, or what has their columns), oldest first.
    InputError if one of them was changed or is missing: every check sum and the chain are computed anew.
    """
    record: bytes | None = None
    known: dict[int, tuple[int, bytes]] = {}
    head, version, chain = 0, 0, b""
    rows = list(rows)
    parametrics = _parametrics(rows, parametric)
    for event in rows:
        try:
            if event.kind == PROPOSE:
                record, head = apply(event.delta, None), event.seq
            elif event.kind in (UNDO, REDO):
                base, delta = known[event.target]
                record, head = apply(delta, record), base if event.kind == UNDO else event.target
            else:
                known[event.seq] = (event.base, event.delta)
                record, head = apply(event.delta, record), event.seq
        except (KeyError, InputError) as error:
            raise InputError(f"the journal of hand {event.hand} is damaged at event {event.seq}") from error
        version += 1
        chain = link(chain, event._mapping, parametrics.get(event.seq))
        if (check_sum(record), version, chain) != (event.check, event.version, event.chain):
            raise InputError(f"the journal of hand {event.hand} is damaged at event {event.seq}")
    if record is None:
        raise InputError("the journal does not know it")
    return record, head, version


def _parametrics(rows: list[Row], last: bytes | None) -> dict[int, bytes | None]:
    """seq of each proposal -> its parametric stage's parameters: the last one's are stored, an older one's are in the
    note of the one after it."""
    proposals = [event for event in rows if event.kind == PROPOSE]
    found: dict[int, bytes | None] = {}
    for event in reversed(proposals):
        found[event.seq] = last
        try:
            kept = json.loads(event.note or "{}").get("parametric_before")
            last = base64.b64decode(kept) if kept else None
        except (ValueError, TypeError, AttributeError) as error:
            raise InputError(f"the journal of hand {event.hand} is damaged at event {event.seq}") from error
    return found


_LINKED = ("seq", "hand", "version", "kind", "who", "at", "base", "target", "check", "note")


def link(before: bytes, event: Mapping, parametric: bytes | None = None) -> bytes:
    """The 16 bytes that stand for this event and all earlier ones of its hand.

    before: those of the event before (b"": the proposal, whose parametric stage's parameters count, too).
    """
    digest = hashlib.sha256(before)
    digest.update(json.dumps([event[name] for name in _LINKED]).encode())
    digest.update(event["delta"] or b"")
    digest.update(parametric or b"")
    return digest.digest()[:16]


def _add(
    connection, hand, version, kind, who, at, data, base=None, target=None, delta=None, note=None,
    parametric=None,
) -> int:  # fmt: skip
    last = select(events.c.chain).where(events.c.hand == hand, events.c.version == version - 1)
    event = {
        "seq": next_number(connection, events.c.seq), "hand": hand, "version": version, "kind": kind, "who": who,
        "at": at, "base": base, "target": target, "delta": delta, "check": check_sum(data),
        "note": json.dumps(note) if note else None,
    }  # fmt: skip
    event["chain"] = link(connection.scalar(last) or b"", event, parametric)
    connection.execute(insert(events).values(event))
    return event["seq"]


def _put(connection: Connection, row: Row, data: bytes, head: int, at: str) -> int:
    values = shown(HandRecord.decode(data))
    version = row.version + 1
    connection.execute(
        update(hands).where(hands.c.id == row.id).values(**values, changed=at, version=version, head=head)
    )
    connection.execute(update(records).where(records.c.hand == row.id).values(record=data))
    return version


def _record(connection: Connection, hand_id: str) -> bytes:
    return cast(bytes, connection.scalar(select(records.c.record).where(records.c.hand == hand_id)))


def shown(record: HandRecord) -> dict:
    """The columns of `hands` that copy the record."""
    return {
        "side": record.side,
        "state": record.state,
        "confidence": record.confidence,
        "corrections": len(record.corrections),
    }
