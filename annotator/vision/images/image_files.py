"""Image files: any common one to (H, W, 3) uint8 RGB, or one clear error that names the file."""

from __future__ import annotations

import hashlib
import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from annotator.errors import InputError
from annotator.files.file_errors import reading as reading_file
from annotator.vision.images.damaged_jpeg import PhotoRemark, has_its_end, without_its_end
from annotator.vision.images.high_bit_depth import (
    colours_in_eight_bits,
    deep_colours,
    eight_bits,
    read_deep_png,
    read_tiff,
    upright,
)
from annotator.vision.images.opening import judge_size, opened_image, reading

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # how files of that kind begin
_ORIENTATION = 0x0112  # EXIF
_ON_ITS_SIDE = (5, 6, 7, 8)  # of its values: width and height change places
SMALLEST_SIDE = 8  # px; below this there is no hand to see
BAND = 256  # rows that are converted together


def read_image(path: str | Path) -> np.ndarray:
    """Read an image file as (H, W, 3) uint8 RGB.

    The EXIF orientation is applied. Grey and palette images become RGB, transparency is laid over white; deeper images
    are scaled to 8 bits, white being what 8, 10, 12, 14 or 16 bits can say, the fewest that hold the values
    (`deep.eight_bits`), and float images 0..1. Of an animation the first frame counts. A JPEG that only lacks its end
    is read, with a warning (`damaged.PhotoRemark`). HEIC needs pillow-heif. Raises InputError naming the file: missing,
    a directory, not an image, truncated, NaN, under 8 px a side, values whose white nobody knows, more pixels than
    `opening.most_pixels()` (then nothing of it is decoded).
    """
    return _decoded(Path(path), str(path))


def decode_photo(content: bytes, name: str, most: int | None = None) -> np.ndarray:
    """`read_image` from an image file's bytes; name: what errors call it; most: pixels (`opening.most_pixels()`)."""
    return _decoded(io.BytesIO(content), name, most)


def decode_page(path: Path, page: int, highest: int = 0) -> np.ndarray:
    """`read_image` of one picture (from 0) of a file that holds several; highest: value in any of them, see
    `deep.eight_bits`."""
    return _decoded(path, f"{path} page {page}", None, page, highest)


def photo_size(path: str | Path) -> tuple[int, int]:
    """(height, width) px of the photo as `read_image` shows it, upright, from the file's head. InputError naming a
    missing or broken file, and one that is too large."""
    with opened_image(path, str(path)) as image:
        turned = image.getexif().get(_ORIENTATION, 1) in _ON_ITS_SIDE
        return (image.width, image.height) if turned else (image.height, image.width)


def _decoded(
    file: Path | io.BytesIO, name: str, most: int | None = None, page: int = 0, highest: int = 0
) -> np.ndarray:
    with reading(file, name) as start:
        deep = _deep_tiff(file, name, most, page, highest) if start[:4] in _TIFF else None
    if deep is not None:
        return as_photo(deep, name)
    with opened_image(file, name, most) as image:
        if page:
            image.seek(page)
            judge_size(image.size, name, most)
        deep_ones = deep_colours(image, start)
        shown = _loaded(image, file, name)
        turn = shown.getexif().get(_ORIENTATION, 1)
        ImageOps.exif_transpose(shown, in_place=True)
        if deep_ones and np.max(shown.getextrema()[: 1 if shown.mode == "LA" else 3]) < 64:
            return _every_bit(file, name, image.format, turn)
        return _converted_image(shown, name)


def _every_bit(file: Path | io.BytesIO, name: str, kind: str | None, turn: int) -> np.ndarray:
    """A picture whose upper bits are empty, as 12-bit data have it, by all its bits; kind: as Pillow calls it; turn:
    EXIF's orientation."""
    empty = f"{name} has 16 bits a colour of which the upper ones are empty, as 12-bit data have: "
    if kind != "PNG":
        raise InputError(f"{empty}it would be nearly black; save it with 8 bits, or as PNG")
    try:
        array = upright(read_deep_png(file), turn)
    except ImportError as error:
        needs = "reading it needs the package 'av' (pip install 'hand-mesh-annotator[video]')"
        raise InputError(f"{empty}{needs}; or save it with 8 bits, or as TIFF") from error
    return as_photo(colours_in_eight_bits(array), name)


