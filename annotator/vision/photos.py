"""Photos, wherever they are: an image file, or a frame of a video (`clip.mp4#frame=120`).

Everything that reads a project's photos gets their pixels here, and asks here whether they are still what they were.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.files.file_errors import reading
from annotator.files.frame_places import file_of, frame_place, is_pattern
from annotator.files.photo_paths import VIDEO_SUFFIXES
from annotator.vision.images.image_files import as_photo, decode_photo, file_hash, photo_size, read_image
from annotator.vision.video.opening import Frame, frame_at, open_video

__all__ = [
    "as_photo", "decode_photo", "frame_of", "photo_bytes", "photo_hash", "photo_size", "photo_there", "read_photo",
]  # fmt: skip


def read_photo(path: str | Path) -> np.ndarray:
    """The pixels of a photo, upright.

    The turn that the file asks for (EXIF, a video's display matrix) is applied. Grey and palette images become RGB,
    transparency is laid over white, deeper images are scaled to 8 bits (see `image_files.read_image`), pixels that are
    not square are made so. Of an animated image the first picture counts.

    Parameters
    ----------
    path
        An image file, or a frame of a video by its place (`clip.mp4#frame=120`).

    Returns
    -------
    numpy.ndarray
        (H, W, 3) uint8 RGB.

    Raises
    ------
    InputError
        Naming the file: missing, a directory, not an image, truncated, NaN, under 8 px a side, more pixels than
        `opening.most_pixels()`; a video that cannot be read, or has no such frame, or a damaged one.
    """
    place = _frame(path)
    if place is not None:
        return open_video(place.video, place.rate).read(place.number)
    if Path(path).suffix.lower() in VIDEO_SUFFIXES or (is_pattern(path) and not os.path.exists(path)):
        video = open_video(path)  # says what is wrong with it
        first, last = video.numbers[0], video.numbers[-1]
        raise InputError(f"{path} is a video of frames {first} to {last}: name one (as {video.place(first).as_path()})")
    return read_image(path)


def photo_hash(path: str | Path) -> str:
    """What a photo is, as 64 hexadecimal digits: SHA-256 of the image file's bytes; of a frame of a video, of the
    video's own hash and the frame's number. InputError if it cannot be read."""
    place = _frame(path)
    return file_hash(path) if place is None else open_video(place.video, place.rate).digest(place.number)


def photo_there(path: str | Path) -> bool:
    """Whether the file is there that holds this photo."""
    return os.path.isfile(path) or (frame_place(path) is not None and os.path.isfile(file_of(path)))


def photo_bytes(path: str | Path) -> int:
    """The size of the file that holds this photo. InputError if there is none."""
    file = Path(path) if _frame(path) is None else file_of(path)
    with reading(file, "has no size"):
        return file.stat().st_size


def frame_of(path: str | Path) -> Frame | None:
    """Which frame of which video a photo is, and when it was taken; None for an image file. InputError: see
    `read_photo`."""
    place = _frame(path)
    return None if place is None else frame_at(place)


def _frame(path: str | Path):
    """The frame that a path means, unless there is a file of just that name."""
    place = frame_place(path)
    return None if place is None or os.path.exists(path) else place
