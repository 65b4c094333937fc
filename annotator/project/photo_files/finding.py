"""Photos that are not where they were: found again by their content, or copied into the project."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select, update

from annotator.errors import InputError
from annotator.files.frame_places import FramePlace, file_of, frame_place
from annotator.project import reading
from annotator.project.entering import intake
from annotator.project.photo_files import pictures
from annotator.project.storage.database import Database
from annotator.project.storage.schema import photos
from annotator.vision.images.image_files import file_hash
from annotator.vision.images.without_metadata import is_image, picture_digest
from annotator.vision.photos import photo_bytes, photo_hash, photo_there


def find(database: Database, folder: Path, below: Path) -> dict[str, Path]:
    """{old path: new path} of missing photos that lie below a folder: by their bytes, or, where somebody edited what is
    written beside the picture, by what they show; remembered in the project. What photos show that are where they were
    is remembered as well."""
    if not below.is_dir():
        raise InputError(f"{below} is not a folder")
    with database.reading() as connection:
        missing = [row for row in connection.execute(select(photos)) if not _there(folder, row)]
    wanted: dict[str, list] = {}  # content of a file -> the photos in it: several of a video
    for row in missing:
        wanted.setdefault(row.video if _place_in_video(row) else row.sha256, []).append(row)
    sizes = {row.bytes for row in missing}
    found: dict[str, Path] = {}
    for path, size in _files(below) if wanted else ():
        if size in sizes or None in sizes:  # None: added before sizes were kept
            try:
                digest = file_hash(path)
            except InputError:
                continue  # not ours to read: it cannot be shown to be the photo
            if digest in wanted:
                found[digest] = path
                if len(found) == len(wanted):
                    break
    if len(found) < len(wanted):
        found |= _by_picture(database, below, set(wanted) - set(found))
    places = {row: _within(row, path) for digest, path in found.items() for row in wanted[digest]}
    _remember(database, folder, {row.id: path for row, path in places.items()})
    _look_at_pictures(database, folder)
    return {row.path: path for row, path in places.items()}


def _place_in_video(row) -> FramePlace | None:
    """The place of a photo that is one of several in its file, else None: a frame that is a file of its own is found
    like any photo."""
    place = frame_place(row.path)
    return place if place is not None and file_of(row.path) == place.video else None


def _within(row, path: Path) -> Path:
    """The photo's place, now that its file is at `path`."""
    place = _place_in_video(row)
    return path if place is None else replace(place, video=path).as_path()


def _by_picture(database: Database, below: Path, wanted: set[str]) -> dict[str, Path]:
    """{file digest: path} of photos of which another file shows the same."""
    with database.reading() as connection:
        shown = {pictures.picture_of(connection, sha256): sha256 for sha256 in wanted}
    shown.pop(None, None)
    found: dict[str, Path] = {}
    for path, _ in _files(below) if shown else ():
        try:
            with path.open("rb") as file:
                if not is_image(file.read(16)):
                    continue
            sha256 = shown.get(picture_digest(path))
        except (InputError, OSError):
            continue
        if sha256 is not None:
            found[sha256] = path
    return found


def _look_at_pictures(database: Database, folder: Path) -> None:
    """Keep what photos show that came before that was kept, and are as they were."""
    with database.reading() as connection:
        rows = connection.execute(select(photos)).all()
        rows = [row for row in rows if pictures.picture_of(connection, row.sha256) is None]
    shown = {}
    for row in rows:
        path = reading.stored_photo(folder, row).path
        try:
            if path.is_file() and photo_hash(path) == row.sha256:
                shown[row.sha256] = picture_digest(path)
        except InputError:
            continue
    if shown:
        with database.writing() as connection:
            for sha256, picture in shown.items():
                pictures.remember(connection, sha256, picture)


def copy_all(database: Database, folder: Path) -> list[Path]:
    """Copy photos that are outside into the project's folder, and remember the copies."""
    with database.reading() as connection:
        stored = [reading.stored_photo(folder, row) for row in connection.execute(select(photos)).all()]
    new: dict[int, Path] = {}
    try:
        for photo in stored:
            if folder / intake.PHOTOS in photo.path.parents:
                continue
            if not photo_there(photo.path) or photo_hash(photo.path) != photo.sha256:
                raise InputError(f"photo {photo.path} is gone or is not the one that was added")
            size = photo.height, photo.width
            new[photo.id] = intake.copied_in(intake.Header.of(photo.path, size), folder).path
    finally:
        _remember(database, folder, new)
    return list(new.values())


def _there(folder: Path, row) -> bool:
    return photo_there(reading.stored_photo(folder, row).path)


def _files(below: Path) -> Iterator[tuple[Path, int]]:
    """Regular files and their sizes; folders that cannot be read are passed over, links are not followed."""
    for place, folders, names in os.walk(below):
        folders.sort()
        for name in sorted(names):
            path = Path(place) / name
            try:
                if path.is_file() and not path.is_symlink():
                    yield path, path.stat().st_size
            except OSError:
                continue


def _remember(database: Database, folder: Path, paths: dict[int, Path]) -> None:
    if not paths:
        return
    with database.writing() as connection:
        for number, path in paths.items():
            values = {"path": str(path), "relative": intake.relative(path, folder), "bytes": photo_bytes(path)}
            connection.execute(update(photos).where(photos.c.id == number).values(values))
