"""JPEG files that only lack their end."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from annotator.errors import InputError
from annotator.vision.images.opening import opened_image

FEW = 0.002  # share of pixels that may depend on what is missing: the last block of the last row
_MORE = bytes(37 * k % 251 for k in range(251))  # bits that would be pixels, were any wanting

_END = b"\xff\xd9"


class PhotoRemark(UserWarning):
    """Something is odd about a photo that was read all the same."""


def has_its_end(file: Path | io.BytesIO) -> bool:
    """Whether a JPEG, or the first picture of several in one file, has its end marker, whatever stands behind it.

    Decoders need none once they have all pixels: zeros behind a cut are enough. Cameras put other pictures, films and
    padding behind the marker, and a small picture with a marker of its own into the head, which does not count.
    """
    if isinstance(file, io.BytesIO):
        data = file.getvalue()
    else:
        with file.open("rb") as there:
            there.seek(max(file.stat().st_size - len(_END), 0))
            if there.read() == _END:
                return True
            there.seek(0)
            data = there.read()
    # among the bits of pixels a marker's first byte is followed by 0 or by a restart's number
    return data.endswith(_END) or data.find(_END, _first_scan(data)) >= 0


def _first_scan(data: bytes) -> int:
    """Where the head ends and the first scan begins, by the lengths of the head's parts."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        filling = data[at + 1] == 0xFF  # any number of these may stand before a marker
        at += 1 if filling else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return at


def without_its_end(data: bytes, name: str = "photo") -> Image.Image | None:
    """The picture of a JPEG whose end marker, and at most its very last block, is missing; None where more is.

    A decoder fills what is missing with something. So the file is decoded twice, with and without more bits before the
    marker: where the pixels are there, these change nothing.
    """
    if not data.startswith(b"\xff\xd8\xff") or data.endswith(_END):
        return None
    data = data.removesuffix(b"\xff")
    pictures = []
    for more in (b"", _MORE * (len(data) // len(_MORE) + 20)):
        try:
            with opened_image(io.BytesIO(data + more + _END), name) as image:
                image.load()
                pictures.append(image)
        except InputError:
            return None
    a, b = (np.asarray(picture) for picture in pictures)
    return pictures[0] if (a != b).mean() <= FEW else None
