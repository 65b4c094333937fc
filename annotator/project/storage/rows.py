"""Whole tables of rows to a database, and questions about many values, in as few steps as each back end can.

PostgreSQL takes rows by COPY, in its binary format: several times as fast as INSERT, and in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Float,
    Integer,
    LargeBinary,
    Select,
    Table,
    any_,
    insert,
    literal,
)
from sqlalchemy.exc import DBAPIError

AT_ONCE = 500  # values in a question: SQLite's older versions take 999

_TYPES = ((BigInteger, "int8"), (Integer, "int4"), (Float, "float8"), (LargeBinary, "bytea"))  # the first that fits


def write(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add the rows; all have the same columns."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        _copy(connection, table, rows)
    else:
        connection.execute(insert(table), list(rows))


def matching(connection: Connection, question: Select, column: ColumnElement, values: Collection) -> list:
    """The answers to `question` where `column` has one of the values: rows, or values if it asks for one column."""
    found: list = []
    asked = list(values)
    at_once = len(asked) if connection.dialect.name == "postgresql" else AT_ONCE
    for first in range(0, len(asked), at_once or 1):
        rows = connection.execute(question.where(among(connection, column, asked[first : first + at_once])))
        found += _plain(question, rows)
    return found


def among(connection: Connection, column: ColumnElement, values: Collection) -> ColumnElement[bool]:
    """That the column has one of the values; on PostgreSQL they travel as one array, since its driver reads a statement
    of many parameters anew each time."""
    if connection.dialect.name == "postgresql":
        return column == any_(literal(list(values), ARRAY(column.type)))
    return column.in_(values)


def _plain(question: Select, rows: Iterable) -> list:
    single = len(question.selected_columns) == 1
    return [row[0] if single else tuple(row) for row in rows]


def _copy(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    names = list(rows[0])
    quoted = connection.dialect.identifier_preparer.quote
    statement = f"COPY {quoted(table.name)} ({', '.join(map(quoted, names))}) FROM STDIN (FORMAT BINARY)"
    raw, driver = connection.connection.driver_connection, connection.dialect.dbapi
    assert raw is not None and driver is not None
    try:
        with raw.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types([_type(table.c[name].type) for name in names])
            for row in rows:
                copy.write_row([row[name] for name in names])
    except driver.Error as error:
        if connection.dialect.is_disconnect(error, raw, None):
            connection.invalidate(error)
        raise DBAPIError(statement, None, error) from error


def _type(kind: Any) -> str:
    return next((name for known, name in _TYPES if isinstance(kind, known)), "text")
