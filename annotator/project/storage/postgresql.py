"""A project's database on a PostgreSQL server, for people who work on one project from several machines."""

from __future__ import annotations

from contextlib import contextmanager

from sqlalchemy import URL, Connection, create_engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from annotator.errors import InputError
from annotator.project.storage import migrations, schema
from annotator.project.storage.database import PATIENCE, Database, fill, version_of

FIRST = 2  # the schema's version when projects came to servers

# A network that is gone says nothing: libpq would wait for a quarter of an hour. What the URL says of these goes first.
_LOST = {
    "connect_timeout": 10,  # s
    "keepalives_idle": 15,  # s without a word, then a question each
    "keepalives_interval": 5,  # s, and after so many
    "keepalives_count": 3,  # without an answer the connection is closed
    "tcp_user_timeout": 30_000,  # ms that what was sent may stay unconfirmed
}


class PostgresqlDatabase(Database):
    """One database of a server, or one schema in it (`?options=-csearch_path%3DNAME` at the URL's end)."""

    def __init__(self, url: str | URL, patience: float = PATIENCE):
        address = parse(url)
        try:
            given = {name: value for name, value in _LOST.items() if name not in address.query}
            engine = create_engine(address, pool_pre_ping=True, connect_args=given)
        except ModuleNotFoundError as error:
            raise InputError(
                "a project on PostgreSQL needs psycopg: pip install hand-mesh-annotator[postgres]"
            ) from error
        self.patience = patience
        super().__init__(address.render_as_string(hide_password=True), engine)

    def _reading(self):
        # one snapshot for the whole transaction, as in SQLite
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        return self.engine.execution_options(**options).begin()

    @contextmanager
    def _writing(self):
        with self.engine.begin() as connection:
            _lock(connection, self.patience)
            yield connection


def parse(url: str | URL) -> URL:
    """The address, for the driver psycopg. InputError if it is none of PostgreSQL."""
    try:
        address = make_url(url)
        if address.get_backend_name().lower() not in ("postgresql", "postgres"):  # libpq takes both
            raise InputError(f"a project's database is SQLite or PostgreSQL, not {address.get_backend_name()}")
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("not a database's URL: expected postgresql+psycopg://USER@HOST/DATABASE") from error
    return address.set(drivername="postgresql+psycopg")


def create_postgresql(url: str | URL, values: dict[str, str]) -> PostgresqlDatabase:
    """Make the tables and `meta` values. InputError if there is a project, or the server cannot be used."""
    database = PostgresqlDatabase(url)
    return fill(database, values, database.name)


def open_postgresql(url: str | URL) -> PostgresqlDatabase:
    """Open a project, brought to this program's schema if it is older. InputError: none there, of a later version, or
    the server cannot be used."""
    database = PostgresqlDatabase(url)
    try:
        version = version_of(database)
        if version < FIRST:
            raise InputError(f"{database.name} has schema version {version}: no program wrote that")
        if version < schema.VERSION:
            migrations.migrate(database, None)
    except BaseException:
        database.close()
        raise
    return database


def _lock(connection: Connection, patience: float) -> None:
    """The project's one write lock, until the transaction ends; a killed client's goes with its connection."""
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{int(1000 * patience)}ms'")
    connection.exec_driver_sql(
        "SELECT pg_advisory_xact_lock(hashtext('hand-mesh-annotator'), hashtext(current_schema()))"
    )
