"""Pictures of more than 8 bits, as files have them: 12 bits in 16, 32-bit numbers, planes apart. Shown as what they
are."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

BAND = 256  # rows that are converted together
DEPTHS = (8, 10, 12, 14, 16)  # bits that cameras and scanners give
# EXIF's orientation -> what makes the stored rows and columns upright
_UPRIGHT = {
    2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1], 5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1), 7: lambda a: a[::-1, ::-1].swapaxes(0, 1), 8: lambda a: np.rot90(a, 1),
}  # fmt: skip


def eight_bits(values: np.ndarray, highest: int = 0) -> np.ndarray:
    """Whole numbers as uint8, white being the most that the fewest usual bits (`DEPTHS`) can say that hold them all,
    and `highest` (of pictures that belong together).

    A file that has 16 bits a value often holds 12: divided by 65535 they would be nearly black. ValueError below 0 or
    beyond 65535: nobody says what white is there.
    """
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        raise ValueError(f"{8 * values.dtype.itemsize}-bit pixels from {low} to {high}: what is white is not said")
    white = next(2**bits - 1 for bits in DEPTHS if max(high, highest) < 2**bits)
    scaled = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), BAND):
        scaled[top : top + BAND] = (values[top : top + BAND].astype(np.uint32) * 255 + white // 2) // white
    return scaled


Judge = Callable[[tuple[int, int], str], None]


def read_tiff(file: Path | BinaryIO, page: int = 0, judge: Judge | None = None) -> np.ndarray | None:
    """A picture (from 0) of a TIFF with more than 8 bits a value, (H, W) or (H, W, C), upright, as stored.

    None where it has 8 or less, is of a kind that is not grey or RGB, or is for other readers to say what is wrong
    with. ValueError where it would be misread elsewhere: planes apart in a compression that is not known here.
    judge: told (width, height) px of the picture and of its tiles before anything is decoded; what it raises ends it.
    """
    import tifffile

    try:
        return _deep(file, page, judge, tifffile)
    except tifffile.TiffFileError:
        return None


def _deep(file: Path | BinaryIO, number: int, judge: Judge | None, tifffile) -> np.ndarray | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with tifffile.TiffFile(file) as tiff:
            page = tiff.pages[number]
            photometric = getattr(page.photometric, "name", "")
            if (page.bitspersample or 8) <= 8 or photometric not in ("MINISBLACK", "MINISWHITE", "RGB"):
                return None
            if page.samplesperpixel > 4 or "ImageDepth" in page.tags:
                return None
            if judge is not None:
                judge((page.imagewidth, page.imagelength), "")
                judge((page.tilewidth, page.tilelength) if page.is_tiled else (0, 0), " tiles")
            try:
                array = page.asarray()
            except ValueError:
                if int(page.planarconfig) == 2:
                    raise
                return None
            if array.ndim not in (2, 3):
                return None
            if array.ndim == 3 and int(page.planarconfig) == 2:
                array = np.moveaxis(array, 0, -1)
            if photometric == "MINISWHITE":
                array = array.max() - array
            turn = page.tags["Orientation"].value if "Orientation" in page.tags else 1
    return upright(array, int(turn))


def read_deep_png(file: Path | BinaryIO) -> np.ndarray:
    """A PNG of 16 bits a colour as stored, (H, W, 3 or 4) uint16, not turned. Pillow keeps the upper 8 bits alone, so
    the package `av` (PyAV) decodes it: ImportError where that is not installed, ValueError where the file is damaged.
    """
    import av

    if not isinstance(file, Path):
        file.seek(0)
    try:
        with av.open(str(file) if isinstance(file, Path) else file, "r", format="png_pipe") as container:
            return next(container.decode(video=0)).to_ndarray()
    except (av.FFmpegError, StopIteration) as error:
        raise ValueError(str(error) or "no picture in it") from error


def upright(array: np.ndarray, turn: int) -> np.ndarray:
    """The array (H, W, ...) as EXIF's orientation `turn` has it shown."""
    return _UPRIGHT.get(turn, lambda a: a)(array)


def deep_colours(image: Image.Image, head: bytes) -> bool:
    """Whether a colour picture that Pillow opened has 16 bits a value, of which it keeps the upper 8; head: of its
    file."""
    if image.format == "TIFF":
        assert isinstance(image, TiffImageFile)
        return image.mode in ("RGB", "RGBA") and max(image.tag_v2.get(258, (8,))) > 8  # BitsPerSample
    return head[:8] == b"\x89PNG\r\n\x1a\n" and head[24:25] == b"\x10" and head[25:26] in (b"\x02", b"\x06")
