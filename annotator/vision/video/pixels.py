"""A decoded frame as a photo: pixels made square, turned as the file asks for, RGB."""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from annotator.vision.images.image_files import as_photo

if TYPE_CHECKING:
    from av.video.reformatter import VideoReformatter

WIDEST = 8  # a pixel more than so many times as wide as high, or as high as wide, is a mistake of the file's


def photo_of(frame, aspect: Fraction | None, name: str, convert: VideoReformatter) -> np.ndarray:
    """(H, W, 3) uint8 RGB of PyAV's frame. aspect: a pixel's width by its height, None or 0 if the file does not say;
    the width is scaled by it. name: for errors. InputError: under 8 px a side.

    convert: one for all frames of a video, for one thread at a time. `frame.reformat` would make one that stays with
    the frame, with threads of its own: 50 frames that are kept were 100 threads.
    """
    width = frame.width
    if aspect and 1 / WIDEST <= aspect <= WIDEST:
        width = max(round(width * aspect), 1)
    pixels = convert.reformat(frame, width=width, height=frame.height, format="rgb24").to_ndarray()
    return as_photo(turned(pixels, _matrix(frame)), name)


def turned(pixels: np.ndarray, matrix: tuple[int, int, int, int]) -> np.ndarray:
    """The picture as a display matrix shows it. matrix (a, b, c, d): the pixel (x, y) is shown at (ax + cy, bx + dy),
    up to a shift; only quarter turns and mirrorings are made, others are rounded to the nearest."""
    a, b, c, d = matrix
    if abs(a) + abs(d) < abs(b) + abs(c):
        pixels = pixels.swapaxes(0, 1)
        across, down = c, b
    else:
        across, down = a, d
    pixels = pixels[:, ::-1] if across < 0 else pixels
    return pixels[::-1] if down < 0 else pixels


def _matrix(frame) -> tuple[int, int, int, int]:
    """(a, b, c, d) of the frame's display matrix, 1 is 65536; a file without one shows frames as they are."""
    from av.sidedata.sidedata import SideDataContainer

    # `frame.side_data` stays with the frame and holds it: a circle, so that hundreds of frames waited for the collector
    for side in SideDataContainer(frame):  # type: ignore[call-arg]  # PyAV's stub leaves the frame out
        if side.type.name == "DISPLAYMATRIX":
            a, b, _, c, d, *_ = struct.unpack("=9i", bytes(side)[:36])
            return a, b, c, d
    return 1, 0, 0, 1
