"""Hands that are one mesh in several photos of an instant: stored together, told of each other, edited as one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import Connection, Row, select

from annotator.errors import InputError
from annotator.hand.joints import ByJoint
from annotator.hand.mesh import HandMesh
from annotator.project import journal, reading
from annotator.project.context import Context
from annotator.project.entering import intake
from annotator.project.instants.keys import INSTANT, MESH
from annotator.project.instants.steps import new_together
from annotator.project.journal import EDIT
from annotator.project.records.changes import edited
from annotator.project.records.instants import Instant, OneMesh
from annotator.project.records.meshes import find_hand_model, mesh_of
from annotator.project.records.record import HandRecord
from annotator.project.records.views import Provenance, StoredPhoto
from annotator.project.storage import documents
from annotator.project.storage.schema import hands
from annotator.project.teamwork import team

if TYPE_CHECKING:  # torch comes with it
    from annotator.correcting.views import InstantHand

SAME = 0.35  # of the box: a hand that was proposed in the photo before, this near, is the same one


class InstantHands:
    """A service of `Project`: hands of instants, and which of them are one mesh."""

    def __init__(self, context: Context):
        self._context = context

    def add_instant(self, instant: Instant, found: Sequence[InstantHand], provenance: Provenance) -> list[OneMesh]:
        """Store what a model proposed on the photos of an instant, in one transaction: a hand in each, one mesh in all.

        A hand that was proposed in a photo before and that nobody has touched takes the mesh; one that somebody worked
        on stays as it is.

        Parameters
        ----------
        instant
            As `instants` gives it.
        found
            What `Model.propose_instant` found.
        provenance
            What proposed them.

        Returns
        -------
        list of OneMesh
            Empty: the instant's hands were made already.

        Raises
        ------
        InputError
            There is no such instant, or somebody else has one of its hands.
        """
        prepared = [{name: intake.prepare(view) for name, view in one.views.items()} for one in found]
        made = []
        with self._context.database.writing() as connection:
            key = f"{INSTANT}{instant.rig}/{instant.moment}"
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
                    elif old[1].untouched and ready[name].model.digest == old[0].hand_model_digest:
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
                    documents.put(connection, f"{MESH}{hand_id}", asdict(mesh))
                made.append(mesh)
            documents.put(connection, key, content | {"proposed": journal.now()})
        return made

    def _same(
        self, connection: Connection, photo: StoredPhoto, view: HandMesh, taken: set[str]
    ) -> tuple[Row, HandRecord] | None:
        """The hand of this photo, of a single proposal, that is this one; its row and record."""
        best = None
        for hand_id in connection.scalars(select(hands.c.id).where(hands.c.photo == photo.id)).all():
            if hand_id in taken or documents.get(connection, f"{MESH}{hand_id}") is not None:
                continue
            row, record, _ = reading.stored(connection, self._context.folder, hand_id)
            there = mesh_of(record, find_hand_model(row.hand_model, row.hand_model_digest)).keypoints
            box = max(float(np.ptp(view.keypoints, axis=0).max()), 1.0)
            off = float(np.linalg.norm(there - view.keypoints, axis=1).mean()) / box
            if off < SAME and (best is None or off < best[0]):
                best = (off, (row, record))
        return None if best is None else best[1]

    def one_mesh(self, hand_id: str) -> OneMesh | None:
        """Which hands of other photos are the same mesh as this one.

        Parameters
        ----------
        hand_id
            The hand's.

        Returns
        -------
        OneMesh or None
            None: it is a hand of one photo.
        """
        with self._context.database.reading() as connection:
            content = documents.get(connection, f"{MESH}{hand_id}")
        return None if content is None else OneMesh(**content)

    def one_meshes(self) -> list[OneMesh]:
        """All hands that are one mesh in several photos.

        Returns
        -------
        list of OneMesh
            By rig and moment.
        """
        with self._context.database.reading() as connection:
            found = [OneMesh(**content) for content in documents.below(connection, MESH).values()]
        once = {(one.rig, one.moment, tuple(sorted(one.hands.values()))): one for one in found}
        return [once[key] for key in sorted(once)]

    def edit_instant(
        self,
        meshes: Mapping[str, HandMesh],
        joint_states: Mapping[str, ByJoint[str] | Iterable[str] | None],
        versions: Mapping[str, int],
        note: dict,
    ) -> dict[str, int]:
        """`edit` of hands that are one mesh, as one step: undo and redo of any of them are of all.

        Parameters
        ----------
        meshes
            Hand's id -> the mesh in its photo.
        joint_states
            Hand's id -> of its joints, as `edit` takes them.
        versions
            Hand's id -> the version that was edited.
        note
            JSON, kept in the journal with each.

        Returns
        -------
        dict of str to int
            The hands' new versions.

        Raises
        ------
        InputError
            As for `edit`; then none is changed.
        """
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


def _finite(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(float(value), 5) for name, value in values.items() if np.isfinite(value)}
