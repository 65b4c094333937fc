"""From an older project's schema to this program's, in one transaction, after a copy was put beside it.

One function a step; a step works on the tables as they were then, in plain SQL where `schema` has moved on.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from annotator.errors import InputError
from annotator.project.journal import link
from annotator.project.storage import schema
from annotator.project.storage.copying import copy_database

if TYPE_CHECKING:
    from annotator.project.storage.database import Database


def migrate(database: Database, path: Path | None) -> Path | None:
    """Bring the project up to schema.VERSION; the copy of how it was, `project.db.version-N` beside its file. path:
    None on a server, whose own copies have to do: the steps are one transaction there, too.

    Two programs may try at the same time: the second finds it done. InputError, and nothing changed, if the
    file or its folder cannot be written.
    """
    with database.writing() as connection:
        version = int(connection.scalar(text("SELECT value FROM meta WHERE key = 'schema'")))
        copy = None if path is None else path.with_name(f"{path.name}.version-{version}")
        if version == schema.VERSION:
            return copy
        if version not in STEPS:
            raise InputError(f"{database.name} has schema version {version}: no program wrote that")
        if path is not None and copy is not None:
            copy_database(path, copy)
        with database.sensible():
            for step in range(version, schema.VERSION):
                STEPS[step](connection)
        connection.execute(
            text("UPDATE meta SET value = :version WHERE key = 'schema'"), {"version": str(schema.VERSION)}
        )
    return copy


def _to_2(connection: Connection) -> None:
    """Leases, reviews, gold hands, photos' sizes, and the chain that ties each event to those before."""
    for statement in (
        "ALTER TABLE photos ADD COLUMN bytes BIGINT",
        "ALTER TABLE events ADD COLUMN chain BLOB",
        "CREATE INDEX hands_in_queue ON hands (state, confidence, number)",
        "DROP TRIGGER journal_no_update",
        "DROP TRIGGER journal_no_delete",
    ):
        connection.exec_driver_sql(statement)
    first = "SELECT hand, parametric FROM records"
    parametric = {hand: value for hand, value in connection.exec_driver_sql(first)}
    chain, hand = b"", None
    rows = connection.exec_driver_sql("SELECT * FROM events ORDER BY hand, version")
    for row in rows.mappings().all():
        new = row["hand"] != hand
        hand = row["hand"]
        chain = link(b"" if new else chain, row, parametric.get(hand) if new else None)
        connection.exec_driver_sql("UPDATE events SET chain = ? WHERE seq = ?", (chain, row["seq"]))
    for table in schema.KEPT[:1]:
        for verb in ("update", "delete"):
            connection.exec_driver_sql(
                f"CREATE TRIGGER {table.name}_no_{verb} BEFORE {verb.upper()} ON {table.name} "
                "BEGIN SELECT RAISE(ABORT, 'the journal can only be added to'); END"
            )
    # tables that version 1 did not have, with their triggers
    schema.metadata.create_all(connection)


def _to_3(connection: Connection) -> None:
    """A photo may be a frame of a video."""
    for statement in (
        "ALTER TABLE photos ADD COLUMN video VARCHAR(64)",
        "ALTER TABLE photos ADD COLUMN frame INTEGER",
        "ALTER TABLE photos ADD COLUMN seconds FLOAT",
        "CREATE INDEX photos_by_frame ON photos (video, frame)",
    ):
        connection.exec_driver_sql(statement)


def _to_4(connection: Connection) -> None:
    """Hands may be on a track through a video."""
    schema.tracked.create(connection, checkfirst=True)  # from version 1 all new tables are made at once


def _to_5(connection: Connection) -> None:
    """Statements: whose hands photos show."""
    schema.statements.create(connection, checkfirst=True)


STEPS = {1: _to_2, 2: _to_3, 3: _to_4, 4: _to_5}
