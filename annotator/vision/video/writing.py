"""Writing a video: pictures with the time stamps that they are to be shown at (H.264 in MP4, MOV or Matroska)."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.files.atomic import put

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
CLOCK = 90_000  # ticks a second
CODECS = ("libx264", "mpeg4")  # the first that this PyAV has


def write_video(path: str | Path, pictures: Iterable[tuple[float, np.ndarray]], overwrite: bool = False) -> int:
    """Write (seconds, (H, W, 3) uint8 RGB) pictures, rising in time, all of one size; how many. The file is whole or
    not there. InputError: no picture, another suffix than `CONTAINERS`, a file that is there, or PyAV is missing."""
    path = Path(path)
    if path.suffix.lower() not in CONTAINERS:
        raise InputError(f"{path}: a video is written as {', '.join(CONTAINERS)}")
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists already")
    try:
        import av
    except ImportError as error:
        needs = "needs the package 'av' (pip install 'hand-mesh-annotator[video]')"
        raise InputError(f"writing {path} {needs}") from error
    codec = next((name for name in CODECS if name in av.codecs_available), None)
    if codec is None:
        raise InputError(f"writing {path}: this PyAV has none of the codecs {', '.join(CODECS)}")
    rows = iter(pictures)
    first = next(rows, None)
    if first is None:
        raise InputError(f"no picture for {path}")
    count = 0

    def write(partial: Path) -> None:
        nonlocal count
        height, width = (side // 2 * 2 for side in first[1].shape[:2])  # the codec halves the colours' resolution
        with av.open(str(partial), "w", format=CONTAINERS[path.suffix.lower()]) as container:
            stream = container.add_stream(codec, rate=30)
            assert isinstance(stream, av.VideoStream)  # both codecs are of pictures
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.codec_context.time_base = stream.time_base = Fraction(1, CLOCK)
            if codec == "libx264":
                stream.options = {"crf": "18", "preset": "veryfast"}
            last = -1
            for seconds, picture in chain([first], rows):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]), format="rgb24")
                last = max(last + 1, round((seconds - first[0]) * CLOCK))
                frame.pts, frame.time_base = last, Fraction(1, CLOCK)
                for packet in stream.encode(frame):
                    container.mux(packet)
                count += 1
            for packet in stream.encode():
                container.mux(packet)

    put(path, write)
    return count
