"""Videos: every frame with its number and time stamp, decoded when it is wanted.

`opening.open_video` gives a `source.VideoSource` for a file of any container and codec that PyAV reads, for a numbered
sequence of image files (`walk/%06d.png`) and for a TIFF file of many pages. A frame's place (`clip.mp4#frame=120`) goes
wherever a photo's path goes, see `annotator.vision.photos`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from annotator.errors import InputError
from annotator.files.atomic import put
from annotator.vision.video.choosing import Choice
from annotator.vision.video.opening import is_video, open_video

__all__ = ["Choice", "frames", "is_video", "open_video", "save_frames"]

QUALITY = 95  # JPEG


def frames(
    path: str | Path, every: float = 0.5, skipped: Callable[[str], object] | None = None
) -> Iterator[tuple[int, np.ndarray]]:
    """(number of the frame, (H, W, 3) uint8 RGB), one each `every` seconds (0: all), in their order.

    A frame that cannot be decoded is left out: `skipped` is called with a line that names it. InputError naming the
    file: missing, no video; or that the package `av` is not installed.
    """
    video = open_video(path)
    for row in Choice(every).rows(video):
        number = int(video.numbers[row])
        try:
            picture = video.read(number)
        except InputError as error:
            if skipped is not None:
                skipped(str(error))
            continue
        yield number, picture


def save_frames(
    path: str | Path, folder: str | Path, every: float = 0.5, skipped: Callable[[str], object] | None = None
) -> Iterator[Path]:
    """Write frames (see `frames`) as JPEG files into `folder`; yields each file as it is there.

    A file is named by the video's name, eight digits of what it contains, and the frame: a file that is there already
    is that frame, and is left as it is. Projects do not need this: they keep a frame's place.
    """
    video, folder = open_video(path), Path(folder)
    for number, picture in frames(path, every, skipped):
        target = folder / f"{video.path.stem}-{video.sha256[:8]}-{number:06d}.jpg"
        if not target.is_file():
            image = Image.fromarray(picture)
            put(target, partial(image.save, format="JPEG", quality=QUALITY))
        yield target
