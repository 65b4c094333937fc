"""What a `Project` offers for subjects (`Project.subjects`): who is in which photo, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, select

from annotator.correcting.subjects.estimating import estimate_subject
from annotator.correcting.subjects.measuring import checked_sizes
from annotator.correcting.subjects.subject import Subject
from annotator.errors import InputError
from annotator.hand.joint_states import UNSEEN
from annotator.project import reading, statements
from annotator.project.context import Context
from annotator.project.definitions import definition_of_project
from annotator.project.records.meshes import find_hand_model
from annotator.project.records.record import HandRecord
from annotator.project.records.states import REJECTED
from annotator.project.records.views import Renewal, StoredSubject
from annotator.project.storage.schema import photos
from annotator.project.subjects import standing
from annotator.project.subjects.renewal import with_confirmed, without_subject
from annotator.project.subjects.reshaping import Reshaping

MOST = 120  # hands that an estimate is made from, those with most labels


class Subjects:
    """The subjects of a project. Every method that changes something is one transaction; all raise InputError for
    names, photos and sizes that cannot be, and for a project that cannot be read or written."""

    def __init__(self, context: Context):
        self._context, self._reshaping = context, Reshaping(context)

    # -- reading -------------------------------------------------------------------------------------------------
    def all(self) -> list[StoredSubject]:
        """All subjects.

        Returns
        -------
        list of StoredSubject
            In the order in which they were named.
        """
        with self._context.database.reading() as connection:
            found = standing.standings(connection).values()
            return [_shown(connection, one) for one in found]

    def named(self, name: str) -> StoredSubject:
        """One subject.

        Parameters
        ----------
        name
            The person's.

        Returns
        -------
        StoredSubject
            What is known of the person's hand.

        Raises
        ------
        InputError
            There is none of this name.
        """
        with self._context.database.reading() as connection:
            return _shown(connection, standing.named(connection, name, self._context.folder))

    def of_photo(self, photo_id: int) -> StoredSubject | None:
        """The subject whose hands a photo shows.

        Parameters
        ----------
        photo_id
            The photo's.

        Returns
        -------
        StoredSubject or None
            None: nobody said.
        """
        with self._context.database.reading() as connection:
            found = standing.owner(connection, photo_id)
            return None if found is None else _shown(connection, found)

    def shape_for(self, photo_id: int) -> Subject | None:
        """The shape to solve a photo's hands with; it is estimated again before if that is due.

        Parameters
        ----------
        photo_id
            The photo's.

        Returns
        -------
        Subject or None
            None: the subject, or its shape, is not known.
        """
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
        """The photos of a subject.

        Parameters
        ----------
        name
            The person's.

        Returns
        -------
        list of int
            Their ids, ascending.

        Raises
        ------
        InputError
            There is no subject of this name.
        """
        with self._context.database.reading() as connection:
            return sorted(standing.named(connection, name, self._context.folder).photos)

    def history(self) -> list[statements.Statement]:
        """All that was said of subjects.

        Returns
        -------
        list of Statement
            Oldest first, undo and redo among it.
        """
        with self._context.database.reading() as connection:
            return statements.said(connection, standing.TOPIC)

    # -- changes -------------------------------------------------------------------------------------------------
    def assign(self, name: str, photo_ids: Iterable[int]) -> int:
        """Say whose hands photos show.

        Parameters
        ----------
        name
            The person's; empty: nobody's that is known.
        photo_ids
            The photos'.

        Returns
        -------
        int
            How many of them were not the person's before.

        Raises
        ------
        InputError
            A name that is none, or a photo that is not in the project.
        """
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
        """Say what a ruler says of a person's hand.

        Parameters
        ----------
        name
            The person's; a new one is a new subject.
        sizes
            "length" (crease of the wrist to the tip of the stretched middle finger) and "width" (across the
            knuckles, without the thumb), m; None takes a size away.

        Raises
        ------
        InputError
            A size that no hand has, or of another name.
        """
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
        """Estimate a subject's shape from its labelled hands and sizes, and put it in force.

        Parameters
        ----------
        name
            The person's.

        Returns
        -------
        Subject
            The shape (10,) and its sigma (10,).

        Raises
        ------
        InputError
            There is no such subject, or nothing to estimate it from.
        """
        with self._context.database.reading() as connection:
            subject = standing.named(connection, name, self._context.folder)
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
            standing.named(connection, name, self._context.folder)
            statements.add(connection, standing.TOPIC, standing.SHAPE, subject.name, said, self._context.who)
        return found

    def undo(self) -> str:
        """Take back what you said last of a subject: its photos or its sizes. Its shape follows.

        Returns
        -------
        str
            Which: its name, and what it was.

        Raises
        ------
        InputError
            You said nothing that is in force.
        """
        with self._context.database.writing(stored_only=True) as connection:
            return _in_words(statements.undo(connection, standing.TOPIC, self._context.who, standing.BY_PEOPLE))

    def redo(self) -> str:
        """Say again what you took back last.

        Returns
        -------
        str
            As `undo`.

        Raises
        ------
        InputError
            You took nothing back.
        """
        with self._context.database.writing(stored_only=True) as connection:
            return _in_words(statements.redo(connection, standing.TOPIC, self._context.who, standing.BY_PEOPLE))

    # -- hands of another shape ------------------------------------------------------------------------------------
    def renewals(self, name: str) -> tuple[list[Renewal], list[Renewal]]:
        """Hands of a subject whose mesh has another shape.

        Parameters
        ----------
        name
            The person's.

        Returns
        -------
        tuple of two lists of Renewal
            Those that a renewed mesh is offered to; accepted ones, which are left alone.

        Raises
        ------
        InputError
            There is no such subject.
        """
        return self._reshaping.of(name)

    def renew(self, hand_id: str) -> int:
        """Give a hand the mesh that its labels and its subject's shape make likeliest.

        The hand's labels and joint states stay. It is an edit of yours, undone like any other; a hand that nobody has
        touched stays a proposal, and what the network said of it is kept.

        Parameters
        ----------
        hand_id
            The hand's.

        Returns
        -------
        int
            Its new version.

        Raises
        ------
        InputError
            An accepted or rejected hand, one in another person's work, or a photo without a subject or an estimate.
        """
        return self._reshaping.renew(hand_id)

    # -- inside ----------------------------------------------------------------------------------------------------
    def _record(self, connection: Connection, hand_id: str) -> HandRecord:
        return reading.stored(connection, self._context.folder, hand_id)[1]


def _shown(connection: Connection, one: standing.Standing) -> StoredSubject:
    count, labels = standing.counted(connection, one.photos)
    return StoredSubject(
        one.name, len(one.photos), count, labels, dict(one.sizes), one.shape, one.estimated_at, one.is_due(labels)
    )  # fmt: skip


def _labelled(connection: Connection, of_photos: set[int]) -> list:
    """Those with labels that are not rejected, most labels first."""
    rows = [row for row in standing.hands_in(connection, of_photos) if row.corrections and row.state != REJECTED]
    return sorted(rows, key=lambda row: (-row.corrections, row.number))


def _model_of(rows: list) -> tuple[str, str]:
    """Name and digest of the hand model that most of the hands are of."""
    names = [(row.hand_model, row.hand_model_digest) for row in rows]
    return max(dict.fromkeys(names), key=names.count)


def _in_words(one: statements.Statement) -> str:
    return f"{one.name or 'nobody'}: {one.kind}"
