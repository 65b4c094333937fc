"""By what a photo is known again after its file was edited: what it shows, whatever is written beside that.

A project names photos by their file's SHA-256. A rating, a comment or another place changes that, not the picture; so
the digest of the picture (`vision.images.without_metadata`) is kept as well, in `meta`, under both names: a photo of an
older project gets its own when somebody looks for photos.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, insert, select

from annotator.errors import InputError
from annotator.project.context import Context
from annotator.project.photo_files.pixels import is_same
from annotator.project.records.views import StoredPhoto
from annotator.project.storage.rows import matching
from annotator.project.storage.schema import meta, photos
from annotator.vision.images.without_metadata import picture_digest
from annotator.vision.photos import photo_hash

_OF_PHOTO, _SHOWN_BY = "picture of ", "shown by "


def remember(connection: Connection, sha256: str, picture: str) -> None:
    """Keep what the photo of this file digest shows, unless it is kept already."""
    rows = {f"{_OF_PHOTO}{sha256}": picture, f"{_SHOWN_BY}{picture}": sha256}
    known = set(connection.scalars(select(meta.c.key).where(meta.c.key.in_(rows))))
    new = [{"key": key, "value": value} for key, value in rows.items() if key not in known]
    if new:
        connection.execute(insert(meta), new)


def picture_of(connection: Connection, sha256: str) -> str | None:
    """The digest of what this photo shows, None where it is not known."""
    return connection.scalar(select(meta.c.value).where(meta.c.key == f"{_OF_PHOTO}{sha256}"))


def pictures_of(connection: Connection) -> dict[str, str]:
    """{photo's file digest: digest of what it shows} of all photos of which it is known."""
    rows = connection.execute(select(meta.c.key, meta.c.value).where(meta.c.key.startswith(_OF_PHOTO)))
    return {row.key.removeprefix(_OF_PHOTO): row.value for row in rows}


def kept(values: dict[str, str]) -> dict[str, str]:
    """Those of `meta`'s rows that say what photos show."""
    return {key: value for key, value in values.items() if key.startswith((_OF_PHOTO, _SHOWN_BY))}


def photo_showing(connection: Connection, picture: str) -> str | None:
    """The project's photo (its file's digest) that shows this, None where there is none."""
    return connection.scalar(select(meta.c.value).where(meta.c.key == f"{_SHOWN_BY}{picture}"))


def photos_showing(connection: Connection, asked: Iterable[str]) -> dict[str, str]:
    """`photo_showing` for many: {picture: the photo's file digest}, without those that no photo shows."""
    keys = {f"{_SHOWN_BY}{picture}" for picture in asked}
    rows = matching(connection, select(meta.c.key, meta.c.value), meta.c.key, keys)
    return {key.removeprefix(_SHOWN_BY): value for key, value in rows}


class Pictures:
    """A service of `Project`: what photos show."""

    def __init__(self, context: Context):
        self._context = context

    def is_same_photo(self, photo: StoredPhoto, path: Path | None = None) -> bool:
        """Whether a file shows what was annotated: the same bytes, or the same picture under other metadata.

        Parameters
        ----------
        photo
            What was annotated.
        path
            The file; None: the photo's own.

        Returns
        -------
        bool

        Raises
        ------
        InputError
            It cannot be read.
        """
        with self._context.database.reading() as connection:
            picture = picture_of(connection, photo.sha256) or ""
        return is_same(replace(photo, picture=picture), photo.path if path is None else path)

    def known_as(self, path: Path) -> str:
        """By which file digest the project knows this photo.

        Parameters
        ----------
        path
            Its file.

        Returns
        -------
        str
            The file's own, or that of the photo which shows the same.

        Raises
        ------
        InputError
            It cannot be read.
        """
        sha256 = photo_hash(path)
        with self._context.database.reading() as connection:
            if connection.scalar(select(photos.c.id).where(photos.c.sha256 == sha256)) is not None:
                return sha256
        try:
            picture = picture_digest(path)
        except InputError:  # reading its pixels will say why
            return sha256
        with self._context.database.reading() as connection:
            return photo_showing(connection, picture) or sha256
