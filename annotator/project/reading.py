"""Questions to a project's database, answered as frozen records. All inside the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, Row, func, select

from annotator.errors import InputError
from annotator.hand.mesh import HandMesh
from annotator.project.journal import EDIT, PROPOSE, STATE, history, now
from annotator.project.photo_files import pictures
from annotator.project.records.meshes import find_hand_model, mesh_of, parameters_of
from annotator.project.records.record import HandRecord, apply
from annotator.project.records.states import ACCEPTED, HAND_STATES, check_hand_state
from annotator.project.records.views import HandEntry, Origin, StoredHand, StoredPhoto
from annotator.project.storage.schema import (
    events,
    hands,
    leases,
    looked_at,
    photos,
    records,
    reviews,
    sources,
    tracked,
    trials,
)
from annotator.vision.photos import photo_there


def row_of(connection: Connection, folder: Path, hand_id: str) -> Row:
    """The hand's row of table `hands`; InputError if there is none."""
    row = connection.execute(select(hands).where(hands.c.id == hand_id)).first()
    if row is None:
        raise InputError(f"no hand {hand_id!r} in {folder} (`annotator status` lists them)")
    return row


def stored(connection: Connection, folder: Path, hand_id: str) -> tuple[Row, HandRecord, bytes | None]:
    """The hand's row, its record as it stands now, and the parametric stage's parameters."""
    row = row_of(connection, folder, hand_id)
    data = connection.execute(select(records).where(records.c.hand == hand_id)).one()
    return row, HandRecord.decode(data.record), data.parametric


def mesh(connection: Connection, folder: Path, hand_id: str) -> HandMesh:
    """The hand's mesh, rebuilt."""
    row, record, parametric = stored(connection, folder, hand_id)
    return mesh_of(record, find_hand_model(row.hand_model, row.hand_model_digest), parametric)


def proposal(connection: Connection, folder: Path, hand_id: str) -> HandMesh:
    """The hand as it was proposed, rebuilt from its journal's root."""
    row, _, parametric = stored(connection, folder, hand_id)
    delta = connection.scalar(select(events.c.delta).where(events.c.seq == row.root))
    record = HandRecord.decode(apply(cast(bytes, delta), None))
    return mesh_of(record, find_hand_model(row.hand_model, row.hand_model_digest), parametric)


def stored_hand(connection: Connection, folder: Path, hand_id: str) -> StoredHand:
    """All of one hand."""
    row, record, _ = stored(connection, folder, hand_id)
    photo = photo_of(connection, folder, row.photo)
    document = json.loads(cast(str, connection.scalar(select(sources.c.document).where(sources.c.id == row.source))))
    document |= {"hand_model": row.hand_model, "hand_model_digest": row.hand_model_digest}
    document |= {"photo_sha256": photo.sha256, "proposed_at": row.created}
    built = mesh_of(record, find_hand_model(row.hand_model, row.hand_model_digest))
    return StoredHand(
        id=row.id,
        photo=photo,
        side=record.side,
        K=record.K,
        crop=record.crop,
        parameters=parameters_of(record),
        joints=built.joints,
        keypoints=built.keypoints,
        keypoint_sigma=record.keypoint_sigma,
        confidence=record.confidence,
        corrections=record.corrections,
        depth_labels=record.depth_labels,
        joint_states=record.joint_states,
        state=record.state,
        version=row.version,
        created=row.created,
        changed=row.changed,
        provenance=document,
    )


def photo_of(connection: Connection, folder: Path, photo_id: int) -> StoredPhoto:
    """The photo of this id; InputError if there is none."""
    row = connection.execute(select(photos).where(photos.c.id == photo_id)).first()
    if row is None:
        raise InputError(f"no photo {photo_id} in {folder}")
    return stored_photo(folder, row, pictures.picture_of(connection, row.sha256) or "")


def stored_photo(folder: Path, row: Row, picture: str = "") -> StoredPhoto:
    """A photo's row, and what it shows (see `pictures`); its path is the new place if the project and the
    photos moved together."""
    path = Path(row.path)
    if not photo_there(path):
        moved = (folder / row.relative).resolve()
        path = moved if photo_there(moved) else path
    return StoredPhoto(row.id, path, row.sha256, row.height, row.width, row.video, row.frame, row.seconds, picture)


_FIELDS = tuple(field.name for field in fields(HandEntry))


