"""A project's database, SQLite or PostgreSQL: transactions, and errors a person can act on."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TypeVar

from sqlalchemy import Connection, Engine, insert, inspect, select
from sqlalchemy.exc import DBAPIError, NoResultFound

from annotator.errors import InputError
from annotator.project.storage import schema

PATIENCE = 30.0  # seconds another writer is waited for: SQLite does not queue, and a busy writer may win many times

# What the databases say, and what it means to the person in front of it.
_MEANINGS = (
    ("lock timeout", "is locked by another process: close it or try again"),
    ("locked", "is locked by another process: close it or try again"),
    ("readonly", "cannot be written: the file or its folder is read-only"),
    ("read-only", "cannot be written: the file or its folder is read-only"),
    ("unable to open", "cannot be opened: is the folder readable and writable?"),
    ("not a database", "is not a project database, or it is damaged"),
    ("malformed", "is damaged"),
    ("no such table", "is not a project database, or it is damaged"),
    ("no such column", "is not a project database, or it is damaged"),
    ("disk is full", "could not be written: the disk is full; nothing of this step was stored"),
    ("no space left", "could not be written: the server's disk is full; nothing of this step was stored"),
    ("disk i/o", "could not be read or written: the disk is full or reports an error"),
    ("journal can only be added to", "keeps its journal: events are never changed or deleted"),
    ("password authentication failed", "refuses this user or password"),
    ("no password supplied", "asks for a password: put it into the URL or into ~/.pgpass"),
    ("permission denied", "does not allow this to its user"),
    ("connection refused", "cannot be reached: is the server running?"),
    ("connection is bad", "cannot be reached: is the server running?"),
    ("connection failed", "cannot be reached"),
    ("could not translate host", "cannot be reached: no server of that name"),
    ("server closed the connection", "was closed by the server; nothing of this step was stored"),
    ("terminating connection", "was closed by the server; nothing of this step was stored"),
)

# What values that no program of ours wrote lead to; OSError: a photo's path that can be none.
_SENSELESS = (
    ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError, OSError, NoResultFound,
)  # fmt: skip


AnyDatabase = TypeVar("AnyDatabase", bound="Database")


class Damaged(InputError):
    """What is stored is not what was written."""


class Database(ABC):
    """`reading()` and `writing()` give a connection inside a transaction.

    Readers never wait. A writer waits up to `patience` seconds for another one: a write transaction begins by
    taking the project's write lock, so what it reads cannot change before it writes, on both back ends.
    name: for messages (a path, or a URL without its password); advice: what a message of damage ends with, made when
    there is one.
    """

    def __init__(self, name: str, engine: Engine, advice: Callable[[], str] = str):
        self.name, self.engine, self._advice = name, engine, advice

    def damaged(self, what: str) -> Damaged:
        """The error for damage; what: "is damaged: ..."."""
        return Damaged(f"{self.name} {what}{self._advice()}")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view; InputError if it cannot be had, or if what is stored makes no sense."""
        with self.clear_errors(), self.sensible(), self._reading() as connection:
            yield connection

    @contextmanager
    def writing(self, stored_only: bool = False) -> Iterator[Connection]:
        """All or nothing: committed (and on disk) when the block ends, undone if it raises.

        stored_only: the block works on what is stored alone, so that a value that makes no sense means damage.
        """
        with self.clear_errors(), self._writing() as connection:
            with self.sensible() if stored_only else nullcontext():
                yield connection

    @abstractmethod
    def _reading(self): ...

    @abstractmethod
    def _writing(self): ...

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def clear_errors(self) -> Iterator[None]:
        """What the database says, as an InputError naming it."""
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:  # the second: while a connection is being prepared
            original = getattr(error, "orig", error)
            said = str(original).lower()
            for sign, meaning in _MEANINGS:
                if sign in said and "is damaged" in meaning:
                    raise self.damaged(meaning) from error
                if sign in said:
                    raise InputError(f"{self.name} {meaning}") from error
            raise InputError(f"{self.name}: {original}") from error
        except UnicodeDecodeError as error:  # what the database said, or holds, is no text
            raise self.damaged(f"is damaged: {error}") from error

    @contextmanager
    def sensible(self) -> Iterator[None]:
        """A damaged file can hold a text where a number belongs, or bytes that are no JSON: say so."""
        try:
            yield
        except InputError:
            raise
        except _SENSELESS as error:
            raise self.damaged(f"is damaged: {type(error).__name__}: {error}") from error


def fill(database: AnyDatabase, values: dict[str, str], there: str) -> AnyDatabase:
    """Make the tables and the `meta` values; InputError (`there`) if they exist. Closes it on failure."""
    try:
        with database.writing() as connection:
            if inspect(connection).has_table(schema.meta.name):
                raise InputError(f"{there} holds a project already")
            schema.create(connection)
            rows = {"schema": str(schema.VERSION), **values}
            connection.execute(insert(schema.meta), [{"key": key, "value": rows[key]} for key in rows])
    except BaseException:
        database.close()
        raise
    return database


def version_of(database: Database) -> int:
    """The schema's version. InputError: it holds no project, or one made by a later program."""
    with database.reading() as connection:
        if not inspect(connection).has_table(schema.meta.name):
            raise InputError(f"{database.name} is not a project database")
        said = connection.scalar(select(schema.meta.c.value).where(schema.meta.c.key == "schema"))
    if said is None or not str(said)[:9].isdecimal() or len(str(said)) > 9 or int(said) > schema.VERSION:
        raise InputError(
            f"{database.name} has schema version {str(said)[:20]}, this program knows {schema.VERSION}: "
            "open it with the version of hand-mesh-annotator that wrote it"
        )
    return int(said)
