"""Newer proposals for hands that nobody has touched: what a better model says of a project's open hands."""

from __future__ import annotations

from annotator.errors import InputError
from annotator.hand.mesh import HandMesh
from annotator.project import journal, reading
from annotator.project.context import Context
from annotator.project.entering import intake
from annotator.project.records.states import PROPOSED
from annotator.project.records.views import Provenance
from annotator.project.teamwork import team


class Renewing:
    """A service of `Project`: newer proposals."""

    def __init__(self, context: Context):
        self._context = context

    def repropose(self, hand_id: str, mesh: HandMesh, provenance: Provenance, version: int | None = None) -> int:
        """Put a newer model's proposal in place of the hand's old one, which stays in the journal.

        Only for a hand as it was proposed.

        Parameters
        ----------
        hand_id
            The hand's id.
        mesh, provenance
            As for `add_proposals`.
        version
            The one that was looked at; None: whichever is in force.

        Returns
        -------
        int
            The new version.

        Raises
        ------
        InputError
            A person has touched it (or has it in work just now), it has changed since `version`, or the hand model is
            another.
        """
        prepared = intake.prepare(mesh.unlabelled())
        with self._context.database.writing() as connection:
            with self._context.database.sensible():
                row, record, _ = reading.stored(connection, self._context.folder, hand_id)
            team.refuse_if_leased(connection, hand_id, self._context.who)
            if version is not None and version != row.version:
                raise InputError(f"hand {hand_id} was changed meanwhile (version {row.version}, yours {version})")
            if record.state != PROPOSED or set(record.joint_states) != {PROPOSED} or record.corrections:
                raise InputError(f"hand {hand_id} is {record.state}: only a hand that nobody touched is proposed again")
            if prepared.model.digest != row.hand_model_digest:
                raise InputError(
                    f"hand {hand_id} is of hand model {row.hand_model!r}, the proposal of {prepared.name!r}"
                )
            source = intake.add_source(connection, provenance)
            intake.mark_looked_at(connection, row.photo, provenance.model_digest)
            note = {"model": provenance.model_digest}
            with self._context.database.sensible():
                return journal.repropose(
                    connection, row, prepared.record, prepared.parametric, source, self._context.who, note
                )
