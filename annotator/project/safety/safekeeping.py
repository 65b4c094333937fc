"""What a `Project` offers to keep it safe: checks, snapshots, photos that moved, what was done
last, where a label came from."""

from __future__ import annotations

from pathlib import Path

from annotator.errors import InputError
from annotator.files.given import expanded
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
        """See `Project.verify`."""
        with self._context.database.reading() as connection:
            wrong = list(checking.verify(connection))
            return wrong + (list(checking.verify_photos(connection, self._context.folder)) if photos else [])

    def check_hand(self, hand_id: str) -> None:
        """See `Project.check_hand`."""
        with self._context.database.reading() as connection:
            try:
                checking.check_hand(connection, hand_id)
            except InputError as error:
                raise self._context.database.damaged(f"is damaged: {error}") from error

    def check_file(self) -> None:
        """See `Project.check_file`."""
        with self._context.database.reading() as connection:
            wrong = checking.file_damage(connection)
        if wrong:
            raise self._context.database.damaged(f"is damaged: {wrong}")

    def snapshot(self, path: str | Path | None = None) -> Path:
        """See `Project.snapshot`."""
        target = snapshots.default_path(self._context.folder) if path is None else expanded(path).absolute()
        return snapshots.take(self._context.database, target)

    def origin(self, hand_id: str) -> Origin:
        """See `Project.origin`."""
        with self._context.database.reading() as connection:
            return reading.origin(connection, reading.row_of(connection, self._context.folder, hand_id))

    def recent(self, limit: int = 200) -> list[Event]:
        """See `Project.recent`."""
        with self._context.database.reading() as connection:
            return journal.recent(connection, limit)

    def find_photos(self, folder: str | Path) -> dict[str, Path]:
        """See `Project.find_photos`."""
        return finding.find(self._context.database, self._context.folder, expanded(folder).absolute())

    def copy_photos(self) -> list[Path]:
        """See `Project.copy_photos`."""
        return finding.copy_all(self._context.database, self._context.folder)
