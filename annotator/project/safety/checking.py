"""Is a project what its journal and its hashes say? Read in one pass, so that memory does not grow with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from sqlalchemy import Connection, Row, func, select

from annotator.errors import InputError
from annotator.project import journal, reading, statements
from annotator.project.photo_files import pictures
from annotator.project.records.record import HandRecord, check_sum
from annotator.project.storage.schema import events, gold, hands, meta, photos, records, sources
from annotator.stopping import still_wanted
from annotator.vision.images.without_metadata import picture_digest
from annotator.vision.photos import photo_hash, photo_there

NEWEST = 20  # events that are looked at when a project is opened
REPAIRED = "repaired"  # in `meta`: what a repair did not find


def verify(connection: Connection) -> Iterator[str]:
    """What is wrong with hands and journal, one line each.

    Every event's check sum and chain are computed anew, the numbers are without gaps, and the stored state of
    each hand is the replay of its events.
    """
    damage = file_damage(connection)
    if damage:
        yield damage
        return
    count, last = connection.execute(select(func.count(), func.max(events.c.seq)).select_from(events)).one()
    if count + _known_lost(connection) != (last or 0):
        yield f"the journal has {count} events, the last has number {last}: some were removed"
    yield from _hands(connection)
    for row in connection.execute(select(sources)):
        if hashlib.sha256(row.document.encode()).hexdigest() != row.digest:
            yield f"the provenance {row.id} is not what its digest says"
    orphans = select(events.c.hand).where(events.c.hand.not_in(select(hands.c.id))).distinct()
    for (hand,) in connection.execute(orphans):
        yield f"hand {hand}: the journal knows it, the list does not"
    yield from statements.wrong(connection)
    for row in connection.execute(select(gold)):
        try:
            HandRecord.decode(row.record)
        except InputError as error:
            yield f"gold hand {row.hand}: {error}"


def file_damage(connection: Connection) -> str:
    """What is wrong with the pages of a database file; "" if nothing is, or it is on a server."""
    if connection.dialect.name == "sqlite":
        for (line,) in connection.exec_driver_sql("PRAGMA quick_check(5)"):
            if line != "ok":
                return f"the database file is damaged: {' '.join(str(line).split())}"
    return ""


def _known_lost(connection: Connection) -> int:
    """How many events a repair did not find."""
    told = connection.scalar(select(meta.c.value).where(meta.c.key == REPAIRED))
    return int(json.loads(told)["events_lost"]) if told else 0


def newest(connection: Connection, count: int = NEWEST) -> None:
    """A quick look at what was written last, enough to notice most damage at opening: the newest events' chain, and
    that the hands which they are about are as the last of them left them. InputError: they are not what was written."""
    before = events.alias("before")
    near = (before.c.hand == events.c.hand) & (before.c.version == events.c.version - 1)
    there = events.outerjoin(before, near).outerjoin(hands, hands.c.id == events.c.hand)
    statement = (
        select(
            events, before.c.chain.label("previous"), records.c.record, records.c.parametric, hands.c.root,
            hands.c.version.label("last"),
        )
        .select_from(there.outerjoin(records, records.c.hand == events.c.hand))
        .order_by(events.c.seq.desc())
        .limit(count)
    )  # fmt: skip
    for row in connection.execute(statement):
        wrong = InputError(f"the journal of hand {row.hand} is damaged at event {row.seq}")
        if row.kind == journal.PROPOSE and row.seq != row.root:
            continue  # proposed anew since: what its chain stands for is in a later note
        parametric = row.parametric if row.kind == journal.PROPOSE else None
        if row.last is None or row.record is None or row.version > 1 and row.previous is None:
            raise wrong
        if journal.link(row.previous or b"", row._mapping, parametric) != row.chain:
            raise wrong
        if row.version == row.last and check_sum(row.record) != row.check:
            raise InputError(f"hand {row.hand}: its stored state is not what its journal says")


def check_hand(connection: Connection, hand: str) -> None:
    """All events of one hand, their sums and chain, and its stored state. InputError: one of them is not as it was."""
    stored = connection.execute(
        select(hands, records.c.record, records.c.parametric)
        .outerjoin(records, records.c.hand == hands.c.id)
        .where(hands.c.id == hand)
    ).first()
    if stored is None:
        raise InputError(f"hand {hand}: the journal knows it, the list does not")
    own = connection.execute(select(events).where(events.c.hand == hand).order_by(events.c.version))
    wrong = _compared(stored, own)
    if wrong:
        raise InputError(wrong)


def _compared(stored: Row, own: Iterable[Row]) -> str:
    """What is wrong with a hand, beside its events; "" if nothing is."""
    try:
        record, head, version = journal.replay(own, stored.parametric)
        shown = journal.shown(HandRecord.decode(record))
    except InputError as error:
        return f"hand {stored.id}: {error}"
    if stored.record != record or (stored.head, stored.version) != (head, version):
        return f"hand {stored.id}: its stored state is not what its journal says"
    if any(stored._mapping[name] != value for name, value in shown.items()):
        return f"hand {stored.id}: its list entry is not what its journal says"
    return ""


def _hands(connection: Connection) -> Iterator[str]:
    stored = connection.execute(
        select(hands, records.c.record, records.c.parametric)
        .outerjoin(records, records.c.hand == hands.c.id)
        .order_by(hands.c.number)
        .execution_options(yield_per=500)
    )
    ordered = connection.execute(
        select(events)
        .join(hands, hands.c.id == events.c.hand)
        .order_by(hands.c.number, events.c.version)
        .execution_options(yield_per=500)
    )
    histories = groupby(ordered, key=lambda row: row.hand)
    next_hand, rows = next(histories, (None, ()))
    for row in stored:
        still_wanted()
        wrong = _compared(row, rows if next_hand == row.id else ())
        if next_hand == row.id:
            next_hand, rows = next(histories, (None, ()))
        if wrong:
            yield wrong


def verify_photos(connection: Connection, folder: Path) -> Iterator[str]:
    """Photos that are not there, or whose content is another now, one line each."""
    for row in connection.execute(select(photos).order_by(photos.c.id)).all():
        photo = reading.stored_photo(folder, row)
        if not photo_there(photo.path):
            yield f"photo {photo.path} is not there (`annotator photos --find FOLDER` looks for it by content)"
            continue
        try:
            same = photo_hash(photo.path) == photo.sha256
            if not same:  # perhaps rated or tagged since
                picture = pictures.picture_of(connection, photo.sha256)
                same = picture is not None and picture_digest(photo.path) == picture
        except InputError as error:
            yield str(error)
            continue
        if not same:
            yield f"photo {photo.path} is not the one that was added"
