"""Which of a person's own steps undo and redo are about when no hand is named: never another person's.

A step of theirs counts as long as it is in force, that is, on the way from its hand's proposal to the hand's head: what
was undone, by whomever, or left behind on a discarded branch is gone already.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, func, select

from annotator.errors import InputError
from annotator.project.journal import EDIT, STATE, UNDO, next_redo
from annotator.project.storage.schema import events, hands

AT_ONCE = 100  # of a person's steps looked at in one question


def last_changed(connection: Connection, who: str, folder: Path) -> str:
    """The hand of this person's newest step in force. InputError: there is none, or somebody changed that hand
    since."""
    statement = (
        select(events.c.seq, events.c.hand)
        .where(events.c.who == who, events.c.kind.in_((EDIT, STATE)))
        .order_by(events.c.seq.desc())
    )
    ways: dict[str, list[int]] = {}
    for seq, hand in connection.execute(statement.execution_options(yield_per=AT_ONCE)):
        if hand not in ways:
            ways[hand] = _in_force(connection, hand)
        way = ways[hand]
        if seq not in way:
            continue
        if way[0] == seq:
            return hand
        other = connection.scalar(select(events.c.who).where(events.c.seq == way[0]))
        raise InputError(
            f"your last change, of hand {hand}, was changed since by {other}: nothing was undone "
            f"(name the hand to take back {other}'s change)"
        )
    newest = connection.execute(
        select(hands.c.id, events.c.who)
        .join(events, events.c.seq == hands.c.head)
        .where(hands.c.head != hands.c.root)
        .order_by(hands.c.head.desc())
        .limit(1)
    ).first()
    others = (
        f" (the newest change is {newest.who}'s, of hand {newest.id}: name the hand to take it back)" if newest else ""
    )
    raise InputError(f"nothing to undo of {who} in {folder}{others}")


def last_undone(connection: Connection, who: str, folder: Path) -> str:
    """The hand of this person's newest undo that can be redone. InputError: there is none."""
    undone = events.alias()
    rows = connection.execute(
        select(hands, events.c.seq, events.c.target)
        .join(undone, undone.c.seq == events.c.target)
        .join(hands, hands.c.id == events.c.hand)
        .where(events.c.kind == UNDO, events.c.who == who, hands.c.head == undone.c.base)
        .order_by(events.c.seq.desc())
        .execution_options(yield_per=AT_ONCE)
    )
    for row in rows:
        latest = select(func.max(events.c.seq)).where(events.c.hand == row.id, events.c.kind == UNDO)
        latest = connection.scalar(latest.where(events.c.target == row.target))
        # else something newer took its place, or it was redone since and somebody else undid it
        if next_redo(connection, row) == row.target and latest == row.seq:
            return row.id
    raise InputError(f"nothing to redo of {who} in {folder}: name a hand to redo what somebody else undid")


def _in_force(connection: Connection, hand: str) -> list[int]:
    """seq of the hand's events in force, the newest first, without its proposal."""
    head, root = connection.execute(select(hands.c.head, hands.c.root).where(hands.c.id == hand)).one()
    rows = connection.execute(select(events.c.seq, events.c.base).where(events.c.hand == hand))
    base = {seq: before for seq, before in rows}
    way: list[int] = []
    while head != root:
        if head not in base or len(way) > len(base):
            raise InputError(f"the journal of hand {hand} is damaged")
        way.append(head)
        head = base[head]
    return way
