"""Rigs and instants of a project: which photos are of one moment, and which hands are one mesh in several of them.

They are kept in `meta`, as what photos show is (`pictures`): `rig NAME`, `instant RIG/MOMENT` (camera -> photo),
`moment of PHOTO` and `one mesh HAND`. What is done to the hands is in the journal like all else; a step that moved
one mesh in several photos has the same `together` in the note of each of its events, and is undone and redone as one.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import Connection, Row, select

from annotator.errors import InputError
from annotator.hand.joints import ByJoint
from annotator.hand.mesh import HandMesh
from annotator.project import journal, reading
from annotator.project.context import Context
from annotator.project.entering import intake
from annotator.project.journal import EDIT
from annotator.project.records.changes import edited
from annotator.project.records.instants import Instant, OneMesh
from annotator.project.records.meshes import find_hand_model, mesh_of
from annotator.project.records.record import HandRecord
from annotator.project.records.states import PROPOSED
from annotator.project.records.views import Provenance, StoredPhoto
from annotator.project.storage import documents
from annotator.project.storage.schema import events, hands, photos
from annotator.project.teamwork import team
from annotator.vision.rigs import Rig

if TYPE_CHECKING:  # torch comes with it
    from annotator.correcting.views import InstantHand

_RIG, _INSTANT, _MOMENT, _MESH = "rig ", "instant ", "moment of ", "one mesh "
SAME = 0.35  # of the box: a hand that was proposed in the photo before, this near, is the same one


def kept(values: dict[str, str]) -> dict[str, str]:
    """Those of `meta`'s rows that are of rigs and instants."""
    return {key: value for key, value in values.items() if key.startswith((_RIG, _INSTANT, _MOMENT, _MESH))}


