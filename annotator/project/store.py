"""The project: photos, the hands proposed in them, and everything people did to these since.

Every method that changes something is one transaction, and it is on disk when the method returns.
"""

from __future__ import annotations

import getpass
import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sqlalchemy import select

from annotator import __version__
from annotator.errors import InputError
from annotator.hand.mesh import HandMesh
from annotator.project import intake, journal, own_steps, places, reading, team
from annotator.project.changes import edited, with_state
from annotator.project.database import Database
from annotator.project.journal import EDIT, STATE, Event
from annotator.project.kept import Kept
from annotator.project.labels import Labels
from annotator.project.listing import Listing
from annotator.project.renewing import Renewing
from annotator.project.schema import looked_at, photos
from annotator.project.shared import Shared
from annotator.project.states import check_hand_state
from annotator.project.views import HandEntry, Provenance, StoredHand, StoredPhoto


class Project(Shared, Kept, Renewing, Listing, Labels):
    """A project, from `create`, `open` or `open_or_create`. Close it, or use it in `with`.

    Its place is a folder with a project.db, or a folder whose project.toml names a PostgreSQL database, or
    that database's URL (`postgresql+psycopg://USER@HOST/NAME`).
    who: the name written beside every change (default: the system's user name).
    Several processes may work on one project at the same time. All methods raise InputError, with one clear
    line, for a damaged, locked or read-only project, and for ids, states and joints that do not exist.
    """

    def __init__(self, folder: Path, database: Database, who: str | None = None):
        self.folder = folder
        self.who = who or _user()
        self._database = database

    @classmethod
    def create(cls, place: str | Path, who: str | None = None, database: str | None = None) -> Project:
        """A new project; the folder is made if it is missing. InputError if there is a project already.

        database: the URL of a PostgreSQL database for its hands and journal; the folder remembers it.
        """
        at = places.locate(place, database)
        values = {"project": uuid.uuid4().hex, "created": journal.now(), "code_version": __version__}
        made = places.make(at, values)
        places.remember(at)
        return cls(at.folder, made, who)

    @classmethod
    def open(cls, place: str | Path, who: str | None = None) -> Project:
        """An existing project, by its folder, its URL, its project.db or a snapshot of that."""
        at = places.locate(place)
        return cls(at.folder, places.connect(at), who)

    @classmethod
    def open_or_create(
        cls, place: str | Path, who: str | None = None, database: str | None = None
    ) -> Project:
        """The project in this place, made if there is none; a folder joins the project of `database`."""
        at = places.locate(place, database)
        if not at.exists:
            return cls.create(place, who, database)
        try:
            opened = cls(at.folder, places.connect(at), who)
        except InputError as error:
            if "is not a project database" not in str(error) or not at.begun:
                raise
            return cls.create(place, who, database)
        places.remember(at)
        return opened

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Project:
        return self

    def __exit__(self, *_exception) -> None:
        self.close()

    # -- photos and proposals ------------------------------------------------------------------------------
    def add_photo(
        self, path: str | Path, size: tuple[int, int] | None = None, copy: bool = False
    ) -> int:
        """Add a photo; its id. The same content (SHA-256) is the same photo, wherever it lies.

        size: (height, width) if the caller has read the photo; else it is read here. copy: keep a copy in the
        project's folder instead of a reference to the file. InputError if it is no photo.
        """
        return self.add_photos([path], [size] if size else None, copy)[0]

    def add_photos(
        self,
        paths: Iterable[str | Path],
        sizes: Iterable[tuple[int, int]] | None = None,
        copy: bool = False,
    ) -> list[int]:
        """`add_photo` for many, in one transaction: all or, if one cannot be read, none."""
        known = intake.read_headers(paths, sizes)
        if copy:
            known = [intake.copied_in(header, self.folder) for header in known]
        with self._database.writing() as connection:
            return [intake.add_photo(connection, self.folder, header) for header in known]

    def has_photo(self, sha256: str, model_digest: str | None = None) -> bool:
        """Whether a photo of this content is here and, with a digest, whether that model has looked at it."""
        statement = select(photos.c.id).where(photos.c.sha256 == sha256)
        if model_digest is not None:
            statement = statement.join(looked_at).where(looked_at.c.model_digest == model_digest)
        with self._database.reading() as connection:
            return connection.execute(statement).first() is not None

    def photo(self, photo_id: int) -> StoredPhoto:
        """The photo of this id; its path is where the file is now, as far as that is known."""
        with self._database.reading() as connection:
            return reading.photo_of(connection, self.folder, photo_id)

    def photos(self) -> list[StoredPhoto]:
        """All photos, in the order they came."""
        with self._database.reading() as connection:
            rows = connection.execute(select(photos).order_by(photos.c.id)).all()
            return [reading.stored_photo(self.folder, row) for row in rows]

    def add_proposals(self, photo_id: int, meshes: Iterable[HandMesh], provenance: Provenance) -> list[str]:
        """Store what a model proposed on a photo (also if that is no hand at all); the new hands' ids, in
        order.

        From then on `has_photo(hash, provenance.model_digest)` is true. InputError if a mesh's parameters do
        not give its vertices, or its hand model is not known.
        """
        prepared = [intake.prepare(mesh) for mesh in meshes]
        with self._database.writing() as connection:
            photo = reading.photo_of(connection, self.folder, photo_id)
            source = intake.add_source(connection, provenance)
            intake.mark_looked_at(connection, photo_id, provenance.model_digest)
            return [intake.add_hand(connection, photo, source, hand, self.who) for hand in prepared]

    def add_proposal(self, photo_id: int, mesh: HandMesh, provenance: Provenance) -> str:
        """`add_proposals` for one hand."""
        return self.add_proposals(photo_id, [mesh], provenance)[0]

    def hashes_looked_at(self, model_digest: str) -> list[str]:
        """SHA-256 of every photo that this model has looked at."""
        statement = select(photos.c.sha256).join(looked_at).where(looked_at.c.model_digest == model_digest)
        with self._database.reading() as connection:
            return list(connection.scalars(statement))

    def add_looks(
        self, looks: Iterable[tuple[intake.Header, Sequence[intake.Prepared]]], provenance: Provenance
    ) -> list[list[str] | None]:
        """What a model proposed on many photos, in one transaction: the new hands' ids, photo by photo.

        None for a photo that this model has looked at already, also earlier in `looks`: nothing is stored twice,
        whoever else was at work meanwhile.
        """
        added: list[list[str] | None] = []
        with self._database.writing() as connection:
            source = intake.add_source(connection, provenance)
            for header, prepared in looks:
                photo_id = intake.add_photo(connection, self.folder, header)
                if intake.was_looked_at(connection, photo_id, provenance.model_digest):
                    added.append(None)
                    continue
                intake.mark_looked_at(connection, photo_id, provenance.model_digest)
                photo = reading.photo_of(connection, self.folder, photo_id)
                added.append([intake.add_hand(connection, photo, source, hand, self.who) for hand in prepared])
        return added

    # -- reading -------------------------------------------------------------------------------------------
    def hand(self, hand_id: str) -> StoredHand:
        """All of one hand, as it stands now."""
        with self._database.reading() as connection:
            return reading.stored_hand(connection, self.folder, hand_id)

    def mesh(self, hand_id: str) -> HandMesh:
        """The hand's mesh, rebuilt from its parameters. It has no cached features: to refine it, propose its
        box again.
        """
        with self._database.reading() as connection:
            return reading.mesh(connection, self.folder, hand_id)

    def hands(
        self,
        state: str | Iterable[str] | None = None,
        photo: int | None = None,
        after: int = 0,
        limit: int | None = None,
        copies: bool = True,
    ) -> list[HandEntry]:
        """The list of hands, oldest first: of one state or several, of one photo, numbered above `after`,
        `limit` many; copies: also people's copies of gold hands, which are no labels. `each_hand` is for long ones.
        """
        with self._database.reading() as connection:
            return reading.entries(connection, state, photo, after, limit, copies)

    def status(self) -> dict:
        """{"project", "photos", "looked_at", "states": {state: count}, "events"}: counts, without going
        through the hands.
        """
        with self._database.reading() as connection:
            return {"project": str(self.folder), **reading.counts(connection)}

    def history(self, hand_id: str) -> list[Event]:
        """The hand's journal, oldest first."""
        with self._database.reading() as connection:
            reading.row_of(connection, self.folder, hand_id)
            return journal.history(connection, hand_id)

    # -- changes -------------------------------------------------------------------------------------------
    def edit(
        self,
        hand_id: str,
        mesh: HandMesh | None = None,
        joint_states: Mapping[str | int, str] | Iterable[str] | None = None,
        version: int | None = None,
        note: Mapping | None = None,
    ) -> int:
        """Put a corrected mesh, other joint states, or both in force; the hand is then in work. Its new
        version.

        joint_states: {joint: state}, or all 21. Joints whose correction is new become 'corrected' by
        themselves. version: the one the edit was made on; InputError if the hand has changed since. note:
        JSON, kept in the journal.
        """
        return self._change(
            hand_id, EDIT, version, note, lambda row, record: edited(row, record, mesh, joint_states)
        )

    def set_state(
        self, hand_id: str, state: str, version: int | None = None, note: Mapping | None = None
    ) -> int:
        """Give the hand one of states.HAND_STATES; its new version."""
        check_hand_state(state)
        return self._change(hand_id, STATE, version, note, lambda _row, record: with_state(record, state))

    def undo(self, hand_id: str | None = None) -> str:
        """Take back the change of a hand that is in force, whoever made it (None: your own last change, never
        another person's); the hand's id.

        InputError, and nothing changed: there is none, or somebody else has changed your last hand since.
        """
        return self._back_or_forth(hand_id, own_steps.last_changed, journal.undo)

    def redo(self, hand_id: str | None = None) -> str:
        """Put what was undone last (None: by you) in force again; the hand's id. InputError if there is nothing."""
        return self._back_or_forth(hand_id, own_steps.last_undone, journal.redo)

    def _change(self, hand_id, kind, version, note, make) -> int:
        with self._database.writing() as connection:
            with self._database.sensible():
                row, record, _ = reading.stored(connection, self.folder, hand_id)
            leased = team.refuse_if_leased(connection, hand_id, self.who)
            if version is not None and version != row.version:
                raise InputError(
                    f"hand {hand_id} was changed meanwhile (version {row.version}, yours {version}): "
                    "load it again"
                )
            after = make(row, record)
            with self._database.sensible():
                version = journal.change(connection, row, after, kind, self.who, note or {})
            team.after_change(connection, hand_id, self.who, after.state, leased)
            return version

    def _back_or_forth(self, hand_id, find_own, move) -> str:
        with self._database.writing(stored_only=True) as connection:
            if hand_id is None:
                hand_id = find_own(connection, self.who, self.folder)
            row = reading.row_of(connection, self.folder, hand_id)
            team.refuse_if_leased(connection, hand_id, self.who)
            move(connection, row, self.who)
            return hand_id


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user id without a name, as in a container
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"
