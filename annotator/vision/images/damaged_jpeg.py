"""JPEG files that only lack their end."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from annotator.errors import InputError
from annotator.vision.images.opening import opened

FEW = 0.002  # share of pixels that may depend on what is missing: the last block of the last row
_MORE = bytes(37 * k % 251 for k in range(251))  # bits that would be pixels, were any wanting


class PhotoRemark(UserWarning):
    """Something is odd about a photo that was read all the same."""


def without_its_end(data: bytes, name: str = "photo") -> Image.Image | None:
    """The picture of a JPEG whose end marker, and at most its very last block, is missing; None where more is.

    A decoder fills what is missing with something. So the file is decoded twice, with and without more bits before the
    marker: where the pixels are there, these change nothing.
    """
    if not data.startswith(b"\xff\xd8\xff") or data.endswith(b"\xff\xd9"):
        return None
    data = data.removesuffix(b"\xff")
    pictures = []
    for more in (b"", _MORE * (len(data) // len(_MORE) + 20)):
        try:
            with opened(io.BytesIO(data + more + b"\xff\xd9"), name) as image:
                image.load()
                pictures.append(image)
        except InputError:
            return None
    a, b = (np.asarray(picture) for picture in pictures)
    return pictures[0] if (a != b).mean() <= FEW else None
