"""Frames of a video as photos: decoded one by one, written beside the video as ordinary files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from annotator.errors import InputError

SUFFIXES = {".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg"}
QUALITY = 95  # JPEG


def is_video(path: str | Path) -> bool:
    """Whether a file's name is that of a video."""
    return Path(path).suffix.lower() in SUFFIXES


def frames(path: str | Path, every: float = 0.5) -> Iterator[tuple[int, np.ndarray]]:
    """(number of the frame, (H, W, 3) uint8 RGB) of the first video stream, one each `every` seconds (0: all).

    InputError naming the file: missing, no video, broken; or that the package `av` is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} does not exist" if not path.exists() else f"{path} is a directory, expected a video")
    try:
        import av
    except ImportError as error:
        raise InputError(f"{path} is a video: reading it needs the package 'av' (pip install av)") from error
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise InputError(f"{path} has no video stream")
            wanted = 0.0
            for number, frame in enumerate(container.decode(video=0)):
                at = frame.time if frame.time is not None else float(number)
                if number and at + 1e-6 < wanted:
                    continue
                wanted = at + every
                yield number, frame.to_ndarray(format="rgb24")
    except (av.error.FFmpegError, OSError) as error:
        raise InputError(f"video {path} cannot be read: {error}") from error


def save_frames(path: str | Path, folder: str | Path, every: float = 0.5) -> Iterator[Path]:
    """Write frames (see `frames`) as JPEG files into `folder`, named by video and frame; yields each file as it is
    there. Files that are there already are left as they are, so that a second start goes on."""
    path, folder = Path(path), Path(folder)
    for number, frame in frames(path, every):
        target = folder / f"{path.stem}-{number:06d}.jpg"
        if not target.is_file():
            try:
                folder.mkdir(parents=True, exist_ok=True)
                part = target.with_suffix(".part")
                Image.fromarray(frame).save(part, format="JPEG", quality=QUALITY)
                part.replace(target)
            except OSError as error:
                raise InputError(f"{target} cannot be written: {error.strerror or error}") from error
        yield target
