"""Videos among photos: in a video's place the frames of it that are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from annotator.errors import InputError
from annotator.files.frame_places import RATE
from annotator.vision.video.choosing import Choice
from annotator.vision.video.opening import is_video, open_video


def expanded(files: Iterable[str | Path], choice: Choice | None = None, rate: float = RATE) -> Iterator[Path]:
    """The photos as they are; in the place of each video the places of its frames, in their order.

    choice: which of them, default one each half second; rate: frames a second of image sequences and TIFF files, which
    have no clock. A video that cannot be read, and one without a frame of the choice, stays: reading it as a photo says
    what is wrong with it.
    """
    choice = Choice() if choice is None else choice
    for file in map(Path, files):
        if not is_video(file):
            yield file
            continue
        try:
            video = open_video(file, rate)
            wanted = [video.place(number).as_path() for number in video.numbers[choice.rows(video)]]
        except InputError:
            wanted = []
        yield from wanted or [file]
