"""Photos on their way into a data set: their own pixels where every reader sees them alike, else encoded anew; without
what they say beside the picture (places, names, serial numbers, comments), unless that is asked for."""

from __future__ import annotations

import errno
import io
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import numpy as np
from PIL import Image

from annotator.errors import InputError
from annotator.files.file_errors import writing
from annotator.files.frame_places import file_of, frame_place
from annotator.files.resuming import Marks
from annotator.vision.images.opening import opened_image
from annotator.vision.images.without_metadata import bare
from annotator.vision.photos import photo_size, read_photo

_PLAIN = {"JPEG": ".jpg", "PNG": ".png"}
_ORIENTATION = 0x0112  # EXIF


def portable(path: Path, jpeg: bool = False) -> tuple[str, bytes, tuple[int, int]]:
    """(suffix, bytes, (height, width)) of a photo or a frame of a video, its pixels where `read_photo` has them.

    A JPEG or PNG file without an EXIF turn keeps the bytes of its picture; anything else becomes a JPEG, since many
    readers ignore the turn and keypoints would then be elsewhere. Its metadata goes, but not the colour profile; all of
    it stays inside `keeping_metadata`. jpeg: no PNG. InputError naming a broken file.
    """
    file = file_of(path) if frame_place(path) is not None else path
    try:
        with opened_image(file, str(path)) as image:
            suffix = _PLAIN.get(image.format or "", "")
            upright = image.getexif().get(_ORIENTATION, 1) == 1
            size = image.height, image.width
            whole = image.mode in ("RGB", "L") and not (jpeg and suffix != ".jpg")
        if suffix and upright and whole:
            data = file.read_bytes()
            left = data if _KEEPING.get() else bare(data)
            if left is not None:
                return suffix, left, size
    except (InputError, OSError):
        pass  # read_photo says what is wrong
    photo = read_photo(path)
    return ".jpg", encoded(photo, path), photo.shape[:2]


_KEEPING: ContextVar[bool] = ContextVar("keeping metadata", default=False)


@contextmanager
def keeping_metadata(keep: bool = True) -> Iterator[None]:
    """While this lasts photos leave with all that their files say: places, names, serial numbers, comments."""
    mark = _KEEPING.set(keep)
    try:
        yield
    finally:
        _KEEPING.reset(mark)


def encoded(pixels: np.ndarray, source: Path | None = None) -> bytes:
    """(H, W, 3) uint8 as a JPEG file's bytes, quality 95, colours at full resolution.

    source: the photo that the pixels are of: its colour profile goes with them, inside `keeping_metadata` its EXIF data
    too, with the turn taken out.
    """
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95, subsampling=0, **_beside(source))
    return buffer.getvalue()


def _beside(source: Path | None) -> dict:
    """What an encoder is told of the photo that its pixels are of."""
    found: dict = {}
    if source is None:
        return found
    try:
        with opened_image(source, str(source)) as image:
            profile, exif = image.info.get("icc_profile"), image.getexif()
            if profile and image.mode in ("RGB", "RGBA", "P"):  # a profile of grey or of inks is not of these pixels
                found["icc_profile"] = profile
            if _KEEPING.get() and len(exif):
                exif[_ORIENTATION] = 1
                found["exif"] = exif
    except InputError:
        pass  # the pixels were read all the same
    return found


def by_number(_path: Path, number: int) -> str:
    """The name of a photo in a set, without suffix."""
    return f"{number:08d}"


class PhotoFolder:
    """Photos copied once each into FOLDER: `with PhotoFolder(folder, marks) as photos: photos.add(path)`. named(path,
    number in the set): a name, without suffix, that no other photo gets.

    Which are there is kept in a small database beside while the export is under way: memory does not grow with them,
    and an interrupted export goes on with the photos up to its mark.
    """

    def __init__(self, folder: Path, marks: Marks, named: Callable[[Path, int], str] = by_number):
        folder.mkdir(parents=True, exist_ok=True)
        self._named = named
        self.folder, self._file = folder, marks.own(folder.with_name(f".{folder.name}.sqlite"))
        self._count = marks.part(f"photos {folder.name}", self.mark)
        if self._count is None:
            self._count = 0
            self._file.unlink(missing_ok=True)
        # a process that is killed loses nothing of it; a power cut ends an export anyway (see `resuming`)
        with self._as_the_disks():
            self._known = sqlite3.connect(self._file)
            self._known.execute("PRAGMA synchronous = OFF")
            with self._known:
                self._known.execute(
                    "CREATE TABLE IF NOT EXISTS photos (path TEXT PRIMARY KEY, number, name, height, width)"
                )
                self._known.execute("DELETE FROM photos WHERE number >= ?", (self._count,))

    def add(self, path: Path) -> tuple[int, str, tuple[int, int], bool]:
        """(number, file name, (height, width), whether it is new) of this photo in the set."""
        with self._as_the_disks():
            asked = "SELECT number, name, height, width FROM photos WHERE path = ?"
            found = self._known.execute(asked, (str(path),)).fetchone()
        if found is not None:
            return found[0], found[1], found[2:], False
        suffix, data, size = portable(path)
        number = self._count
        name = self._named(path, number) + suffix
        (self.folder / name).write_bytes(data)
        with self._as_the_disks():
            self._known.execute("INSERT INTO photos VALUES (?, ?, ?, ?, ?)", (str(path), number, name, *size))
        self._count += 1
        return number, name, size, True

    def mark(self) -> int:
        """How many there are."""
        with self._as_the_disks():
            self._known.commit()
        return self._count

    @contextmanager
    def _as_the_disks(self) -> Iterator[None]:
        """What SQLite says is the disk's word: with it the export under way is given up, and begun anew next time."""
        try:
            yield
        except sqlite3.Error as error:
            raise OSError(errno.EIO, f"{self._file.name}: {error}") from error

    def __enter__(self) -> PhotoFolder:
        return self

    def __exit__(self, *_) -> None:
        self._known.close()


@contextmanager
def unpacked(photos: str | Path | None, prefix: str) -> Iterator[Path]:
    """The folder for photos that come out of an archive: `photos`, made if missing, or a temporary one that goes when
    the block ends. InputError where the block's own writing to it fails."""
    kept = Path(photos) if photos is not None else Path(tempfile.mkdtemp(prefix=prefix))
    try:
        with writing(kept):
            kept.mkdir(parents=True, exist_ok=True)
            yield kept
    finally:
        if photos is None:
            shutil.rmtree(kept, ignore_errors=True)


def image_size(path: Path) -> tuple[int, int]:
    """(height, width) px of the photo as `read_photo` shows it, upright, from the file's head. InputError naming a
    missing or broken file."""
    return photo_size(path)
