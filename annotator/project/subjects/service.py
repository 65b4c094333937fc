"""What a `Project` offers for subjects (`Project.subjects`): who is in which photo, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, Row, select

from annotator.correcting.solver.solver import solve
from annotator.correcting.subjects.estimating import estimate_subject
from annotator.correcting.subjects.measuring import apart, checked_sizes
from annotator.correcting.subjects.subject import Subject
from annotator.errors import InputError
from annotator.hand.depth_labels import DepthLabels
from annotator.hand.joint_states import UNSEEN
from annotator.hand.mesh import HandMesh
from annotator.project import journal, reading, statements
from annotator.project.context import Context
from annotator.project.definitions import definition_of_project
from annotator.project.entering.intake import prepare
from annotator.project.instants import Instants
from annotator.project.records.changes import edited
from annotator.project.records.meshes import find_hand_model, mesh_of
from annotator.project.records.record import HandRecord
from annotator.project.records.states import ACCEPTED, PROPOSED, REJECTED
from annotator.project.records.views import Renewal, StoredSubject
from annotator.project.storage.schema import hands, photos, trials
from annotator.project.subjects import standing
from annotator.project.subjects.renewal import note_without_subject, with_confirmed, without_subject
from annotator.project.teamwork import team

MOST = 120  # hands that an estimate is made from, those with most labels
NOTABLE = 0.0005  # m: a mesh whose shape is farther off than this is offered a renewed one


class Subjects:
    """The subjects of a project. Every method that changes something is one transaction; all raise InputError for
    names, photos and sizes that cannot be, and for a project that cannot be read or written."""

    def __init__(self, context: Context):
        self._context, self._instants = context, Instants(context)

    # -- reading -------------------------------------------------------------------------------------------------
    def all(self) -> list[StoredSubject]:
        """All subjects, in the order in which they were named."""
        with self._context.database.reading() as connection:
            found = standing.standings(connection).values()
            return [_shown(connection, one) for one in found]

    def named(self, name: str) -> StoredSubject:
        """The subject of this name. InputError: there is none."""
        with self._context.database.reading() as connection:
            return _shown(connection, self._standing(connection, name))

    def of_photo(self, photo_id: int) -> StoredSubject | None:
        """The subject whose hands a photo shows, or None where nobody said."""
        with self._context.database.reading() as connection:
            found = standing.owner(connection, photo_id)
            return None if found is None else _shown(connection, found)

    def shape_for(self, photo_id: int) -> Subject | None:
        """The shape to solve hands of this photo with, estimated again before if that is due; None: unknown."""
        found = self.of_photo(photo_id)
        if found is None:
            return None
        if not found.due:
            return found.shape
        try:
            return self.estimate(found.name)
        except InputError:  # the project is only read, or others are writing: what is known serves
            return found.shape

    def photos(self, name: str) -> list[int]:
        """Ids of the subject's photos, ascending."""
        with self._context.database.reading() as connection:
            return sorted(self._standing(connection, name).photos)

    def history(self) -> list[statements.Statement]:
        """All that was said of subjects, oldest first, undo and redo among it."""
        with self._context.database.reading() as connection:
            return statements.said(connection, standing.TOPIC)

    # -- changes -------------------------------------------------------------------------------------------------
    def assign(self, name: str, photo_ids: Iterable[int]) -> int:
        """Photos show this person's hands (an empty name: nobody's that is known); how many were not hers before."""
        name = standing.checked_name(name) if name else ""
        wanted = {int(photo) for photo in photo_ids}
        with self._context.database.writing() as connection:
            there = set(connection.scalars(select(photos.c.id)))
            if not wanted <= there:
                raise InputError(f"no photo {min(wanted - there)} in {self._context.folder}")
            now = standing.standings(connection)
            mine = now[name].photos if name in now else set()
            owned = set().union(*(one.photos for one in now.values())) if now else set()
            new = wanted - mine if name else wanted & owned
            if new:
                told = {"photos": sorted(new)}
                statements.add(connection, standing.TOPIC, standing.PHOTOS, name, told, self._context.who)
            return len(new)

    def measure(self, name: str, sizes: Mapping[str, float | None]) -> None:
        """What a ruler says of this person's hand, m: "length", "width"; None takes a size away."""
        name = standing.checked_name(name)
        checked = checked_sizes(sizes)
        with self._context.database.writing() as connection:
            known = standing.standings(connection).get(name)
            kept = dict(known.sizes) if known else {}
            after = {one: size for one, size in (kept | checked).items() if sizes.get(one, size) is not None}
            if after != kept:
                told = {"sizes": after}
                statements.add(connection, standing.TOPIC, standing.SIZES, name, told, self._context.who)

    def estimate(self, name: str) -> Subject:
        """Estimate the subject's shape from its labelled hands and sizes, and put it in force."""
        with self._context.database.reading() as connection:
            subject = self._standing(connection, name)
            _, labels = standing.counted(connection, subject.photos)
            rows = _labelled(connection, subject.photos)[:MOST]
            model = find_hand_model(*_model_of(rows)) if rows else find_hand_model("free")
            meshes, states = [], []
            for row in rows:
                if row.hand_model_digest == model.digest:
                    record = self._record(connection, row.id)
                    meshes.append(with_confirmed(without_subject(connection, row, record), record, model))
                    states.append({k: one for k, one in enumerate(record.joint_states) if one in UNSEEN})
        definition = definition_of_project(self._context.folder)
        found = estimate_subject(meshes, model, subject.sizes, states, definition=definition)
        said = {"shape": found.as_dict(), "labels": labels, "hands": [row.id for row in rows]}
        with self._context.database.writing() as connection:
            self._standing(connection, name)
            statements.add(connection, standing.TOPIC, standing.SHAPE, subject.name, said, self._context.who)
        return found

    def undo(self) -> str:
        """Take back what you said last of a subject; which (its name, and what it was)."""
        with self._context.database.writing(stored_only=True) as connection:
            return _in_words(statements.undo(connection, standing.TOPIC, self._context.who))

    def redo(self) -> str:
        """Say again what you took back last."""
        with self._context.database.writing(stored_only=True) as connection:
            return _in_words(statements.redo(connection, standing.TOPIC, self._context.who))

    # -- hands of another shape ------------------------------------------------------------------------------------
    def renewals(self, name: str) -> tuple[list[Renewal], list[Renewal]]:
        """Hands of the subject whose mesh has another shape: (those that a renewed mesh is offered to, accepted ones,
        which are left alone)."""
        with self._context.database.reading() as connection:
            subject = self._standing(connection, name)
            if subject.shape is None:
                return [], []
            shared = {hand for one in self._instants.one_meshes() for hand in one.hands.values()}
            offered: list[Renewal] = []
            accepted: list[Renewal] = []
            for row in _rows(connection, subject.photos):
                if row.state == REJECTED or row.hand_model_digest != subject.shape.hand_model or row.id in shared:
                    continue
                record = self._record(connection, row.id)
                model = find_hand_model(row.hand_model, row.hand_model_digest)
                off = apart(model, record.shape, subject.shape.shape)
                if off > NOTABLE:
                    found = Renewal(row.id, row.state, round(1000 * off, 2))
                    (accepted if row.state == ACCEPTED else offered).append(found)
            return offered, accepted

    def renew(self, hand_id: str) -> int:
        """Give a hand the mesh that its labels and its subject's shape make likeliest; its new version.

        The hand's labels and joint states stay. It is an edit of yours, undone like any other; a hand that nobody has
        touched stays a proposal, and what the network said of it is kept. InputError: accepted or rejected hands, hands
        in another person's work, and photos without a subject or an estimate.
        """
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

    # -- inside ----------------------------------------------------------------------------------------------------
    def _standing(self, connection: Connection, name: str) -> standing.Standing:
        plain, found = standing.checked_name(name), standing.standings(connection)
        if plain not in found:
            known = ", ".join(found) or "none yet"
            raise InputError(f"no subject {plain!r} in {self._context.folder} (there are: {known})")
        return found[plain]

    def _record(self, connection: Connection, hand_id: str) -> HandRecord:
        return reading.stored(connection, self._context.folder, hand_id)[1]

    def _write(
        self, connection: Connection, row: Row, solved: HandMesh, network: HandMesh, note: dict, leased: bool
    ) -> int:
        _, record, parametric = reading.stored(connection, self._context.folder, row.id)
        untouched = record.state == PROPOSED and set(record.joint_states) == {PROPOSED} and not record.corrections
        untouched = untouched and record.depth_labels == DepthLabels()
        if untouched:
            prepared = prepare(solved)
            note = note | note_without_subject(network)
            return journal.repropose(
                connection, row, prepared.record, parametric, row.source, self._context.who, note
            )  # fmt: skip
        after = edited(row, record, solved, None)
        version = journal.change(connection, row, after, journal.EDIT, self._context.who, note)
        team.after_change(connection, row.id, self._context.who, after.state, leased)
        return version


