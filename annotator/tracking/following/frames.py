"""Frames of a video with their numbers and times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from annotator.errors import InputError


class Frame(NamedTuple):
    """number: of the frame in its video; seconds: its time stamp; photo: (H, W, 3) uint8."""

    number: int
    seconds: float
    photo: np.ndarray


def frames_of(source, numbers: Iterable[int], skipped=None) -> Iterator[Frame]:
    """The frames of a video (`vision.video.source.VideoSource`) with these numbers; one that cannot be decoded is left
    out: `skipped` is called with a line that names it."""
    for number in numbers:
        try:
            photo = source.read(int(number))
        except InputError as error:
            if skipped is not None:
                skipped(str(error))
            continue
        yield Frame(int(number), float(source.seconds[source.position(int(number))]), photo)
