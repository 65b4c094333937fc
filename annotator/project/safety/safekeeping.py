"""What a `Project` offers to keep it safe: checks, snapshots, photos that moved, what was done
last, where a label came from."""

from __future__ import annotations

from pathlib import Path

from annotator.errors import InputError
from annotator.files.user_paths import expanded
from annotator.project import journal, reading
from annotator.project.context import Context
from annotator.project.journal import Event
from annotator.project.photo_files import finding
from annotator.project.records.views import Origin
from annotator.project.safety import checking
from annotator.project.storage import snapshots


class Safekeeping:
    """A service of `Project`: its own safety."""

    def __init__(self, context: Context):
        self._context = context

    def verify(self, photos: bool = False) -> list[str]:
        """Check every event's sums, replay every hand's journal and compare.

        Parameters
        ----------
        photos
            Read every photo, too, and compare its hash.

        Returns
        -------
        list of str
            What is wrong, one line each; [] if all is well.
        """
        with self._context.database.reading() as connection:
            wrong = list(checking.verify(connection))
            return wrong + (list(checking.verify_photos(connection, self._context.folder)) if photos else [])

    def check_hand(self, hand_id: str) -> None:
        """One hand's events, sums, chain and stored state, before anything is built on them.

        Parameters
        ----------
        hand_id
            The hand's id.

        Raises
        ------
        InputError
            They are damaged.
        """
        with self._context.database.reading() as connection:
            try:
                checking.check_hand(connection, hand_id)
            except InputError as error:
                raise self._context.database.damaged(f"is damaged: {error}") from error

    def check_file(self) -> None:
        """The pages of the project's file: a second for 300 MB.

        Raises
        ------
        InputError
            They are damaged.
        """
        with self._context.database.reading() as connection:
            wrong = checking.file_damage(connection)
        if wrong:
            raise self._context.database.damaged(f"is damaged: {wrong}")

    def snapshot(self, path: str | Path | None = None) -> Path:
        """Write all hands and the whole journal, as they are at this moment, into one SQLite file.

        Others may go on working meanwhile. A snapshot opens like a project (`Project.open(path)`), on PostgreSQL, too;
        in a folder of its own, named project.db, it is one. The file is whole or not there, and checked as `verify`
        does before it is.

        Parameters
        ----------
        path
            Where; None: FOLDER/snapshots/TIME.db.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        InputError
            There is one, it cannot be written, or the project is damaged.
        """
        target = snapshots.default_path(self._context.folder) if path is None else expanded(path).absolute()
        return snapshots.take(self._context.database, target)

    def origin(self, hand_id: str) -> Origin:
        """Who and what made the hand what it is.

        Parameters
        ----------
        hand_id
            The hand's id.

        Returns
        -------
        Origin
            Proposer, people, time, reviews.

        Raises
        ------
        InputError
            No such hand.
        """
        with self._context.database.reading() as connection:
            return reading.origin(connection, reading.row_of(connection, self._context.folder, hand_id))

    def recent(self, limit: int = 200) -> list[Event]:
        """The newest events of the journal, of all hands.

        Parameters
        ----------
        limit
            So many at most.

        Returns
        -------
        list of Event
            Newest first.
        """
        with self._context.database.reading() as connection:
            return journal.recent(connection, limit)

    def find_photos(self, folder: str | Path) -> dict[str, Path]:
        """Look for photos that are not where they were, by their content, or by what they show where that is not found.

        What is found is remembered.

        Parameters
        ----------
        folder
            Where, and below it.

        Returns
        -------
        dict
            {old path: new}.
        """
        return finding.find(self._context.database, self._context.folder, expanded(folder).absolute())

    def copy_photos(self) -> list[Path]:
        """Copy every photo that is outside into FOLDER/photos, named by its content.

        Returns
        -------
        list of pathlib.Path
            The new copies.

        Raises
        ------
        InputError
            Naming the photo that is gone or changed; those before it are copied by then.
        """
        return finding.copy_all(self._context.database, self._context.folder)
