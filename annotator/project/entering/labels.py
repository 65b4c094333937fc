"""Hands that come with their labels, from a data set: stored whole or not at all, and not twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import insert

from annotator.hand.mesh import HandMesh
from annotator.project import journal, reading
from annotator.project.context import Context
from annotator.project.entering import intake
from annotator.project.journal import EDIT, STATE
from annotator.project.records.changes import edited, with_state
from annotator.project.records.states import IN_WORK, check_hand_state
from annotator.project.records.views import Provenance
from annotator.project.storage.schema import tracked


class LabelIntake:
    """A service of `Project`: labelled hands from elsewhere."""

    def __init__(self, context: Context):
        self._context = context

    def add_label(
        self,
        photo_id: int,
        mesh: HandMesh,
        provenance: Provenance,
        joint_states: Iterable[str],
        state: str,
        mark: str,
        note: Mapping | None = None,
        track: int | None = None,
    ) -> str | None:
        """Store a hand with its label in one transaction.

        The journal has it as a proposal without corrections, an edit that adds them, and, unless `state` is "in work",
        a change of state: whose work it is can be read there.

        Parameters
        ----------
        photo_id, mesh, provenance
            As for `add_proposals`; the mesh with its corrections.
        joint_states
            21 of `hand.joint_states.JOINT_STATES`.
        state
            One of `states.HAND_STATES`.
        mark
            Names the label for good (its data set and its id in that); `has_photo(hash, mark)` is true from then on.
        note
            JSON, kept with the edit and the state.
        track
            The number of the track that the hand is on, see `Project.new_tracks`.

        Returns
        -------
        str or None
            Its id; None: a label of this mark is on this photo.

        Raises
        ------
        InputError
            As for `add_proposals`; unknown states.
        """
        check_hand_state(state)
        prepared = intake.prepare(mesh.unlabelled())
        with self._context.database.writing() as connection:
            if intake.was_looked_at(connection, photo_id, mark):
                return None
            photo = reading.photo_of(connection, self._context.folder, photo_id)
            source = intake.add_source(connection, provenance)
            for digest in (provenance.model_digest, mark):
                intake.mark_looked_at(connection, photo_id, digest)
            hand_id = intake.add_hand(connection, photo, source, prepared, self._context.who)
            row, record, _ = reading.stored(connection, self._context.folder, hand_id)
            record = edited(row, record, mesh, list(joint_states))
            journal.change(connection, row, record, EDIT, self._context.who, note or {})
            if state != IN_WORK:
                row = reading.row_of(connection, self._context.folder, hand_id)
                journal.change(connection, row, with_state(record, state), STATE, self._context.who, note or {})
            if track is not None:
                connection.execute(insert(tracked).values(hand=hand_id, track=track, kind="seen", reasons=""))
            return hand_id