def _shown(connection: Connection, one: standing.Standing) -> StoredSubject:
    count, labels = standing.counted(connection, one.photos)
    return StoredSubject(
        one.name, len(one.photos), count, labels, dict(one.sizes), one.shape, one.estimated_at, one.is_due(labels)
    )  # fmt: skip


def _rows(connection: Connection, of_photos: set[int]) -> list:
    """Rows of `hands` in these photos, without copies of gold ones, in order."""
    copies = select(trials.c.hand).where(trials.c.hand == hands.c.id)
    rows = connection.execute(select(hands).where(~copies.exists()).order_by(hands.c.number))
    return [row for row in rows if row.photo in of_photos]


def _labelled(connection: Connection, of_photos: set[int]) -> list:
    """Those with labels that are not rejected, most labels first."""
    rows = [row for row in _rows(connection, of_photos) if row.corrections and row.state != REJECTED]
    return sorted(rows, key=lambda row: (-row.corrections, row.number))


def _model_of(rows: list) -> tuple[str, str]:
    """Name and digest of the hand model that most of the hands are of."""
    names = [(row.hand_model, row.hand_model_digest) for row in rows]
    return max(dict.fromkeys(names), key=names.count)


def _in_words(one: statements.Statement) -> str:
    return f"{one.name or 'nobody'}: {one.kind}"
