"""Several people on one project: who works on which hand, and what a second person says of it.

All functions work inside the caller's transaction. A lease is a courtesy with teeth: while it lasts, nobody
else can change the hand; the version check catches everything else.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from annotator.errors import InputError
from annotator.project.journal import EDIT, STATE, now
from annotator.project.records.states import ACCEPTED, IN_WORK, PROPOSED
from annotator.project.storage.rows import among
from annotator.project.storage.schema import events, hands, leases, next_number, people, reviews, trials

LEASE = 600.0  # seconds; every change by its holder starts it anew
OPEN = (PROPOSED, IN_WORK)
AGREED, RETURNED = "agreed", "returned"


def refuse_if_leased(connection: Connection, hand_id: str, who: str) -> bool:
    """Whether `who` holds the hand's lease; InputError, with name and time, if somebody else does."""
    lease = connection.execute(select(leases).where(leases.c.hand == hand_id, leases.c.until > now())).first()
    if lease is not None and lease.who != who:
        until = datetime.fromisoformat(lease.until).astimezone().strftime("%H:%M:%S")
        raise InputError(f"hand {hand_id} is in work by {lease.who} until {until}: take another, or wait")
    return lease is not None


def leased_by(connection: Connection, hand_id: str) -> str:
    """Who has the hand in work just now; "": nobody."""
    return connection.scalar(select(leases.c.who).where(leases.c.hand == hand_id, leases.c.until > now())) or ""


def lease(connection: Connection, hand_id: str, who: str, seconds: float) -> str:
    """Give the hand to `who` for so long; until when. InputError if somebody else has it."""
    if not 0 < seconds < 1e7:
        raise InputError(f"a lease of {seconds:g} s: expected more than 0 and less than 1e7")
    refuse_if_leased(connection, hand_id, who)
    until = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
    connection.execute(delete(leases).where(or_(leases.c.hand == hand_id, leases.c.until <= now())))
    connection.execute(insert(leases).values(hand=hand_id, who=who, until=until))
    return until


def release(connection: Connection, hand_id: str, who: str) -> None:
    """Give the hand back, if `who` has it."""
    connection.execute(delete(leases).where(leases.c.hand == hand_id, leases.c.who == who))


def after_change(connection: Connection, hand_id: str, who: str, state: str, leased: bool) -> None:
    """The holder's lease starts anew; a verdict ends it."""
    if leased and state in OPEN:
        lease(connection, hand_id, who, LEASE)
    elif leased:
        release(connection, hand_id, who)


def next_open(connection: Connection, who: str, skip: tuple[str, ...] = ()) -> str | None:
    """The open hand that the network is least sure of, free for `who` to take; None if there is none.

    Copies of gold hands are for the person they were made for.
    """
    best = None
    for state in OPEN:  # one walk along the index each; asking for both states at once would sort them all
        taken = select(leases.c.hand).where(leases.c.hand == hands.c.id, leases.c.until > now(), leases.c.who != who)
        others = select(trials.c.hand).where(trials.c.hand == hands.c.id, trials.c.who != who)
        statement = (
            select(hands.c.confidence, hands.c.number, hands.c.id)
            .where(hands.c.state == state, ~taken.exists(), ~others.exists())
            .order_by(hands.c.confidence, hands.c.number)
            .limit(1)
        )
        if skip:
            statement = statement.where(~among(connection, hands.c.id, skip))
        found = connection.execute(statement).first()
        if found is not None and (best is None or tuple(found) < tuple(best)):
            best = found
    return None if best is None else best.id


def count_handed(connection: Connection, who: str) -> int:
    """How many hands `who` was given before; this one is counted."""
    handed = connection.scalar(select(people.c.handed).where(people.c.who == who))
    if handed is None:
        connection.execute(insert(people).values(who=who, handed=1))
        return 0
    connection.execute(update(people).where(people.c.who == who).values(handed=handed + 1))
    return handed


def authors(connection: Connection, hand_id: str) -> set[str]:
    """Everybody who changed the hand."""
    changed = events.c.kind.in_((EDIT, STATE))
    return set(connection.scalars(select(events.c.who).where(events.c.hand == hand_id, changed).distinct()))


def review(connection: Connection, row: Row, who: str, verdict: str, remark: str) -> None:
    """Keep what a second person says of an accepted hand. It counts as long as the hand stays as it is.

    InputError: the hand is not accepted, or `who` worked on it.
    """
    if verdict not in (AGREED, RETURNED):
        raise InputError(f"unknown verdict {verdict!r}: expected {AGREED} or {RETURNED}")
    if row.state != ACCEPTED:
        raise InputError(f"hand {row.id} is {row.state}: only accepted hands are reviewed")
    if who in authors(connection, row.id):
        raise InputError(f"{who} worked on hand {row.id} and cannot review it: a second person must")
    connection.execute(
        insert(reviews).values(
            id=next_number(connection, reviews.c.id),
            hand=row.id,
            head=row.head,
            who=who,
            verdict=verdict,
            remark=remark,
            at=now(),
        )  # fmt: skip
    )


def to_review(connection: Connection, who: str) -> list[str]:
    """Accepted hands that nobody reviewed as they are now and that `who` did not work on, oldest first."""
    seen = select(reviews.c.id).where(reviews.c.hand == hands.c.id, reviews.c.head == hands.c.head)
    own = select(events.c.seq).where(events.c.hand == hands.c.id, events.c.who == who, events.c.kind.in_((EDIT, STATE)))
    copies = select(trials.c.hand).where(trials.c.hand == hands.c.id)
    statement = select(hands.c.id).where(hands.c.state == ACCEPTED, ~seen.exists(), ~own.exists(), ~copies.exists())
    return list(connection.scalars(statement.order_by(hands.c.number)))
