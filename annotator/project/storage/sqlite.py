"""A project's database in one file: SQLite in WAL mode, opened for many processes of one machine."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError

from annotator.errors import InputError
from annotator.files.file_errors import reading
from annotator.files.folders import scratch_folder
from annotator.project.storage import migrations, schema
from annotator.project.storage.database import PATIENCE, Database, fill, version_of

FILE = "project.db"
MAGIC = b"SQLite format 3\x00"
LONGEST = 64_000_000  # bytes of one value or row; the largest record has 1 MB
LOOKS = 0.0005, 0.004  # s from one look for the write lock to the next, at random: two never wait in step
_GROWING = ("journal", "events", "reviews", "statements")
_TRIGGERS = {f"{table}_no_{verb}" for table in _GROWING for verb in ("update", "delete")}


class SqliteDatabase(Database):
    """One file. Reading writes nothing into it, and works where nothing can be written: in a folder that is read-only,
    on a disk that is full. advice: see `Database`.
    """

    def __init__(self, path: Path, patience: float = PATIENCE, advice: Callable[[], str] = str):
        self.path = path
        self._proven = False  # whether the files that WAL needs beside the database can be made
        if path.is_file() and not _allowed(path.parent, os.W_OK) and not _beside(path, "-wal").exists():
            # where they cannot be made nobody writes, either
            engine, self._proven = _unchanging(path), True
        else:
            # The URL is built by parts, so that no character of a folder's name has a meaning in it.
            url = URL.create("sqlite", database=str(path))
            engine = create_engine(url, connect_args={"timeout": patience})
            event.listen(engine, "connect", _be_careful)
            event.listen(engine, "begin", _begin)
        super().__init__(str(path), engine, advice)

    @contextmanager
    def _reading(self):
        if self._proven or not self._refused():
            self._proven = True
            with self.engine.begin() as connection:
                yield connection
            return
        # Nobody can write just now, so what is there stays as it is while it is read.
        with _readable(self.path) as path:
            engine = _unchanging(path)
            try:
                with engine.begin() as connection:
                    yield connection
            finally:
                engine.dispose()

    def _refused(self) -> bool:
        """Whether the disk refuses what SQLite wants to put beside the file to read it."""
        try:
            with self.engine.begin() as connection:
                connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar()
        except OperationalError as error:
            name = getattr(error.orig, "sqlite_errorname", "")
            return self.path.is_file() and name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_FULL"))
        except DBAPIError:
            return False  # the same question will say so again
        return False

    @contextmanager
    def _writing(self):
        with self.engine.connect() as connection:
            if not connection.info.get("prepared"):
                _prepare(connection.connection.driver_connection)
                connection.info["prepared"] = True
        with self.engine.execution_options(writes=True).begin() as connection:
            yield connection


def _unchanging(path: Path) -> Engine:
    """An engine for a file that nobody writes: read without locks, and without any file beside it."""
    address = f"file:{quote(str(path))}?mode=ro&immutable=1"
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(address, uri=True), poolclass=QueuePool)
    event.listen(engine, "connect", _be_careful)
    event.listen(engine, "begin", _begin)
    return engine


@contextmanager
def _readable(path: Path) -> Iterator[Path]:
    """The file itself, or, if what was written last is still beside it, a copy on another disk with that in it."""
    beside = _beside(path, "-wal")
    if not beside.exists() or not beside.stat().st_size:
        yield path
        return
    with scratch_folder() as folder:
        copy = folder / path.name
        shutil.copyfile(path, copy)
        shutil.copyfile(beside, _beside(copy, "-wal"))
        raw = sqlite3.connect(copy)
        try:
            raw.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
        finally:
            raw.close()
        yield copy


def create_sqlite(path: Path, values: dict[str, str]) -> SqliteDatabase:
    """Make the file with its tables and `meta` values. InputError if there is one, or none can be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {path.parent}: {error.strerror}") from error
    return fill(SqliteDatabase(path), values, str(path.parent))


def open_sqlite(path: Path, advice: Callable[[], str] = str) -> SqliteDatabase:
    """Open a project's file, brought to this program's schema if it is older (a copy is kept beside it).

    A file that is shorter than it should be is noticed here. InputError: missing, not one, damaged, locked, or of a
    later version. advice: see `Database`.
    """
    if not path.is_file():
        raise InputError(f"no project in {path.parent} (there is no {path.name})")
    if not _allowed(path, os.R_OK):
        raise InputError(f"{path} cannot be read: no permission")
    database = SqliteDatabase(path, advice=advice)
    try:
        _refuse_short(database)
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


def _refuse_short(database: SqliteDatabase) -> None:
    """A file that was cut: its head says how many pages it has. What lies beside it may hold the rest of them."""
    beside = _beside(database.path, "-wal")
    for attempt in range(5):
        with reading(database.path, "is no file of a project"), open(database.path, "rb") as file:
            head = file.read(100)
            there = os.fstat(file.fileno()).st_size
        if len(head) < 100 or head[:16] != MAGIC:
            return  # what it is, if it is anything, comes out at the first question
        page, count = int.from_bytes(head[16:18], "big"), int.from_bytes(head[28:32], "big")
        expected = (65536 if page == 1 else page) * count
        if head[24:28] != head[92:96] or there >= expected:  # the number of pages counts only if these agree
            return
        with suppress(FileNotFoundError):
            if beside.stat().st_size:
                return
        time.sleep(0.02 * attempt)  # or somebody is writing it at this moment
    raise database.damaged(f"is damaged: it is cut, {there} bytes of {expected} are there")


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


def _prepare(raw: sqlite3.Connection) -> None:
    """Before the first write of a connection; a file that is only read stays as it is, byte by byte."""
    raw.execute("PRAGMA journal_mode = WAL")
    raw.execute("PRAGMA synchronous = FULL")  # what was acknowledged survives a power cut, too


def _begin(connection: Connection) -> None:
    if not connection.get_execution_options().get("writes", False):
        connection.exec_driver_sql("BEGIN")
        return
    raw = connection.connection.driver_connection
    assert raw is not None
    (patience,) = raw.execute("PRAGMA busy_timeout").fetchone()  # ms
    end = time.monotonic() + patience / 1000
    raw.execute("PRAGMA busy_timeout = 0")
    try:
        while not _began(raw) and time.monotonic() < end:
            time.sleep(random.uniform(*LOOKS))
        if not raw.in_transaction:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # says what everybody says who cannot write
    finally:
        raw.execute(f"PRAGMA busy_timeout = {patience}")


def _began(raw: sqlite3.Connection) -> bool:
    """Whether nobody else writes just now. SQLite itself would look ten times a second, and between the writes of one
    who writes without a pause hardly ever find the moment."""
    try:
        raw.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        return not error.sqlite_errorname.startswith("SQLITE_BUSY")
    return True
