"""Photos: any common image file to (H, W, 3) uint8 RGB, or one clear error that names the file."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from annotator.errors import InputError
from annotator.vision.opening import opened

SMALLEST_SIDE = 8  # px; below this there is no hand to see
BAND = 256  # rows that are converted together


def read_photo(path: str | Path) -> np.ndarray:
    """Read an image file as (H, W, 3) uint8 RGB.

    The EXIF orientation is applied. Grey and palette images become RGB, transparency is laid over white,
    16-bit and float images (0..1) are scaled to 8 bits. Of an animation the first frame counts. Raises
    InputError naming the file: missing, a directory, not an image, truncated, NaN, under 8 px a side, more pixels
    than `opening.most_pixels()` (then nothing of it is decoded).
    """
    return _decoded(Path(path), str(path))


def decode_photo(content: bytes, name: str, most: int | None = None) -> np.ndarray:
    """`read_photo` from an image file's bytes; name: what errors call it; most: pixels (`opening.most_pixels()`)."""
    return _decoded(io.BytesIO(content), name, most)


def _decoded(file: Path | io.BytesIO, name: str, most: int | None = None) -> np.ndarray:
    with opened(file, name, most) as image:
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        width, height = image.size
        _check_sides(width, height, name)
        photo = np.empty((height, width, 3), np.uint8)
        for top in range(0, height, BAND):  # what conversions need beside the photo does not grow with it
            rows = image.crop((0, top, width, min(top + BAND, height)))
            photo[top : top + BAND] = _converted(_checked(_pixels(rows), name))
        return photo


def photo_size(path: str | Path) -> tuple[int, int]:
    """(height, width) px as the file's head has them, its EXIF turn not applied. InputError naming a missing or
    broken file, and one that is too large."""
    with opened(Path(path), str(path)) as image:
        return image.height, image.width


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


def photo_hash(path: str | Path) -> str:
    """SHA-256 of the file's bytes, 64 hexadecimal digits. InputError if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def _pixels(image: Image.Image) -> np.ndarray:
    """Pillow's many modes as an array that `as_photo` takes."""
    if image.mode == "F":
        return np.asarray(image)
    if image.mode.startswith("I"):  # 16-bit greys, or 32-bit ones whose values fit in 16 bits
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 65535:
            raise ValueError("32-bit pixels beyond 0..65535")
        return values.astype(np.uint16)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        return np.asarray(image.convert("RGBA"))
    return np.asarray(image.convert("RGB"))
