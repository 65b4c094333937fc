"""Is a project what its journal and its hashes say? Read in one pass, so that memory does not grow with it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from sqlalchemy import Connection, func, select

from annotator.errors import InputError
from annotator.project import journal, pictures, reading
from annotator.project.records.record import HandRecord
from annotator.project.storage.schema import events, gold, hands, photos, records, sources
from annotator.vision.bare import picture_digest
from annotator.vision.photos import photo_hash, photo_there


def verify(connection: Connection) -> Iterator[str]:
    """What is wrong with hands and journal, one line each.

    Every event's check sum and chain are computed anew, the numbers are without gaps, and the stored state of
    each hand is the replay of its events.
    """
    if connection.dialect.name == "sqlite":
        for (line,) in connection.exec_driver_sql("PRAGMA quick_check(5)"):
            if line != "ok":
                yield f"the database file is damaged: {' '.join(str(line).split())}"
                return
    count, last = connection.execute(select(func.count(), func.max(events.c.seq)).select_from(events)).one()
    if count != (last or 0):
        yield f"the journal has {count} events, the last has number {last}: some were removed"
    yield from _hands(connection)
    for row in connection.execute(select(sources)):
        if hashlib.sha256(row.document.encode()).hexdigest() != row.digest:
            yield f"the provenance {row.id} is not what its digest says"
    orphans = select(events.c.hand).where(events.c.hand.not_in(select(hands.c.id))).distinct()
    for (hand,) in connection.execute(orphans):
        yield f"hand {hand}: the journal knows it, the list does not"
    for row in connection.execute(select(gold)):
        try:
            HandRecord.decode(row.record)
        except InputError as error:
            yield f"gold hand {row.hand}: {error}"


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
        own = rows if next_hand == row.id else ()
        try:
            record, head, version = journal.replay(own, row.parametric)
            shown = journal.shown(HandRecord.decode(record))
        except InputError as error:
            yield f"hand {row.id}: {error}"
            continue
        finally:
            if next_hand == row.id:
                next_hand, rows = next(histories, (None, ()))
        if row.record != record or (row.head, row.version) != (head, version):
            yield f"hand {row.id}: its stored state is not what its journal says"
        elif any(row._mapping[name] != value for name, value in shown.items()):
            yield f"hand {row.id}: its list entry is not what its journal says"


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
