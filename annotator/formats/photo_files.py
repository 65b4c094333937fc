"""Photos on their way into a data set: as they are where every reader sees them alike, else encoded anew."""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from annotator.errors import InputError
from annotator.vision.photos import read_photo

_PLAIN = {"JPEG": ".jpg", "PNG": ".png"}
_ORIENTATION = 0x0112  # EXIF


def portable(path: Path, jpeg: bool = False) -> tuple[str, bytes, tuple[int, int]]:
    """(suffix, bytes, (height, width)) of a photo, its pixels where `read_photo` has them.

    A JPEG or PNG file without an EXIF turn is copied byte by byte; anything else becomes a JPEG, since many readers
    ignore the turn and keypoints would then be elsewhere. jpeg: no PNG. InputError naming a broken file.
    """
    try:
        with Image.open(path) as image:
            suffix = _PLAIN.get(image.format, "")
            upright = image.getexif().get(_ORIENTATION, 1) == 1
            size = image.height, image.width
            whole = image.mode in ("RGB", "L") and not (jpeg and suffix != ".jpg")
        if suffix and upright and whole:
            return suffix, path.read_bytes(), size
    except (OSError, SyntaxError, ValueError):
        pass  # read_photo says what is wrong
    photo = read_photo(path)
    return ".jpg", encoded(photo), photo.shape[:2]


def encoded(pixels: np.ndarray) -> bytes:
    """(H, W, 3) uint8 as a JPEG file's bytes, quality 95, colours at full resolution."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue()


class PhotoFolder:
    """Photos copied once each into FOLDER, named by number: `add` gives (name, (height, width))."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True)
        self.folder = folder
        self._known: dict[str, tuple[int, str, tuple[int, int]]] = {}

    def add(self, path: Path) -> tuple[int, str, tuple[int, int]]:
        """(number, file name, (height, width)) of this photo in the set."""
        key = str(path)
        if key not in self._known:
            suffix, data, size = portable(path)
            number = len(self._known)
            name = f"{number:08d}{suffix}"
            (self.folder / name).write_bytes(data)
            self._known[key] = number, name, size
        return self._known[key]

    def __contains__(self, path: Path) -> bool:
        return str(path) in self._known


@contextmanager
def unpacked(photos: str | Path | None, prefix: str) -> Iterator[Path]:
    """The folder for photos that come out of an archive: `photos`, made if missing, or a temporary one that goes when the
    block ends. InputError where the block's own writing to it fails."""
    kept = Path(photos) if photos is not None else Path(tempfile.mkdtemp(prefix=prefix))
    try:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
    except OSError as error:
        raise InputError(f"cannot write photos to {kept}: {error.strerror}") from error
    finally:
        if photos is None:
            shutil.rmtree(kept, ignore_errors=True)


def image_size(path: Path) -> tuple[int, int]:
    """(height, width) px from the file's head. InputError naming a missing or broken file."""
    try:
        with Image.open(path) as image:
            return image.height, image.width
    except (OSError, SyntaxError, ValueError) as error:
        raise InputError(f"{path} cannot be read as an image: {error}") from error
