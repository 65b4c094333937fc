"""A new project out of a damaged one: every hand whose events are whole, and which are not and why.

Whole means what `checking.verify` means: a hand's events are all there and in order, each check sum and the chain over
them are right, and replaying them gives its state. Nothing is mended, nothing made up.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, insert

from annotator import __version__
from annotator.errors import InputError
from annotator.project import instants, journal, statements
from annotator.project.entering import intake
from annotator.project.photo_files import pictures
from annotator.project.records.record import HandRecord
from annotator.project.safety.checking import REPAIRED
from annotator.project.safety.salvaging import EventRow, Found, found_in
from annotator.project.storage import places, schema
from annotator.project.storage.sqlite import create_sqlite
from annotator.vision.photos import photo_there


@dataclass(frozen=True)
class Whole:
    """A hand that is whole: its row of the list as its journal says it, its record, and its events, oldest first."""

    row: dict
    record: bytes
    parametric: bytes | None
    events: list[EventRow]


def whole_hands(found: Found) -> tuple[list[Whole], dict[str, str]]:
    """(the hands that are whole, in the order of the list, {id: why not} of the others)."""
    histories: dict[str, list[EventRow]] = defaultdict(list)
    for event in found.events.values():
        histories[event.hand].append(event)
    whole, lost, doubtful = [], {}, _doubtful(found)
    for hand in dict.fromkeys((*found.hands, *histories)):
        own = sorted(histories.get(hand, ()), key=lambda event: event.version)
        try:
            if hand in doubtful:
                raise InputError("its entry in the list names a hand model that no other hand has")
            whole.append(_whole(found, hand, own))
        except InputError as error:
            lost[hand] = str(error)
    return sorted(whole, key=lambda one: one.row["number"]), lost


def _doubtful(found: Found) -> set[str]:
    """Hands whose model's name or digest nearly is that of others: no check sum covers these."""
    model = {hand: (row["hand_model"], row["hand_model_digest"]) for hand, row in found.hands.items()}
    counts = Counter(model.values())
    alone = {hand: one for hand, one in model.items() if counts[one] == 1}
    many = [one for one, count in counts.items() if count > 1]
    return {hand for hand, (name, digest) in alone.items() if any(name == a or digest == b for a, b in many)}


def _whole(found: Found, hand: str, events: list[EventRow]) -> Whole:
    row = found.hands.get(hand)
    if row is None:
        raise InputError(f"its entry in the list is lost; {len(events)} of its events are there")
    if len(events) < row["version"] or [event.version for event in events] != list(range(1, len(events) + 1)):
        raise InputError(f"{len(events)} of its {max(row['version'], len(events))} events are there")
    if row["photo"] not in found.photos:
        raise InputError("its photo's entry is lost")
    if row["source"] not in found.sources:
        raise InputError("where it came from is lost")
    later = events[row["version"] :]
    if any(event.kind == journal.PROPOSE for event in later):
        raise InputError("its newest entry in the list is lost")
    why = "its journal is damaged"
    for parametric in sorted(found.parametric.get(hand, ()) or {None}, key=lambda one: one is None):
        try:
            record, head, version = journal.replay(events, parametric)
            shown = journal.shown(HandRecord.decode(record))
        except InputError as error:
            why = str(error)
            continue
        root = max(event.seq for event in events if event.kind == journal.PROPOSE)
        said = {"version": version, "head": head, "root": root, "changed": events[-1].at}
        return Whole(row | shown | said, record, parametric, events)
    raise InputError(why)


def repair(place: str | Path, out: str | Path) -> dict:
    """Write a new project into the folder `out`: all hands of the project at `place` that are whole, with their events.

    Returns {"hands": saved, "lost": {hand: why not}, "photos", "events", "events_lost": events of the journal that were
    not saved}. InputError: nothing to be saved, `out` holds a project already, a project on a server.
    """
    at, to = places.locate(place), places.locate(out)
    if at.url is not None:
        raise InputError(f"{place} is on a server: restore the server's copy, or open the newest snapshot")
    if not at.database.is_file():
        raise InputError(f"no project in {at.folder} (there is no {at.database.name})")
    found = found_in(at.database)
    whole, lost = whole_hands(found)
    if not whole:
        why = "; ".join(f"hand {hand}: {reason}" for hand, reason in list(lost.items())[:3])
        raise InputError(f"no hand in {at.database} is whole ({why})")
    events = [event for one in whole for event in one.events]
    missing = max(event.seq for event in events) - len(events)
    told = {"from": str(at.database), "at": journal.now(), "events_lost": missing, "hands_lost": sorted(lost)}
    values = {name: found.meta.get(name, default) for name, default in _meta().items()}
    values |= pictures.kept(found.meta) | instants.kept(found.meta) | {REPAIRED: json.dumps(told)}
    new = create_sqlite(to.database, values)
    try:
        with new.writing() as connection:
            _write(connection, found, whole, at.folder, to.folder)
    finally:
        new.close()
    return {
        "hands": len(whole),
        "lost": lost,
        "photos": len(found.photos),
        "events": len(events),
        "events_lost": missing,
    }


def _meta() -> dict[str, str]:
    return {"project": "", "created": journal.now(), "code_version": __version__}


def _write(connection: Connection, found: Found, whole: list[Whole], old: Path, new: Path) -> None:
    ids, golden = {one.row["id"] for one in whole}, set()
    photos = [row | _moved(row, old, new) for row in found.photos.values()]
    _insert(connection, schema.photos, {row["sha256"]: row for row in photos}.values())
    _insert(connection, schema.sources, {row["digest"]: row for row in found.sources.values()}.values())
    seen = {(photo, model): at for photo, model, at in found.looked_at if photo in found.photos}
    _insert(
        connection,
        schema.looked_at,
        ({"photo": photo, "model_digest": model, "at": at} for (photo, model), at in seen.items()),
    )
    _insert(connection, schema.hands, (one.row for one in whole))
    _insert(
        connection,
        schema.records,
        ({"hand": one.row["id"], "record": one.record, "parametric": one.parametric} for one in whole),
    )
    _insert(
        connection, schema.events, sorted((dict(e) for one in whole for e in one.events), key=lambda row: row["seq"])
    )
    _insert(connection, schema.reviews, (row for row in found.reviews.values() if row["hand"] in ids))
    for row in found.gold.values():
        try:
            HandRecord.decode(row["record"])
        except InputError:
            continue
        if row["hand"] in ids:
            golden.add(row["hand"])
    _insert(connection, schema.gold, (row for row in found.gold.values() if row["hand"] in golden))
    tried = ({"hand": hand, "gold": gold, "who": who} for hand, gold, who in found.trials)
    _insert(connection, schema.trials, (row for row in tried if row["hand"] in ids and row["gold"] in golden))
    _insert(connection, schema.statements, statements.unbroken(found.statements.values()))
    kept = (row for row in found.tracked.values() if row["hand"] in ids and row["kind"] in ("seen", "bridged"))
    _insert(connection, schema.tracked, kept)
    _insert(connection, schema.people, ({"who": who, "handed": count} for who, count in found.people.items()))


def _insert(connection: Connection, table, rows: Iterable[dict]) -> None:
    rows = list(rows)
    if rows:
        connection.execute(insert(table), rows)


def _moved(row: dict, old: Path, new: Path) -> dict:
    """A photo's paths, seen from the new project's folder."""
    path = Path(row["path"])
    try:
        if not photo_there(path) and photo_there(old / row["relative"]):
            path = (old / row["relative"]).resolve()
    except (OSError, ValueError):
        pass
    return {"path": str(path), "relative": intake.relative(path, new)}
