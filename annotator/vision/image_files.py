"""Image files: any common one to (H, W, 3) uint8 RGB, or one clear error that names the file."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from annotator.errors import InputError
from annotator.vision.damaged import PhotoRemark, without_its_end
from annotator.vision.deep import deep_colours, eight_bits, read_tiff

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # how files of that kind begin
SMALLEST_SIDE = 8  # px; below this there is no hand to see
BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    struct.error,
    zlib.error,
    MemoryError,
)


def read_image(path: str | Path) -> np.ndarray:
    """Read an image file as (H, W, 3) uint8 RGB.

    The EXIF orientation is applied. Grey and palette images become RGB, transparency is laid over white; deeper images
    are scaled to 8 bits, white being what 8, 10, 12, 14 or 16 bits can say, the fewest that hold the values
    (`deep.eight_bits`), and float images 0..1. Of an animation the first frame counts. A JPEG that only lacks its end
    is read, with a warning (`damaged.PhotoRemark`). HEIC needs pillow-heif. Raises InputError naming the file: missing,
    a directory, not an image, truncated, NaN, under 8 px a side, values whose white nobody knows.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a directory, expected an image file")
    if not path.exists():
        raise InputError(f"{path} does not exist")
    if not path.is_file():  # a pipe would be waited for without end
        raise InputError(f"{path} is not an ordinary file")
    return _decoded(path, str(path))


def decode_photo(content: bytes, name: str) -> np.ndarray:
    """`read_image` from an image file's bytes; name: what errors call it."""
    return _decoded(io.BytesIO(content), name)


def decode_page(path: Path, page: int, highest: int = 0) -> np.ndarray:
    """`read_image` of one picture (from 0) of a file that holds several; highest: value in any of them, see
    `deep.eight_bits`."""
    return _decoded(path, f"{path} page {page}", page, highest)


def _decoded(file: Path | io.BytesIO, name: str, page: int = 0, highest: int = 0) -> np.ndarray:
    try:
        if _start(file)[:4] in _TIFF:
            deep = _deep_tiff(file, page, highest)
            if deep is not None:
                return as_photo(deep, name)
        with open_image(file) as image:
            if page:
                image.seek(page)
            upright = ImageOps.exif_transpose(_loaded(image, file, name))
            pixels = _pixels(upright)
            if deep_colours(image, _start(file)) and pixels.max() < 64:
                raise InputError(
                    f"{name} has 16 bits a colour of which the upper ones are empty, as 12-bit data have: it would be "
                    "nearly black; save it with 8 bits, or as TIFF"
                )
            return as_photo(pixels, name)
    except InputError:
        raise
    except UnidentifiedImageError as error:
        raise InputError(f"{name} is not an image this program can read{_hint(file)}") from error
    except Image.DecompressionBombError as error:
        raise InputError(f"{name} is too large: {error}") from error
    except BROKEN as error:
        raise InputError(f"{name} is a broken or truncated image: {error}") from error


def open_image(file: Path | io.BytesIO) -> Image.Image:
    """Pillow's image of a file, not decoded yet; HEIC, too, where pillow-heif is installed. Pillow's own errors."""
    if _is_heif(file) and importlib.util.find_spec("pillow_heif") is not None:
        import pillow_heif

        pillow_heif.register_heif_opener()
    return Image.open(file)


def _loaded(image: Image.Image, file: Path | io.BytesIO, name: str) -> Image.Image:
    """The image decoded; a JPEG without its end by another way."""
    try:
        image.load()
        return image
    except OSError:
        data = file.read_bytes() if isinstance(file, Path) else file.getvalue()
        whole = without_its_end(data) if image.format in ("JPEG", "MPO") else None
        if whole is None:
            raise
        warnings.warn(f"{name} has no end marker; the picture is there", PhotoRemark, stacklevel=4)
        return whole


def _deep_tiff(file: Path | io.BytesIO, page: int = 0, highest: int = 0) -> np.ndarray | None:
    if not isinstance(file, Path):
        file.seek(0)
    found = read_tiff(file, page)
    if not isinstance(file, Path):
        file.seek(0)
    if found is not None and found.dtype.kind in "iu":
        return eight_bits(found, highest)
    return found if found is None else found.astype(np.float64)


def _start(file: Path | io.BytesIO) -> bytes:
    """The first bytes of the file."""
    if not isinstance(file, Path):
        return file.getvalue()[:32]
    with file.open("rb") as opened:
        return opened.read(32)


def _is_heif(file: Path | io.BytesIO) -> bool:
    try:
        head = _start(file)
    except OSError:
        return False
    return head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


def _hint(file: Path | io.BytesIO) -> str:
    return ": HEIC needs pip install 'hand-mesh-annotator[heif]'" if _is_heif(file) else ""


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
    if min(height, width) < SMALLEST_SIDE:
        raise InputError(f"{name} is {width} x {height} px, expected at least {SMALLEST_SIDE} px a side")
    if array.dtype == np.uint16:
        array = ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    elif array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise InputError(f"{name} has NaN or infinite pixels")
        if array.min() < 0 or array.max() > 1:
            raise InputError(f"{name} is a float image with values outside 0..1 ({array.min():g} to {array.max():g})")
        array = np.rint(array * 255.0).astype(np.uint8)
    elif array.dtype != np.uint8:
        raise InputError(f"{name} has dtype {array.dtype}, expected uint8")
    if channels == 4:
        alpha = array[..., 3:].astype(np.uint16)
        array = ((array[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    elif channels == 1:
        array = np.repeat(array, 3, axis=2)
    return np.ascontiguousarray(array)


def file_hash(path: str | Path) -> str:
    """SHA-256 of the file's bytes, 64 hexadecimal digits. InputError if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def _pixels(image: Image.Image) -> np.ndarray:
    """Pillow's many modes as an array that `as_photo` takes."""
    if image.mode == "F":
        return np.asarray(image, np.float64)
    if image.mode.startswith("I"):  # 16-bit greys, or 32-bit ones whose values fit in 16 bits
        return eight_bits(np.asarray(image))
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        return np.asarray(image.convert("RGBA"))
    return np.asarray(image.convert("RGB"))
