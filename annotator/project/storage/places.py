"""Where a project is: a folder with a project.db, a folder whose project.toml names a database, or a URL."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from annotator.errors import InputError
from annotator.files.atomic import put_text
from annotator.files.file_errors import reading
from annotator.files.user_paths import expanded
from annotator.project.safety import checking
from annotator.project.storage import snapshots
from annotator.project.storage.database import Database
from annotator.project.storage.postgresql import create_postgresql, open_postgresql, parse
from annotator.project.storage.sqlite import FILE, create_sqlite, is_blank, open_sqlite

SETTINGS = "project.toml"
_NOTE = "# This project's hands and journal are in a database that several people share.\n"
_NO_DATABASE = 'names no database (expected: database = "postgresql+psycopg://...")'


# a URL also if it lost a slash, as URLs do that somebody took for paths; a drive of Windows has one letter
_LIKE_A_URL = re.compile(r"[A-Za-z][\w+.-]+:/")


@dataclass(frozen=True)
class Place:
    """folder: of photos that are copied in, snapshots, and where relative paths begin; url: of the database,
    or None for FILE; file: the SQLite file, if it is not folder/FILE.
    """

    folder: Path
    url: str | None = None
    file: Path | None = None

    @property
    def database(self) -> Path:
        return self.file or self.folder / FILE

    @property
    def exists(self) -> bool:
        """Whether there is a project, as far as that is known without asking a server."""
        return self.url is not None or self.database.is_file()

    @property
    def begun(self) -> bool:
        """Whether what is there may be a project that was killed while it was made: it can be made again."""
        return self.url is not None or is_blank(self.database)


def locate(place: str | Path, database: str | None = None) -> Place:
    """What a person means by a folder, a project.db (or a snapshot of one), or a URL.

    database: the URL for a folder that does not name one yet. InputError for a project.toml that says
    nothing, and for two different URLs.
    """
    if "://" in str(place) or (_LIKE_A_URL.match(str(place)) and not Path(place).exists()):
        if database is not None:
            raise InputError("a project's place is a folder or a URL, not both: give the folder and the database")
        url = str(place)
        parse(url)
        return Place(_own_folder(url), url)
    folder = expanded(place).absolute()
    if folder.is_file():
        up = folder.parent
        return Place(up.parent if up.name == "snapshots" else up, None, folder)
    named = _named(folder / SETTINGS)
    if database is not None:
        parse(database)
        if named not in (None, database):
            raise InputError(f"{folder / SETTINGS} names another database")
        if (folder / FILE).is_file():
            raise InputError(f"{folder} holds a project already")
    return Place(folder, database or named)


def connect(place: Place) -> Database:
    """The place's database, what was written last checked. InputError: there is no project, or it is damaged."""
    database: Database
    if place.url:
        database = open_postgresql(place.url)
    else:
        database = open_sqlite(place.database, lambda: snapshots.advice(place.folder))
    try:
        with database.reading() as connection:
            try:
                checking.newest(connection)
            except InputError as error:
                raise database.damaged(f"is damaged: {error}") from error
    except BaseException:
        database.close()
        raise
    return database


def make(place: Place, values: dict[str, str]) -> Database:
    """The place's database, made; InputError if there is a project already, or none can be made."""
    return create_postgresql(place.url, values) if place.url else create_sqlite(place.database, values)


def remember(place: Place) -> None:
    """Write the URL into the folder's project.toml, so that the folder is enough to open the project."""
    path = place.folder / SETTINGS
    if place.url and not path.is_file() and place.folder != _own_folder(place.url):
        text = f"{_NOTE}database = {json.dumps(place.url)}\n"
        put_text(path, text)


def _named(path: Path) -> str | None:
    """The database that a project.toml names; None if there is no such file."""
    if not path.is_file():
        return None
    with reading(path, _NO_DATABASE, ValueError, KeyError, RecursionError):
        url = tomllib.loads(path.read_text(encoding="utf-8"))["database"]
        if not isinstance(url, str):
            raise ValueError("database is no text")
    parse(url)
    return url


def _own_folder(url: str) -> Path:
    """This user's folder for a project that is known by its URL alone; not made before it is needed."""
    base = os.environ.get("XDG_DATA_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".local" / "share"
    name = hashlib.sha256(parse(url).render_as_string(hide_password=True).encode()).hexdigest()[:16]
    return Path(base) / "hand-mesh-annotator" / name
