"""Gold hands: hands whose truth is known, mixed into everybody's work, to see how well people label.

A person gets a copy of the gold hand's proposal that looks like any other hand; what they make of it is
compared with the truth. Copies never leave as labels. All functions work inside the caller's transaction.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from pathlib import Path
from typing import cast

import numpy as np
from sqlalchemy import Connection, Row, insert, select

from annotator.errors import InputError
from annotator.project import journal
from annotator.project.entering import intake
from annotator.project.reading import photo_of
from annotator.project.records.meshes import find_hand_model, mesh_of
from annotator.project.records.record import HandRecord
from annotator.project.records.states import ACCEPTED
from annotator.project.records.views import GoldHand, Skill, StoredPhoto
from annotator.project.storage.schema import events, gold, hands, next_number, photos, records, trials

EVERY = 20  # one hand in so many is a gold one, as long as there are any


def add(connection: Connection, row: Row, who: str) -> None:
    """Take the accepted hand, as it is now, for the truth. InputError: not accepted, a copy, or gold already."""
    if row.state != ACCEPTED:
        raise InputError(f"hand {row.id} is {row.state}: only an accepted hand can be gold")
    if connection.execute(select(trials).where(trials.c.hand == row.id)).first():
        raise InputError(f"hand {row.id} is itself a copy of a gold hand")
    if connection.execute(select(gold).where(gold.c.hand == row.id)).first():
        raise InputError(f"hand {row.id} is gold already")
    truth = connection.scalar(select(records.c.record).where(records.c.hand == row.id))
    connection.execute(insert(gold).values(hand=row.id, record=truth, who=who, at=journal.now()))


def all_of(connection: Connection, folder: Path) -> list[GoldHand]:
    """Every gold hand with its truth, oldest first."""
    rows = connection.execute(
        select(gold.c.record.label("truth"), hands).join(hands, hands.c.id == gold.c.hand).order_by(hands.c.number)
    )
    found = []
    for row in rows.all():
        record = HandRecord.decode(row.truth)
        mesh = mesh_of(record, find_hand_model(row.hand_model, row.hand_model_digest))
        found.append(GoldHand(row.id, photo_of(connection, folder, row.photo), mesh, record.joint_states))
    return found


def is_due(who: str, handed: int, every: int) -> bool:
    """Whether a person's `handed`th hand is a gold one: one in `every`, at moments that cannot be guessed."""
    return int(hashlib.sha256(f"{who} {handed}".encode()).hexdigest(), 16) % every == 0


def next_trial(connection: Connection, who: str) -> str | None:
    """A new copy, for `who`, of the oldest gold hand that they neither made nor were given; None: all done."""
    given = select(trials.c.hand).where(trials.c.who == who, trials.c.gold == gold.c.hand)
    worked = select(events.c.seq).where(
        events.c.hand == gold.c.hand, events.c.who == who, events.c.kind.in_((journal.EDIT, journal.STATE))
    )
    found = connection.scalar(  # from the few gold hands alone: not a walk through all hands
        select(gold.c.hand)
        .where(gold.c.who != who, ~given.exists(), ~worked.exists())
        .order_by(gold.c.at, gold.c.hand)
        .limit(1)
    )
    if found is None:
        return None
    row = connection.execute(select(hands).where(hands.c.id == found)).one()
    delta = cast(bytes, connection.scalar(select(events.c.delta).where(events.c.seq == row.root)))
    parametric = connection.scalar(select(records.c.parametric).where(records.c.hand == row.id))
    proposer = cast(str, connection.scalar(select(events.c.who).where(events.c.seq == row.root)))
    photo = connection.execute(select(photos).where(photos.c.id == row.photo)).one()
    hand_id = intake.new_id(connection, StoredPhoto(photo.id, Path(photo.path), photo.sha256, 0, 0))
    copy = {
        "id": hand_id,
        "number": next_number(connection, hands.c.number),
        **{name: row._mapping[name] for name in ("photo", "source", "hand_model", "hand_model_digest")},
    }
    packed = (row.hand_model, row.hand_model_digest, delta, parametric or b"")
    journal.propose(connection, copy, intake.Prepared.unpack(packed), proposer, {})
    connection.execute(insert(trials).values(hand=hand_id, gold=row.id, who=who))
    return hand_id


def skills(connection: Connection) -> list[Skill]:
    """Each person's error on the gold hands they have accepted, by name."""
    rows = connection.execute(
        select(trials.c.who, gold.c.record.label("truth"), records.c.record, hands)
        .join(gold, gold.c.hand == trials.c.gold)
        .join(records, records.c.hand == trials.c.hand)
        .join(hands, hands.c.id == trials.c.hand)
        .order_by(trials.c.who, hands.c.number)
    )
    errors: dict[str, list[float]] = defaultdict(list)
    given: dict[str, int] = defaultdict(int)
    for row in rows:
        given[row.who] += 1
        if row.state == ACCEPTED:
            errors[row.who].append(error_mm(row.truth, row.record, row))
    return [Skill(who, given[who], len(errors[who]), *_summary(errors[who])) for who in sorted(given)]


def error_mm(truth: bytes, labelled: bytes, row: Row) -> float:
    """Mean distance of the 21 joints, mm, with the wrists laid on each other (depth is not the person's)."""
    model = find_hand_model(row.hand_model, row.hand_model_digest)
    joints = [mesh_of(HandRecord.decode(data), model).joints for data in (truth, labelled)]
    apart = (joints[0] - joints[0][0]) - (joints[1] - joints[1][0])
    return 1000 * float(np.linalg.norm(apart, axis=1).mean())


def _summary(errors: list[float]) -> tuple[float | None, float | None]:
    return (float(np.mean(errors)), float(np.max(errors))) if errors else (None, None)
