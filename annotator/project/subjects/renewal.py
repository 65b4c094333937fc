"""A hand as the network had it, whatever was made of it since.

A subject is estimated from what the network said before it knew whose hand it is. From meshes that were solved with the
subject's shape already, an estimate would drift: each would confirm the last one. So a proposal that is stored with
its subject's shape keeps the network's own in its note.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping

from sqlalchemy import Connection, Row, select

from annotator.errors import InputError
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.project.records.meshes import find_hand_model, mesh_of, record_of
from annotator.project.records.record import HandRecord, apply, pack
from annotator.project.records.states import CONFIRMED, PROPOSED
from annotator.project.storage.schema import events

WITHOUT_SUBJECT = "untold"  # in a proposal's note: the network's own answer, where a subject's shape took its place


def note_without_subject(mesh: HandMesh) -> dict[str, str]:
    """The note that keeps what the network said of a hand."""
    model = find_hand_model(mesh.hand_model)
    record = record_of(mesh.unlabelled(), model, (PROPOSED,) * 21, PROPOSED)
    return {WITHOUT_SUBJECT: base64.b64encode(pack(None, record.encode())).decode()}


def without_subject(connection: Connection, row: Row, record: HandRecord) -> HandMesh:
    """The hand as the network had it, with the labels of `record`: what a person's changes and its subject made of it
    is left out. Where a person said that it is a hand of the other side, the hand as it is."""
    model = find_hand_model(row.hand_model, row.hand_model_digest)
    event = connection.execute(select(events.c.delta, events.c.note).where(events.c.seq == row.root)).one()
    first = _record(event.note, event.delta, row.id)
    if first.side != record.side:
        first = record
    return mesh_of(first, model).replace(corrections=record.corrections, depth_labels=record.depth_labels)


def with_confirmed(mesh: HandMesh, record: HandRecord, model: HandModel) -> HandMesh:
    """The mesh with confirmed keypoints as labels, too, where the hand of `record` has them."""
    confirmed = [k for k, state in enumerate(record.joint_states) if state == CONFIRMED and k not in record.corrections]
    if not confirmed:
        return mesh
    seen = mesh_of(record, model).keypoints
    return mesh.replace(corrections=dict(mesh.corrections) | {k: tuple(seen[k]) for k in confirmed})


def _record(note: str | None, delta: bytes, hand: str) -> HandRecord:
    try:
        told = json.loads(note or "{}")
        kept = told.get(WITHOUT_SUBJECT) if isinstance(told, Mapping) else None
        return HandRecord.decode(apply(base64.b64decode(kept) if kept else delta, None))
    except (ValueError, TypeError, binascii.Error) as error:
        raise InputError(f"the proposal of hand {hand} is damaged") from error
