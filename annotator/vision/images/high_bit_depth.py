"""Pictures of more than 8 bits, as files have them: 12 bits in 16, 32-bit numbers, planes apart. Shown as what they
are."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import TiffImageFile

_ALPHAS = {1, 2}  # of TIFF's kinds of extra channels: transparency, colours multiplied by it or not
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
    white = _white(values, highest)
    scaled = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), BAND):
        scaled[top : top + BAND] = (values[top : top + BAND].astype(np.uint32) * 255 + white // 2) // white
    return scaled


def colours_in_eight_bits(values: np.ndarray, highest: int = 0) -> np.ndarray:
    """`eight_bits` of a picture (H, W) or (H, W, C) with transparency as its second or fourth channel, which says
    nothing of how bright the colours are; grey with transparency becomes (H, W, 4)."""
    colours = colours_of(values)
    shown = eight_bits(colours, highest)
    if colours is values:
        return shown
    return np.dstack([np.broadcast_to(shown, (*shown.shape[:2], 3)), eight_bits(values[..., -1])])


def colours_of(values: np.ndarray) -> np.ndarray:
    """A picture (H, W) or (H, W, C) without its transparency."""
    return values if values.ndim == 2 or values.shape[2] not in (2, 4) else values[..., :-1]


def _white(values: np.ndarray, highest: int = 0) -> int:
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        raise ValueError(f"{8 * values.dtype.itemsize}-bit pixels from {low} to {high}: what is white is not said")
    return next(2**bits - 1 for bits in DEPTHS if max(high, highest) < 2**bits)


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
            own = 3 if photometric == "RGB" else 1
            if page.samplesperpixel == own + 1 and not {int(kind) for kind in page.extrasamples} & _ALPHAS:
                array = array[..., :own]  # infrared, or what nobody says
            if photometric == "MINISWHITE":
                array = (_white(array) if array.dtype.kind in "iu" else 1) - array
            turn = page.tags["Orientation"].value if "Orientation" in page.tags else 1
    return upright(array, int(turn))


def read_deep_png(file: Path | BinaryIO) -> np.ndarray:
    """A PNG of 16 bits a colour as stored, (H, W, 3 or 4) uint16, not turned; of grey with transparency (H, W, 4).

    Pillow keeps the upper 8 bits alone, so the package `av` (PyAV) decodes it: ImportError where that is not installed,
    ValueError where the file is damaged.
    """
    import av

    if not isinstance(file, Path):
        file.seek(0)
    try:
        with av.open(str(file) if isinstance(file, Path) else file, "r", format="png_pipe") as container:
            frame = next(container.decode(video=0))
            return frame.to_ndarray(format="rgba64le") if frame.format.name.startswith("ya16") else frame.to_ndarray()
    except (av.FFmpegError, StopIteration) as error:
        raise ValueError(str(error) or "no picture in it") from error


def upright(array: np.ndarray, turn: int) -> np.ndarray:
    """The array (H, W, ...) as EXIF's orientation `turn` has it shown."""
    return _UPRIGHT.get(turn, lambda a: a)(array)


def deep_colours(image: Image.Image, head: bytes) -> bool:
    """Whether a picture with colours or transparency that Pillow opened has 16 bits a value, of which it keeps the
    upper 8; head: of its file."""
    if image.mode not in ("RGB", "RGBA", "LA"):
        return False
    if image.format == "TIFF":
        assert isinstance(image, TiffImageFile)
        return max(image.tag_v2.get(258, (8,))) > 8  # BitsPerSample
    if image.format == "JPEG2000":
        return _jpeg2000_bits(head) >= 16
    if isinstance(image, PpmImageFile):  # its decoder is told the value that is white, where it is not 255
        return any(isinstance(tile.args, tuple) and tile.args[-1] == 65535 for tile in image.tile)
    return head[:8] == b"\x89PNG\r\n\x1a\n" and head[24:25] == b"\x10"


def _jpeg2000_bits(head: bytes) -> int:
    """Bits a value by the header box of a .jp2 or the size marker of a bare codestream, 0 where neither is there."""
    place = head.find(b"ihdr") + 14 if b"ihdr" in head else 42 if head[:4] == b"\xff\x4f\xff\x51" else len(head)
    return (head[place] & 0x7F) + 1 if place < len(head) else 0
