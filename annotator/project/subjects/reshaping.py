"""Hands whose mesh has another shape than their subject: which these are, and their meshes made anew."""

from __future__ import annotations

from sqlalchemy import Connection, Row

from annotator.correcting.solver.solver import solve
from annotator.correcting.subjects.measuring import apart
from annotator.errors import InputError
from annotator.hand.mesh import HandMesh
from annotator.project import journal, reading
from annotator.project.context import Context
from annotator.project.definitions import definition_of_project
from annotator.project.entering.intake import prepare
from annotator.project.instants import InstantHands
from annotator.project.records.changes import edited
from annotator.project.records.meshes import find_hand_model, mesh_of
from annotator.project.records.states import ACCEPTED, REJECTED
from annotator.project.records.views import Renewal
from annotator.project.subjects import standing
from annotator.project.subjects.renewal import note_without_subject, without_subject
from annotator.project.teamwork import team

NOTABLE = 0.0005  # m: a mesh whose shape is farther off than this is offered a renewed one


class Reshaping:
    """A part of `Subjects`: renewed meshes, offered and made."""

    def __init__(self, context: Context):
        self._context, self._instants = context, InstantHands(context)

    def of(self, name: str) -> tuple[list[Renewal], list[Renewal]]:
        """See `Subjects.renewals`."""
        with self._context.database.reading() as connection:
            subject = standing.named(connection, name, self._context.folder)
            if subject.shape is None:
                return [], []
            shared = {hand for one in self._instants.one_meshes() for hand in one.hands.values()}
            offered: list[Renewal] = []
            accepted: list[Renewal] = []
            for row in standing.hands_in(connection, subject.photos):
                if row.state == REJECTED or row.hand_model_digest != subject.shape.hand_model or row.id in shared:
                    continue
                record = reading.stored(connection, self._context.folder, row.id)[1]
                model = find_hand_model(row.hand_model, row.hand_model_digest)
                off = apart(model, record.shape, subject.shape.shape)
                if off > NOTABLE:
                    found = Renewal(row.id, row.state, round(1000 * off, 2))
                    (accepted if row.state == ACCEPTED else offered).append(found)
            return offered, accepted

    def renew(self, hand_id: str) -> int:
        """See `Subjects.renew`."""
        with self._context.database.reading() as connection:
            row, record, _ = reading.stored(connection, self._context.folder, hand_id)
            subject = standing.owner(connection, row.photo)
            mesh = without_subject(connection, row, record)
        if self._instants.one_mesh(hand_id) is not None:
            raise InputError(f"hand {hand_id} is one mesh in several photos, whose views say its shape")
        if row.state in (ACCEPTED, REJECTED):
            raise InputError(f"hand {hand_id} is {row.state}: it is left as it is")
        if subject is None or subject.shape is None:
            raise InputError(f"nothing is known of whose hand {hand_id} is: `annotator subject` says it")
        model = find_hand_model(row.hand_model, row.hand_model_digest)
        held = {k: (float(x), float(y)) for k, (x, y) in enumerate(mesh_of(record, model).keypoints)}
        definition = definition_of_project(self._context.folder)
        solved = solve(
            mesh, model, {}, record.joint_states, definition=definition, held=held, subject=subject.shape
        ).hand  # fmt: skip
        note = {"subject": subject.name}
        with self._context.database.writing() as connection:
            now = reading.row_of(connection, self._context.folder, hand_id)
            leased = team.refuse_if_leased(connection, hand_id, self._context.who)
            if now.version != row.version:
                raise InputError(f"hand {hand_id} was changed meanwhile: renew it again")
            with self._context.database.sensible():
                return self._write(connection, now, solved, mesh, note, leased)

    def _write(
        self, connection: Connection, row: Row, solved: HandMesh, network: HandMesh, note: dict, leased: bool
    ) -> int:
        _, record, parametric = reading.stored(connection, self._context.folder, row.id)
        if record.untouched:
            prepared = prepare(solved)
            note = note | note_without_subject(network)
            return journal.repropose(
                connection, row, prepared.record, parametric, row.source, self._context.who, note
            )  # fmt: skip
        after = edited(row, record, solved, None)
        version = journal.change(connection, row, after, journal.EDIT, self._context.who, note)
        team.after_change(connection, row.id, self._context.who, after.state, leased)
        return version