def entries(
    connection: Connection,
    state: str | Iterable[str] | None,
    photo: int | None,
    after: int,
    limit: int | None,
    copies: bool = True,
) -> list[HandEntry]:
    """The list of hands, see Project.hands."""
    columns = (
        hands.c.id, hands.c.number, photos.c.path, hands.c.photo, hands.c.side, hands.c.state, hands.c.confidence,
        hands.c.corrections, hands.c.version, hands.c.created, hands.c.changed, func.coalesce(leases.c.who, ""),
        photos.c.frame, photos.c.seconds, tracked.c.track, tracked.c.reasons,
    )  # fmt: skip # the order of HandEntry's own fields
    leased = (leases.c.hand == hands.c.id) & (leases.c.until > now())
    on_track = tracked.c.hand == hands.c.id
    statement = select(*columns).select_from(hands.join(photos).outerjoin(leases, leased).outerjoin(tracked, on_track))
    statement = _chosen(statement, state, photo, after, copies).order_by(hands.c.number).limit(limit)
    return [_entry(row) for row in connection.execute(statement)]


def _entry(row: Row) -> HandEntry:
    """A line of the list. (A frozen dataclass's own way to be made takes several times as long.)"""
    entry = HandEntry.__new__(HandEntry)
    entry.__dict__.update(zip(_FIELDS, row, strict=True))
    entry.__dict__["reasons"] = words(entry.__dict__["reasons"])
    return entry


def words(stored: str | None) -> tuple[str, ...]:
    """Reasons as they are stored."""
    return tuple(stored.split(",")) if stored else ()


def count(connection: Connection, state: str | Iterable[str] | None, photo: int | None, copies: bool = True) -> int:
    """How many hands `entries` would list."""
    return connection.scalar(_chosen(select(func.count()).select_from(hands), state, photo, 0, copies))


def _chosen(statement, state: str | Iterable[str] | None, photo: int | None, after: int, copies: bool):
    if not copies:
        statement = statement.where(~select(trials.c.hand).where(trials.c.hand == hands.c.id).exists())
    if state is not None:
        states = [state] if isinstance(state, str) else list(state)
        statement = statement.where(hands.c.state.in_([check_hand_state(one) for one in states]))
    if photo is not None:
        statement = statement.where(hands.c.photo == photo)
    if after:
        statement = statement.where(hands.c.number > after)
    return statement


def counts(connection: Connection) -> dict:
    """{"photos", "looked_at", "states": {state: count}, "events"}, without going through the hands."""
    by_state = connection.execute(select(hands.c.state, func.count()).group_by(hands.c.state))
    states = {state: count for state, count in by_state}
    return {
        "photos": connection.scalar(select(func.count()).select_from(photos)),
        "looked_at": connection.scalar(select(func.count(looked_at.c.photo.distinct()))),
        "states": {state: states.get(state, 0) for state in HAND_STATES},
        "events": connection.scalar(select(func.max(events.c.seq))) or 0,
    }


def people(connection: Connection) -> dict[str, int]:
    """{who: how many steps}, those of most steps first; undo and redo are no steps."""
    count = func.count()
    steps = select(events.c.who, count).where(events.c.kind.in_((EDIT, STATE))).group_by(events.c.who)
    return {who: number for who, number in connection.execute(steps.order_by(count.desc(), events.c.who))}


def bare(connection: Connection, folder: Path) -> list[StoredPhoto]:
    """Photos that have no hand, in the order they came."""
    none = ~select(hands.c.id).where(hands.c.photo == photos.c.id).exists()
    rows = connection.execute(select(photos).where(none).order_by(photos.c.id)).all()
    return [stored_photo(folder, row) for row in rows]


def origin(connection: Connection, row: Row) -> Origin:
    """Who made this hand (a row of `hands`) what it is."""
    told = history(connection, row.id)
    by_number = {event.seq: event for event in told}
    changes = [event for event in told if event.kind in (EDIT, STATE)]
    accepted = by_number[row.head].who if row.state == ACCEPTED and row.head in by_number else ""
    agreed = (
        select(reviews.c.who)
        .where(reviews.c.hand == row.id, reviews.c.head == row.head, reviews.c.verdict == "agreed")
        .order_by(reviews.c.id)
    )
    return Origin(
        proposed_by=next((event.who for event in reversed(told) if event.kind == PROPOSE), ""),
        edited_by=tuple(dict.fromkeys(event.who for event in changes)),
        accepted_by=accepted,
        reviewed_by=tuple(dict.fromkeys(connection.scalars(agreed))),
        seconds=round(sum(_number(event.note.get("seconds")) for event in changes), 3),
        drags=sum(int(_number(event.note.get("drags", int("joint" in event.note)))) for event in changes),
        events=len(told),
    )


def _number(noted) -> float:
    """Notes are what their makers wrote: only a sensible number counts."""
    return noted if isinstance(noted, int | float) and 0 <= noted < 1e9 else 0
