"""Statements: what people said of photos beyond single hands, kept as the journal is.

Rows are only ever added, each tied to all before it by a chain of hashes. An undo is a statement, too: it names the one
that it takes back. What holds is the replay of all that are in force. All functions work inside the caller's
transaction.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from annotator.errors import InputError
from annotator.project.journal import now
from annotator.project.storage.schema import next_number, statements

UNDO, REDO = "undo", "redo"
_LINKED = ("id", "topic", "kind", "name", "document", "who", "at", "target")


@dataclass(frozen=True)
class Statement:
    """One statement: number, topic, kind, the name of what it is about, what it says (JSON-ready), who, when (UTC)."""

    id: int
    topic: str
    kind: str
    name: str
    said: Mapping[str, Any]
    who: str
    at: str
    target: int | None = None


def add(
    connection: Connection, topic: str, kind: str, name: str, said: Mapping, who: str, target: int | None = None
) -> int:
    """Add a statement; its number."""
    row: dict[str, Any] = {
        "id": next_number(connection, statements.c.id), "topic": topic, "kind": kind, "name": name,
        "document": json.dumps(said, sort_keys=True), "who": who, "at": now(), "target": target,
    }  # fmt: skip
    before = connection.scalar(select(statements.c.chain).where(statements.c.id == row["id"] - 1))
    row["chain"] = _link(before or b"", row)
    connection.execute(insert(statements).values(row))
    return row["id"]


def said(connection: Connection, topic: str) -> list[Statement]:
    """All statements of a topic, undo and redo among them, in order."""
    rows = connection.execute(select(statements).where(statements.c.topic == topic).order_by(statements.c.id))
    return [
        Statement(row.id, row.topic, row.kind, row.name, json.loads(row.document), row.who, row.at, row.target)
        for row in rows
    ]


def in_force(told: Iterable[Statement]) -> list[Statement]:
    """Those that hold: without undo and redo, and without what was taken back."""
    told, back = list(told), set()
    for one in told:
        if one.kind == UNDO:
            back.add(one.target)
        elif one.kind == REDO:
            back.discard(one.target)
    return [one for one in told if one.kind not in (UNDO, REDO) and one.id not in back]


def undo(connection: Connection, topic: str, who: str, kinds: Collection[str]) -> Statement:
    """Take back this person's newest statement in force of these kinds; it. InputError: there is none."""
    own = [one for one in in_force(said(connection, topic)) if one.who == who and one.kind in kinds]
    if not own:
        raise InputError(f"nothing that {who} said of a {topic} is to be undone")
    add(connection, topic, UNDO, own[-1].name, {}, who, own[-1].id)
    return own[-1]


def redo(connection: Connection, topic: str, who: str, kinds: Collection[str]) -> Statement:
    """Put what this person undid last in force again; it. kinds: those that the undo is about; others may have been
    added since. InputError: there is nothing, or something of these kinds was said since."""
    told = said(connection, topic)
    by_number = {one.id: one for one in told}
    holding = {one.id for one in in_force(told)}
    for one in reversed(told):
        if one.who != who:
            continue
        if one.kind == UNDO and one.target is not None and one.target not in holding:
            add(connection, topic, REDO, one.name, {}, who, one.target)
            return by_number[one.target]
        if one.kind in kinds:
            break
    raise InputError(f"nothing that {who} undid of a {topic} is to be redone")


def wrong(connection: Connection) -> Iterator[str]:
    """What is wrong with them, one line each."""
    chain, last = b"", 0
    for row in connection.execute(select(statements).order_by(statements.c.id)):
        if row.id != last + 1:
            yield f"statements {last + 1} to {row.id - 1} were removed"
            return
        chain, last = _link(chain, row._mapping), row.id
        if chain != row.chain:
            yield f"statement {row.id} ({row.topic} {row.name!r}) is not what was written"
            return


def unbroken(rows: Iterable[dict]) -> list[dict]:
    """The statements up to the first that is lost or is not what was written: of those after it nobody knows what they
    were said upon."""
    chain = b""
    whole: list[dict] = []
    for number, row in enumerate(sorted(rows, key=lambda one: one["id"]), start=1):
        chain = _link(chain, row)
        if row["id"] != number or row["chain"] != chain:
            break
        whole.append(row)
    return whole


def _link(before: bytes, row: Mapping) -> bytes:
    digest = hashlib.sha256(before)
    digest.update(json.dumps([row[name] for name in _LINKED]).encode())
    return digest.digest()[:16]