class Instants:
    """A service of `Project`: rigs and instants."""

    def __init__(self, context: Context):
        self._context = context

    # -- rigs and photos --------------------------------------------------------------------------------------
    def add_rig(self, rig: Rig, name: str) -> None:
        """Keep a rig under a name; one of that name is replaced."""
        if not name or "/" in name or len(name) > 100:
            raise InputError(f"{name!r} is no name for a rig")
        with self._context.database.writing() as connection:
            documents.put(
                connection,
                f"{_RIG}{name}",
                rig.as_dict() | {"name": name, "who": self._context.who, "at": journal.now()},
            )

    def rigs(self) -> dict[str, Rig]:
        """The rigs by their names."""
        with self._context.database.reading() as connection:
            found = documents.below(connection, _RIG)
        return {name.removeprefix(_RIG): Rig.of(content, content["name"]) for name, content in found.items()}

    def set_instants(self, rig: str, moments: Mapping[str, Mapping[str, int]]) -> None:
        """Say which photos are of one moment: {moment: {camera: photo's id}}, all or none.

        InputError: no such rig or camera, a photo of another size than its camera's, or one of another instant.
        """
        with self._context.database.writing() as connection:
            document = documents.get(connection, f"{_RIG}{rig}")
            if document is None:
                raise InputError(f"there is no rig {rig!r} in {self._context.folder}")
            for moment, of in moments.items():
                shas = {}
                for camera, photo_id in of.items():
                    photo = reading.photo_of(connection, self._context.folder, photo_id)
                    try:
                        Rig.of(document)[camera].check_photo(photo.height, photo.width)
                    except InputError as error:
                        raise InputError(f"{photo.path}: {error}") from error
                    other = documents.get(connection, f"{_MOMENT}{photo.sha256}")
                    if other is not None and (other["rig"], other["moment"]) != (rig, moment):
                        raise InputError(
                            f"{photo.path} is of instant {other['moment']!r} of rig {other['rig']!r} already: it "
                            f"cannot be of {moment!r} of {rig!r}, too"
                        )
                    shas[camera] = photo.sha256
                    documents.put(
                        connection, f"{_MOMENT}{photo.sha256}", {"rig": rig, "moment": moment, "camera": camera}
                    )
                before = documents.get(connection, f"{_INSTANT}{rig}/{moment}") or {}
                photos_before = before.get("photos", {})
                documents.put(connection, f"{_INSTANT}{rig}/{moment}", before | {"photos": photos_before | shas})

    def instants(self, rig: str | None = None) -> list[Instant]:
        """The instants (of one rig), by name."""
        found = []
        with self._context.database.reading() as connection:
            for key, content in documents.below(connection, _INSTANT if rig is None else f"{_INSTANT}{rig}/").items():
                name, _, moment = key.removeprefix(_INSTANT).partition("/")
                of = {camera: self._photo(connection, sha256) for camera, sha256 in content["photos"].items()}
                found.append(Instant(name, moment, of, bool(content.get("proposed"))))
        return sorted(found, key=lambda one: (one.rig, one.moment))

    def instant_of(self, photo_id: int) -> tuple[Instant, str] | None:
        """The instant that a photo is of, and its camera; None: it is of none."""
        with self._context.database.reading() as connection:
            photo = reading.photo_of(connection, self._context.folder, photo_id)
            said = documents.get(connection, f"{_MOMENT}{photo.sha256}")
            content = None if said is None else documents.get(connection, f"{_INSTANT}{said['rig']}/{said['moment']}")
            if said is None or content is None:
                return None
            of = {camera: self._photo(connection, sha256) for camera, sha256 in content["photos"].items()}
        return Instant(said["rig"], said["moment"], of, bool(content.get("proposed"))), said["camera"]

    def _photo(self, connection: Connection, sha256: str) -> StoredPhoto:
        number = connection.scalar(select(photos.c.id).where(photos.c.sha256 == sha256))
        if number is None:
            raise self._context.database.damaged(f"is damaged: photo {sha256[:12]} of an instant is missing")
        return reading.photo_of(connection, self._context.folder, number)

    # -- hands ------------------------------------------------------------------------------------------------
    def add_instant(self, instant: Instant, found: Sequence[InstantHand], provenance: Provenance) -> list[OneMesh]:
        """Store what a model proposed on the photos of an instant, in one transaction: a hand in each photo, the same
        mesh in all. A hand that was proposed in a photo before and that nobody has touched takes the mesh; one that
        somebody worked on stays as it is. [] if the instant's hands were made already."""
        prepared = [{name: intake.prepare(view) for name, view in one.views.items()} for one in found]
        made = []
        with self._context.database.writing() as connection:
            key = f"{_INSTANT}{instant.rig}/{instant.moment}"
            content = documents.get(connection, key)
            if content is None:
                raise InputError(f"there is no instant {instant.moment!r} of rig {instant.rig!r}")
            if content.get("proposed"):
                return []  # somebody else was faster
            source = intake.add_source(connection, provenance)
            for photo in instant.photos.values():
                intake.mark_looked_at(connection, photo.id, provenance.model_digest)
            taken: set[str] = set()
            for one, ready in zip(found, prepared, strict=True):
                ids = {}
                for name, view in one.views.items():
                    photo = instant.photos[name]
                    old = self._same(connection, photo, view, taken)
                    if old is None:
                        ids[name] = intake.add_hand(connection, photo, source, ready[name], self._context.who)
                    elif _untouched(old[1]) and ready[name].model.digest == old[0].hand_model_digest:
                        team.refuse_if_leased(connection, old[0].id, self._context.who)
                        journal.repropose(
                            connection, old[0], ready[name].record, ready[name].parametric, source, self._context.who,
                            {"model": provenance.model_digest, "instant": instant.moment},
                        )  # fmt: skip
                        ids[name] = old[0].id
                    else:
                        continue  # somebody has worked on it: it is left as it is
                    taken.add(ids[name])
                mesh = OneMesh(
                    instant.rig, instant.moment, ids, dict(one.left_out), _finite(one.without),
                    _finite(one.reprojection),
                )  # fmt: skip
                for hand_id in ids.values():
                    documents.put(connection, f"{_MESH}{hand_id}", asdict(mesh))
                made.append(mesh)
            documents.put(connection, key, content | {"proposed": journal.now()})
        return made

    def _same(
        self, connection: Connection, photo: StoredPhoto, view: HandMesh, taken: set[str]
    ) -> tuple[Row, HandRecord] | None:
        """The hand of this photo, of a single proposal, that is this one; its row and record."""
        best = None
        for hand_id in connection.scalars(select(hands.c.id).where(hands.c.photo == photo.id)).all():
            if hand_id in taken or documents.get(connection, f"{_MESH}{hand_id}") is not None:
                continue
            row, record, _ = reading.stored(connection, self._context.folder, hand_id)
            there = mesh_of(record, find_hand_model(row.hand_model, row.hand_model_digest)).keypoints
            box = max(float(np.ptp(view.keypoints, axis=0).max()), 1.0)
            off = float(np.linalg.norm(there - view.keypoints, axis=1).mean()) / box
            if off < SAME and (best is None or off < best[0]):
                best = (off, (row, record))
        return None if best is None else best[1]

    def one_mesh(self, hand_id: str) -> OneMesh | None:
        """Which hands of other photos are the same mesh as this one; None: none."""
        with self._context.database.reading() as connection:
            content = documents.get(connection, f"{_MESH}{hand_id}")
        return None if content is None else OneMesh(**content)

    def one_meshes(self) -> list[OneMesh]:
        """All of them, by rig and moment."""
        with self._context.database.reading() as connection:
            found = [OneMesh(**content) for content in documents.below(connection, _MESH).values()]
        once = {(one.rig, one.moment, tuple(sorted(one.hands.values()))): one for one in found}
        return [once[key] for key in sorted(once)]

    def edit_instant(
        self,
        meshes: Mapping[str, HandMesh],
        joint_states: Mapping[str, ByJoint[str] | Iterable[str] | None],
        versions: Mapping[str, int],
        note: dict,
    ) -> dict[str, int]:
        """`edit` of hands that are one mesh (id -> the mesh there), in one transaction and as one step: undo and redo
        of any of them are of all. Their new versions; InputError, and nothing changed, as for `edit`."""
        together, done = new_together(), {}
        with self._context.database.writing() as connection:
            for hand_id, mesh in meshes.items():
                with self._context.database.sensible():
                    row, record, _ = reading.stored(connection, self._context.folder, hand_id)
                leased = team.refuse_if_leased(connection, hand_id, self._context.who)
                if hand_id in versions and versions[hand_id] != row.version:
                    raise InputError(
                        f"hand {hand_id} was changed meanwhile (version {row.version}, yours {versions[hand_id]}): "
                        "load it again"
                    )
                after = edited(row, record, mesh, joint_states.get(hand_id))
                with self._context.database.sensible():
                    done[hand_id] = journal.change(connection, row, after, EDIT, self._context.who, note | together)
                team.after_change(connection, hand_id, self._context.who, after.state, leased)
        return done


