"""Photos for whoever reads in the background, beside somebody who steps through a video."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from annotator.files.frame_places import frame_place
from annotator.vision.photos import read_photo
from annotator.vision.video.opening import open_video
from annotator.vision.video.source import VideoSource


class ReaderBeside:
    """Reads photos as `read_photo` does, frames by a decoder of its own: the other one stays where it is, and is never
    waited for. For one thread; the last video stays open."""

    def __init__(self) -> None:
        self._video: VideoSource | None = None

    def read(self, path: str | Path) -> np.ndarray:
        """(H, W, 3) uint8 RGB. InputError as `read_photo`."""
        place = frame_place(path)
        if place is None:
            return read_photo(path)
        shared = open_video(place.video, place.rate)
        if self._video is None or self._video.sha256 != shared.sha256:
            self._video = shared.apart()
        return self._video.read(place.number)
