"""The project: photos, the hands proposed in them, and everything people did to these since.

Every method that changes something is one transaction, and it is on disk when the method returns.
"""

from __future__ import annotations

import getpass
import os
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path

from annotator import __version__
from annotator.errors import InputError
from annotator.hand.mesh import HandMesh
from annotator.project import journal, own_steps, places, reading, team
from annotator.project.changes import edited, with_state
from annotator.project.database import Database
from annotator.project.journal import EDIT, STATE, Event
from annotator.project.kept import Kept
from annotator.project.labels import Labels
from annotator.project.listing import Listing
from annotator.project.pictures import Pictures
from annotator.project.proposing import Proposing
from annotator.project.renewing import Renewing
from annotator.project.shared import Shared
from annotator.project.states import check_hand_state
from annotator.project.views import HandEntry, StoredHand


class Project(Proposing, Shared, Kept, Renewing, Listing, Labels, Pictures):
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
    def open_or_create(cls, place: str | Path, who: str | None = None, database: str | None = None) -> Project:
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
        return self._change(hand_id, EDIT, version, note, lambda row, record: edited(row, record, mesh, joint_states))

    def set_state(self, hand_id: str, state: str, version: int | None = None, note: Mapping | None = None) -> int:
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
                    f"hand {hand_id} was changed meanwhile (version {row.version}, yours {version}): load it again"
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
