"""How photos and what models propose in them come into a `Project`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, select

from annotator.hand.mesh import HandMesh
from annotator.project import journal, reading
from annotator.project.context import Context
from annotator.project.entering import bulk, intake
from annotator.project.journal import STATE
from annotator.project.photo_files import pictures
from annotator.project.records.changes import with_state
from annotator.project.records.states import PROPOSED, REJECTED
from annotator.project.records.views import Provenance, StoredPhoto
from annotator.project.storage.schema import looked_at, photos
from annotator.project.subjects.renewal import note_without_subject


class Proposing:
    """A service of `Project`: photos and proposals."""

    def __init__(self, context: Context):
        self._context = context

    def add_photo(self, path: str | Path, size: tuple[int, int] | None = None, copy: bool = False) -> int:
        """Add a photo. The same content (SHA-256) is the same photo, wherever it lies.

        Parameters
        ----------
        path
            An image file, or a frame of a video by its place (`clip.mp4#frame=120`).
        size
            (height, width) px, if the caller has read the photo; None: it is read here.
        copy
            Keep a copy in the project's folder instead of a reference to the file.

        Returns
        -------
        int
            Its id.

        Raises
        ------
        InputError
            It is no photo.
        """
        return self.add_photos([path], [size] if size else None, copy)[0]

    def add_photos(
        self,
        paths: Iterable[str | Path],
        sizes: Iterable[tuple[int, int]] | None = None,
        copy: bool = False,
    ) -> list[int]:
        """`add_photo` for many, in one transaction: all or, if one cannot be read, none.

        Parameters
        ----------
        paths
            As for `add_photo`.
        sizes
            For each of them, as for `add_photo`; None: they are read here.
        copy
            As for `add_photo`.

        Returns
        -------
        list of int
            Their ids, in order.

        Raises
        ------
        InputError
            One is no photo.
        """
        known = intake.read_headers(paths, sizes)
        if copy:
            known = [intake.copied_in(header, self._context.folder) for header in known]
        with self._context.database.writing() as connection:
            return [intake.add_photo(connection, self._context.folder, header) for header in known]

    def has_photo(self, sha256: str, model_digest: str | None = None) -> bool:
        """Whether a photo of this content is here.

        Parameters
        ----------
        sha256
            See `vision.photos.photo_hash`.
        model_digest
            Whether this model has looked at it, too; None: whether it is here.

        Returns
        -------
        bool
        """
        statement = select(photos.c.id).where(photos.c.sha256 == sha256)
        if model_digest is not None:
            statement = statement.join(looked_at).where(looked_at.c.model_digest == model_digest)
        with self._context.database.reading() as connection:
            return connection.execute(statement).first() is not None

    def photo(self, photo_id: int) -> StoredPhoto:
        """A photo by its id.

        Parameters
        ----------
        photo_id
            Its id.

        Returns
        -------
        StoredPhoto
            Its path is where the file is now, as far as that is known.

        Raises
        ------
        InputError
            No such photo.
        """
        with self._context.database.reading() as connection:
            return reading.photo_of(connection, self._context.folder, photo_id)

    def photos(self) -> list[StoredPhoto]:
        """All photos.

        Returns
        -------
        list of StoredPhoto
            In the order they came.
        """
        with self._context.database.reading() as connection:
            rows = connection.execute(select(photos).order_by(photos.c.id)).all()
            shown = pictures.pictures_of(connection)
            return [reading.stored_photo(self._context.folder, row, shown.get(row.sha256, "")) for row in rows]

    def add_proposals(
        self,
        photo_id: int,
        meshes: Iterable[HandMesh],
        provenance: Provenance,
        without_subject: Iterable[HandMesh] | None = None,
    ) -> list[str]:
        """Store what a model proposed on a photo, also if that is no hand at all.

        From then on `has_photo(hash, provenance.model_digest)` is true.

        Parameters
        ----------
        photo_id
            The photo's id.
        meshes
            The hands.
        provenance
            Whose proposals they are.
        without_subject
            The same hands as the model had them before their subject's shape was given to them; kept beside them.

        Returns
        -------
        list of str
            The new hands' ids, in order.

        Raises
        ------
        InputError
            A mesh's parameters do not give its vertices, its hand model is not known, or there is no such photo.
        """
        prepared = [intake.prepare(mesh) for mesh in meshes]
        notes = None if without_subject is None else [note_without_subject(mesh) for mesh in without_subject]
        with self._context.database.writing() as connection:
            found = self._add(connection, photo_id, prepared, provenance, notes)
            intake.mark_looked_at(connection, photo_id, provenance.model_digest)
            return found

    def add_proposal(self, photo_id: int, mesh: HandMesh, provenance: Provenance) -> str:
        """`add_proposals` for one hand.

        Parameters
        ----------
        photo_id, mesh, provenance
            As for `add_proposals`.

        Returns
        -------
        str
            The new hand's id.

        Raises
        ------
        InputError
            As for `add_proposals`.
        """
        return self.add_proposals(photo_id, [mesh], provenance)[0]

    def add_drawn(self, photo_id: int, mesh: HandMesh, provenance: Provenance, note: Mapping | None = None) -> str:
        """A hand that a person saw and the model had missed.

        A step of that person's: undo makes it rejected, like one that was deleted. The model has not looked at the
        photo by that (`has_photo`): it saw a box.

        Parameters
        ----------
        photo_id, mesh, provenance
            As for `add_proposals`.
        note
            JSON, kept in the journal.

        Returns
        -------
        str
            The new hand's id.

        Raises
        ------
        InputError
            As for `add_proposals`.
        """
        prepared = intake.prepare(mesh)
        prepared = replace(prepared, record=with_state(prepared.record, REJECTED))
        with self._context.database.writing() as connection:
            (hand_id,) = self._add(connection, photo_id, [prepared], provenance)
            row, record, _ = reading.stored(connection, self._context.folder, hand_id)
            journal.change(connection, row, with_state(record, PROPOSED), STATE, self._context.who, note or {})
            return hand_id

    def _add(
        self,
        connection: Connection,
        photo_id: int,
        hands: Sequence[intake.Prepared],
        provenance: Provenance,
        notes: Sequence[Mapping] | None = None,
    ) -> list[str]:
        photo = reading.photo_of(connection, self._context.folder, photo_id)
        source = intake.add_source(connection, provenance)
        with_notes = zip(hands, notes or [{}] * len(hands), strict=True)
        return [intake.add_hand(connection, photo, source, hand, self._context.who, note) for hand, note in with_notes]

    def hashes_looked_at(self, model_digest: str) -> list[str]:
        """Which photos a model has looked at.

        Parameters
        ----------
        model_digest
            The model's.

        Returns
        -------
        list of str
            SHA-256 of each.
        """
        statement = select(photos.c.sha256).join(looked_at).where(looked_at.c.model_digest == model_digest)
        with self._context.database.reading() as connection:
            return list(connection.scalars(statement))

    def add_looks(
        self, looks: Iterable[tuple[intake.Header, Sequence[intake.Prepared]]], provenance: Provenance
    ) -> list[list[str] | None]:
        """What a model proposed on many photos, in one transaction.

        Parameters
        ----------
        looks
            For each photo its header and the prepared hands; see `entering.intake`.
        provenance
            Whose proposals they are.

        Returns
        -------
        list
            The new hands' ids, photo by photo. None for a photo that this model has looked at already, also earlier in
            `looks`: nothing is stored twice, whoever else was at work meanwhile.

        Raises
        ------
        InputError
            As for `add_proposals`.
        """
        with self._context.database.writing() as connection:
            source = intake.add_source(connection, provenance)
            return bulk.add_looks(
                connection, self._context.folder, list(looks), source, provenance.model_digest, self._context.who
            )
