"""A project's whole database in one SQLite file, as it was at one moment."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert, select

from annotator.errors import InputError
from annotator.files.atomic import put
from annotator.project.storage import schema
from annotator.project.storage.copying import copy_database
from annotator.project.storage.database import Database
from annotator.project.storage.sqlite import SqliteDatabase

FOLDER = "snapshots"


def default_path(folder: Path) -> Path:
    """FOLDER/snapshots/TIME.db."""
    return folder / FOLDER / f"{datetime.now(UTC).strftime('%Y-%m-%dT%H-%M-%S.%f')}Z.db"


def take(database: Database, target: Path) -> Path:
    """Write the file; `target` itself. InputError if it exists or cannot be written."""
    if target.exists():
        raise InputError(f"{target} exists already")
    if isinstance(database, SqliteDatabase):
        with database.reading():  # says clearly what is wrong with it, if something is
            pass
        copy_database(database.path, target)
    else:
        put(target, lambda partial: _copy_tables(database, partial))
    return target


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
