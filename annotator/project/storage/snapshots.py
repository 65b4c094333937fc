"""A project's whole database in one SQLite file, as it was at one moment."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert, select

from annotator.errors import InputError
from annotator.files.atomic import put
from annotator.project.safety import checking
from annotator.project.storage import schema
from annotator.project.storage.copying import copy_pages
from annotator.project.storage.database import Database
from annotator.project.storage.sqlite import SqliteDatabase
from annotator.stopping import asking

FOLDER = "snapshots"
LOOK = 5.0  # seconds that a snapshot is looked at for a message
MOST = 5  # snapshots that are looked at for one


class TooLong(Exception):
    """The time for a search is over."""


def default_path(folder: Path) -> Path:
    """FOLDER/snapshots/TIME.db."""
    return folder / FOLDER / f"{datetime.now(UTC).strftime('%Y-%m-%dT%H-%M-%S.%f')}Z.db"


def take(database: Database, target: Path) -> Path:
    """Write the file, checked as `verify` does before it takes its name; `target` itself. InputError if it exists,
    cannot be written, or would not be whole."""
    if target.exists():
        raise InputError(f"{target} exists already")

    def write(partial: Path) -> None:
        if isinstance(database, SqliteDatabase):
            copy_pages(database.path, partial)
        else:
            _copy_tables(database, partial)
        wrong = damage_of(partial)
        if wrong:
            raise database.damaged(f"is damaged, no snapshot was made: {wrong}")

    if isinstance(database, SqliteDatabase):
        with database.reading():  # says clearly what is wrong with it, if something is
            pass
    put(target, write)
    return target


def damage_of(path: Path, seconds: float | None = None) -> str:
    """What is wrong with a project's file that nobody writes; "" if nothing is. seconds: to search, then `TooLong`."""
    copy, end = SqliteDatabase(path), None if seconds is None else time.monotonic() + seconds

    def in_time() -> None:
        if end is not None and time.monotonic() > end:
            raise TooLong

    try:
        with asking(in_time), copy.reading() as connection:
            for wrong in checking.verify(connection):
                return wrong
    except InputError as error:
        return str(error)
    finally:
        copy.close()
    return ""


def advice(folder: Path) -> str:
    """How to go on with a damaged project: its newest snapshot that is whole, and `repair`."""
    text = "; `annotator repair PROJECT --out NEW` saves the hands that are whole"
    try:
        taken = sorted((folder / FOLDER).glob("*.db"), reverse=True)
    except OSError:
        taken = []
    for path in taken[:MOST]:
        try:
            if not damage_of(path, LOOK):
                return f"{text}, and the newest good snapshot is {path}"
        except TooLong:
            return (
                f"{text}, and the newest snapshot is {path} (too large to be checked here: `annotator status --check`)"
            )
    return text


def _copy_tables(database: Database, path: Path) -> None:
    """All rows of one moment, table by table; numbers and chains stay, so the copy verifies like the original."""
    path.unlink(missing_ok=True)
    copy = SqliteDatabase(path)
    try:
        with database.reading() as source, copy.writing() as target:
            schema.create(target)
            for table in schema.metadata.sorted_tables:
                rows = source.execute(select(table).execution_options(yield_per=1000))
                for part in rows.mappings().partitions():
                    target.execute(insert(table), [dict(row) for row in part])
        with copy.engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA journal_mode = DELETE")
            connection.exec_driver_sql("BEGIN")
    finally:
        copy.close()
