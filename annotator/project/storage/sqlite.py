"""A project's database in one file: SQLite in WAL mode, opened for many processes of one machine."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Connection, QueuePool, create_engine, event

from annotator.errors import InputError
from annotator.project.storage import migrations, schema
from annotator.project.storage.database import PATIENCE, Database, fill, version_of

FILE = "project.db"
LONGEST = 64_000_000  # bytes of one value or row; the largest record has 1 MB
_TRIGGERS = {f"{table}_no_{verb}" for table in ("journal", "events", "reviews") for verb in ("update", "delete")}


class SqliteDatabase(Database):
    """One file. In a folder that cannot be written it is opened for reading alone."""

    def __init__(self, path: Path, patience: float = PATIENCE):
        self.path = path
        if path.is_file() and not _allowed(path.parent, os.W_OK) and not _beside(path, "-wal").exists():
            # WAL needs files beside the database; where none can be made nobody writes, either
            address = f"file:{quote(str(path))}?mode=ro&immutable=1"
            engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(address, uri=True), poolclass=QueuePool)
            event.listen(engine, "connect", _be_careful)
        else:
            # The URL is built by parts, so that no character of a folder's name has a meaning in it.
            url = URL.create("sqlite", database=str(path))
            engine = create_engine(url, connect_args={"timeout": patience})
            event.listen(engine, "connect", _be_careful)
            event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        super().__init__(str(path), engine)

    def _reading(self):
        return self.engine.begin()

    def _writing(self):
        return self.engine.execution_options(writes=True).begin()


def create_sqlite(path: Path, values: dict[str, str]) -> SqliteDatabase:
    """Make the file with its tables and `meta` values. InputError if there is one, or none can be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {path.parent}: {error.strerror}") from error
    return fill(SqliteDatabase(path), values, str(path.parent))


def open_sqlite(path: Path) -> SqliteDatabase:
    """Open a project's file, brought to this program's schema if it is older (a copy is kept beside it).

    InputError: missing, not one, damaged, locked, or of a later version.
    """
    if not path.is_file():
        raise InputError(f"no project in {path.parent} (there is no {path.name})")
    if not _allowed(path, os.R_OK):
        raise InputError(f"{path} cannot be read: no permission")
    database = SqliteDatabase(path)
    try:
        old = version_of(database) < schema.VERSION
        _refuse_foreign(database)
        if old:
            migrations.migrate(database, path)
    except BaseException:
        database.close()
        raise
    return database


def is_blank(path: Path) -> bool:
    """Whether it is a database without a single table: tables are made in one step, so a killed one left none."""
    database = SqliteDatabase(path)
    try:
        with database.reading() as connection:
            return connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar() == 0
    finally:
        database.close()


def _refuse_foreign(database: SqliteDatabase) -> None:
    """Triggers and views run when a table is used: a file from elsewhere may bring none of its own."""
    with database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type IN ('trigger', 'view')")
        foreign = [name for (name,) in rows if name not in _TRIGGERS]
    if foreign:
        raise InputError(f"{database.name} holds {foreign[0]!r}, which this program does not make: it is not used")


def _allowed(path: Path, how: int) -> bool:
    """os.access for the user that the process acts as, where the system can say."""
    return os.access(path, how, effective_ids=os.access in os.supports_effective_ids)


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _be_careful(raw: sqlite3.Connection, _record) -> None:
    raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
    raw.isolation_level = None  # transactions are begun by `_begin`, not guessed by the driver
    cursor = raw.cursor()
    try:
        # a file from elsewhere may carry triggers and views of its own: they get no functions with effects
        cursor.execute("PRAGMA trusted_schema = OFF")
        cursor.execute("PRAGMA cell_size_check = ON")
        cursor.execute("PRAGMA foreign_keys = ON")
    finally:
        cursor.close()


def _prepare(raw: sqlite3.Connection, _record) -> None:
    cursor = raw.cursor()
    try:
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")  # what was acknowledged survives a power cut, too
    finally:
        cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
