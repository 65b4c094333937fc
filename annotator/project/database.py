"""A project's database file: opened for many writers, with transactions, and errors a person can act on."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.exc import DBAPIError

from annotator.errors import InputError
from annotator.project import schema

FILE = "project.db"
PATIENCE = 10.0  # seconds another writer is waited for

# What SQLite says, and what it means to the person in front of it.
_MEANINGS = (
    ("locked", "is locked by another process: close it or try again"),
    ("readonly", "cannot be written: the file or its folder is read-only"),
    ("read-only", "cannot be written: the file or its folder is read-only"),
    ("unable to open", "cannot be opened: is the folder readable and writable?"),
    ("not a database", "is not a project database, or it is damaged"),
    ("malformed", "is damaged: restore a copy"),
    ("no such table", "is not a project database, or it is damaged"),
    ("no such column", "is not a project database, or it is damaged"),
    ("full", "could not be written: the disk is full; nothing of this step was stored"),
    ("disk i/o", "could not be read or written: the disk reports an error"),
    ("journal can only be added to", "keeps its journal: events are never changed or deleted"),
)


class Database:
    """One project.db. `reading()` and `writing()` give a connection inside a transaction.

    SQLite in WAL mode: readers never wait; a writer waits up to PATIENCE seconds for another one. A write
    transaction begins by taking the write lock, so what it reads cannot change before it writes.
    """

    def __init__(self, path: Path, patience: float = PATIENCE):
        self.path = path
        # The URL is built by parts, so that no character of a folder's name has a meaning in it.
        url = URL.create("sqlite", database=str(path))
        self.engine: Engine = create_engine(url, connect_args={"timeout": patience})
        event.listen(self.engine, "connect", _prepare)
        event.listen(self.engine, "begin", _begin)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view; InputError if the file cannot be read."""
        with self._clear_errors(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """All or nothing: committed (and on disk) when the block ends, undone if it raises."""
        with self._clear_errors(), self.engine.connect().execution_options(writes=True) as connection:
            with connection.begin():
                yield connection

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:  # the second: while a connection is being prepared
            original = getattr(error, "orig", error)
            said = str(original).lower()
            for sign, meaning in _MEANINGS:
                if sign in said:
                    raise InputError(f"{self.path} {meaning}") from error
            raise InputError(f"{self.path}: {original}") from error


def create_database(path: Path, values: dict[str, str]) -> Database:
    """Make the file with its tables and `meta` values. InputError if there is one, or none can be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {path.parent}: {error.strerror}") from error
    database = Database(path)
    try:
        with database.writing() as connection:
            if inspect(connection).has_table(schema.meta.name):
                raise InputError(f"{path.parent} holds a project already")
            schema.create(connection)
            rows = {"schema": str(schema.VERSION), **values}
            connection.execute(insert(schema.meta), [{"key": key, "value": rows[key]} for key in rows])
    except BaseException:
        database.close()
        raise
    return database


def open_database(path: Path) -> Database:
    """Open a project's database. InputError: missing, not one, damaged, locked, or of another version."""
    if not path.is_file():
        raise InputError(f"no project in {path.parent} (there is no {path.name})")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path} cannot be read: no permission")
    database = Database(path)
    try:
        with database.reading() as connection:
            if not inspect(connection).has_table(schema.meta.name):
                raise InputError(f"{path} is not a project database")
            version = connection.scalar(select(schema.meta.c.value).where(schema.meta.c.key == "schema"))
    except BaseException:
        database.close()
        raise
    if version != str(schema.VERSION):
        database.close()
        raise InputError(
            f"{path} has schema version {version}, this program knows {schema.VERSION}: "
            "open it with the version of hand-mesh-annotator that wrote it"
        )
    return database


def _prepare(raw: sqlite3.Connection, _record) -> None:
    raw.isolation_level = None  # transactions are begun by `_begin`, not guessed by the driver
    cursor = raw.cursor()
    try:
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")  # what was acknowledged survives a power cut, too
    finally:
        cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
