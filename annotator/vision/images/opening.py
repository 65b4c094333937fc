"""Image files are opened here and nowhere else: what a file claims to be is judged before a pixel of it is decoded.

A file of a few kilobytes can claim gigabytes of pixels. Only formats that photos come in are tried: others bring
decoders that nobody needs here, and programs that they would start.
"""

from __future__ import annotations

import importlib.util
import io
import os
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageFile, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from annotator.errors import InputError

VARIABLE = "ANNOTATOR_MOST_PIXELS"
MOST_PIXELS = 100_000_000  # of a photo: 12,200 x 8,200; decoding one takes about 10 bytes a pixel
LONGEST_SIDE = 65_535  # px
MOST_SCANS = 200  # of a progressive JPEG: each is a pass over all of its pixels
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "TIFF", "BMP", "DIB", "GIF", "PPM", "JPEG2000", "AVIF", "HEIF")
_HEIF = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    NotImplementedError,
    struct.error,
    zlib.error,
    MemoryError,
)
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # the limit is ours, and an error
_HEAD = 128  # bytes that say of what kind a file is, and how deep its colours
_TILES = (322, 323)  # TIFF: a tile's width and height
_SCAN = b"\xff\xda"  # JPEG: the beginning of a scan


def most_pixels() -> int:
    """The most pixels of a photo: what the environment's ANNOTATOR_MOST_PIXELS says, or `MOST_PIXELS`. InputError: no
    number."""
    told = os.environ.get(VARIABLE, "").strip()
    if not told:
        return MOST_PIXELS
    try:
        number = int(float(told))
        if number < 64:
            raise ValueError
    except (ValueError, OverflowError) as error:
        raise InputError(f"{VARIABLE} is {told!r}, expected a number of pixels") from error
    return number


@contextmanager
def opened_image(file: str | Path | io.BytesIO, name: str, most: int | None = None) -> Iterator[Image.Image]:
    """`with opened_image(path, str(path)) as image`: its head read and its size judged, no pixel decoded yet.

    name: what errors call it; most: pixels, `most_pixels()` if None. Of several pages or frames the first is meant.
    HEIC needs pillow-heif. Whatever is wrong with the file, found inside the block, too, is an InputError that names
    it.
    """
    most = most_pixels() if most is None else most
    if Image.MAX_IMAGE_PIXELS is not None and Image.MAX_IMAGE_PIXELS < most:
        Image.MAX_IMAGE_PIXELS = most  # Pillow's own limit stays as the second one, for parts larger than their whole
    with reading(file, name) as start:
        if _is_heif(start) and importlib.util.find_spec("pillow_heif") is not None:
            import pillow_heif

            pillow_heif.register_heif_opener()
        with Image.open(file, formats=_known()) as image:
            _judge(image, name, most)
            yield image


@contextmanager
def reading(file: str | Path | io.BytesIO, name: str) -> Iterator[bytes]:
    """The first bytes of an ordinary file; whatever the block finds wrong with it is an InputError that names it."""
    if not isinstance(file, io.BytesIO):
        _judge_path(Path(file), name)
    start = b""
    try:
        start = _start(file)
        yield start
    except InputError:
        raise
    except UnidentifiedImageError as error:
        hint = ": HEIC needs pip install 'hand-mesh-annotator[heif]'" if _is_heif(start) else ""
        raise InputError(f"{name} is not an image this program can read{hint}") from error
    except Image.DecompressionBombError as error:  # of a part that is larger than the whole
        raise InputError(f"{name} is too large: {error}") from error
    except BROKEN as error:
        if isinstance(error, OSError) and error.errno:  # the disk's word, not the decoder's
            raise InputError(f"{name} cannot be read: {error.strerror}") from error
        raise InputError(f"{name} is a broken or truncated image: {error}") from error


def _start(file: str | Path | io.BytesIO) -> bytes:
    if isinstance(file, io.BytesIO):
        return file.getvalue()[:_HEAD]
    with open(file, "rb") as there:
        return there.read(_HEAD)


def _is_heif(start: bytes) -> bool:
    return start[4:8] == b"ftyp" and start[8:12] in _HEIF


def _judge_path(path: Path, name: str) -> None:
    if os.path.isdir(path):  # `Path.is_dir` raises for a name longer than any file's
        raise InputError(f"{name} is a directory, expected an image file")
    if not os.path.exists(path):
        raise InputError(f"{name} does not exist")
    if not os.path.isfile(path):  # a pipe would be waited for without end
        raise InputError(f"{name} is not an ordinary file")


def _judge(image: Image.Image, name: str, most: int) -> None:
    judge_size(image.size, name, most, "")
    if isinstance(image, TiffImageFile):
        tags = image.tag_v2
        tile = [side for side in map(tags.get, _TILES) if isinstance(side, int)]
        if len(tile) == 2:
            judge_size((tile[0], tile[1]), name, most, " tiles")
    if image.format in ("JPEG", "MPO"):
        _judge_scans(image, name)


def judge_size(size: tuple[int, int], name: str, most: int | None = None, what: str = "") -> None:
    """InputError (`TooLarge`): more than `most` pixels (`most_pixels()` if None), or too long a side. size: (width,
    height) px; what: of the image has them, a space before it."""
    most = most_pixels() if most is None else most
    width, height = size
    if width * height > most or max(size) > LONGEST_SIDE:
        raise TooLarge(
            f"{name} has{what} {width} x {height} px: at most {most / 1e6:g} megapixels are read and "
            f"{LONGEST_SIDE} px a side (a panorama that is meant: cut or shrink it, or set {VARIABLE})"
        )


class TooLarge(InputError):
    """An image of more pixels than are read."""


def _judge_scans(image: Image.Image, name: str) -> None:
    assert isinstance(image, ImageFile.ImageFile) and image.fp is not None  # it was opened from a file
    file, at = image.fp, image.fp.tell()
    try:
        file.seek(0)
        scans, before = 0, b""
        while part := file.read(1 << 20):
            scans += part.count(_SCAN) + (before + part[:1] == _SCAN)
            if scans > MOST_SCANS:
                raise InputError(f"{name} has more than {MOST_SCANS} scans, which no camera makes")
            before = part[-1:]
    finally:
        file.seek(at)


def _known() -> list[str]:
    """Those of `FORMATS` that this Pillow reads."""
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]