def _converted_image(image: Image.Image, name: str) -> np.ndarray:
    if image.mode == "F":
        return as_photo(np.asarray(image), name)
    if image.mode.startswith("I"):  # 16-bit greys, or 32-bit ones whose values fit in 16 bits
        return as_photo(eight_bits(np.asarray(image)), name)
    width, height = image.size
    _check_sides(width, height, name)
    photo = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, BAND):  # what conversions need beside the photo does not grow with it
        rows = image.crop((0, top, width, min(top + BAND, height)))
        photo[top : top + BAND] = _converted(_pixels(rows))
    return photo


def _loaded(image: Image.Image, file: Path | io.BytesIO, name: str) -> Image.Image:
    """The image decoded; a JPEG without its end by another way, and with a warning."""
    jpeg = image.format in ("JPEG", "MPO")
    shown = image
    try:
        image.load()
        if not jpeg or has_its_end(file):
            return image
    except OSError:
        data = file.read_bytes() if isinstance(file, Path) else file.getvalue()
        whole = without_its_end(data, name) if jpeg else None
        if whole is None:
            raise
        shown = whole
    warnings.warn(f"{name} has no end marker; the picture is there", PhotoRemark, stacklevel=4)
    return shown


def _deep_tiff(
    file: Path | io.BytesIO, name: str, most: int | None, page: int = 0, highest: int = 0
) -> np.ndarray | None:
    def judge(size: tuple[int, int], what: str) -> None:
        judge_size(size, name, most, what)

    if not isinstance(file, Path):
        file.seek(0)
    found = read_tiff(file, page, judge)
    if not isinstance(file, Path):
        file.seek(0)
    if found is not None and found.dtype.kind in "iu":
        return colours_in_eight_bits(found, highest)
    return found if found is None else found.astype(np.float64)


def as_photo(array, name: str = "photo") -> np.ndarray:
    """Check an array and return it as a contiguous (H, W, 3) uint8 RGB photo.

    Taken as they are: uint8 (H, W, 3). Converted: grey (H, W) or (H, W, 1); RGBA (H, W, 4), laid over white;
    uint16 (divided by 257); float in 0..1. InputError, beginning with `name`, for another shape or dtype, for
    NaN, values outside 0..1 in a float image, or a side under 8 px.
    """
    try:
        array = np.asarray(array)
    except ValueError as error:
        raise InputError(f"{name} is not an array: {error}") from error
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise InputError(f"{name} has shape {array.shape}, expected (height, width, 3)")
    height, width, channels = array.shape
    _check_sides(width, height, name)
    _checked(array, name)
    if array.dtype == np.uint8 and channels == 3:
        return np.ascontiguousarray(array)
    photo = np.empty((height, width, 3), np.uint8)
    for start in range(0, height, BAND):
        photo[start : start + BAND] = _converted(array[start : start + BAND])
    return photo


def _check_sides(width: int, height: int, name: str) -> None:
    if min(height, width) < SMALLEST_SIDE:
        raise InputError(f"{name} is {width} x {height} px, expected at least {SMALLEST_SIDE} px a side")


def _checked(array: np.ndarray, name: str) -> np.ndarray:
    """The array itself. InputError: its values are none of a photo."""
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise InputError(f"{name} has NaN or infinite pixels")
        if array.min() < 0 or array.max() > 1:
            raise InputError(f"{name} is a float image with values outside 0..1 ({array.min():g} to {array.max():g})")
    elif array.dtype not in (np.uint8, np.uint16):
        raise InputError(f"{name} has dtype {array.dtype}, expected uint8")
    return array


def _converted(array: np.ndarray) -> np.ndarray:
    """(H, W), or (H, W, 1, 3 or 4), uint8, uint16 or floats 0..1, as (H, W, 1 or 3) uint8."""
    if array.ndim == 2:
        array = array[..., None]
    if array.dtype == np.uint16:
        array = ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    elif array.dtype.kind == "f":
        array = np.rint(array.astype(np.float64) * 255.0).astype(np.uint8)
    if array.shape[2] == 4:
        alpha = array[..., 3:].astype(np.uint16)
        array = ((array[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return array


def file_hash(path: str | Path) -> str:
    """SHA-256 of the file's bytes, 64 hexadecimal digits. InputError if it cannot be read."""
    with reading_file(path, "has no content"), open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pixels(image: Image.Image) -> np.ndarray:
    """Pillow's many modes of 8 bits as (H, W, 3) or (H, W, 4)."""
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        return np.asarray(image.convert("RGBA"))
    return np.asarray(image.convert("RGB"))