def new_together() -> dict[str, str]:
    """For the notes of events that are one step of a hand in several photos."""
    return {"together": uuid.uuid4().hex}


def views_of(connection: Connection, hand_id: str) -> list[str]:
    """The ids of the hands that are one mesh with this one, itself first."""
    content = documents.get(connection, f"{_MESH}{hand_id}")
    others = [] if content is None else [other for other in content["hands"].values() if other != hand_id]
    return [hand_id, *others]


def companions(connection: Connection, folder: Path, row: Row, forth: bool) -> list[Row]:
    """The other hands that the step which undo (forth: redo) of this hand is about changed too, and in which it is the
    next to be undone (redone)."""
    seq = journal.next_redo(connection, row) if forth else row.head
    together = _together(connection, seq)
    content = documents.get(connection, f"{_MESH}{row.id}") if together else None
    if content is None:
        return []
    found = []
    for hand_id in content["hands"].values():
        if hand_id == row.id:
            continue
        other = reading.row_of(connection, folder, hand_id)
        at = journal.next_redo(connection, other) if forth else other.head
        if _together(connection, at) == together:
            found.append(other)
    return found


def _together(connection: Connection, seq: int | None) -> str | None:
    note = None if seq is None else connection.scalar(select(events.c.note).where(events.c.seq == seq))
    return json.loads(note).get("together") if note else None


def _untouched(record: HandRecord) -> bool:
    return record.state == PROPOSED and set(record.joint_states) == {PROPOSED} and not record.corrections


def _finite(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(float(value), 5) for name, value in values.items() if np.isfinite(value)}
