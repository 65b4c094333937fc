"""Opening videos: each once, the last few stay open; and what a frame's place means."""

from __future__ import annotations

import ctypes
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from annotator.errors import InputError
from annotator.files.file_errors import reading
from annotator.files.frame_places import RATE, FramePlace, is_pattern
from annotator.files.photo_paths import VIDEO_SUFFIXES
from annotator.vision.images.image_files import file_hash
from annotator.vision.video import disk_cache
from annotator.vision.video import index as indices
from annotator.vision.video.container import ContainerVideo
from annotator.vision.video.source import VideoSource
from annotator.vision.video.stills import TIFF, ImageSequence, TiffStack, is_stack

OPEN = 4  # videos that stay open; each holds some frames, see `container`

_open: OrderedDict[tuple, VideoSource] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True)
class Frame:
    """Which frame a photo is. video: what the video contains, 64 hexadecimal digits; number: its number there; seconds:
    its time stamp."""

    video: str
    number: int
    seconds: float


def is_video(path: str | Path) -> bool:
    """Whether a path is that of a video: by its suffix, as the pattern of an image sequence (`walk/%06d.png`), or as a
    TIFF file of several pages, which is looked into."""
    path = Path(path)
    return path.suffix.lower() in VIDEO_SUFFIXES or (is_pattern(path) and not path.exists()) or is_stack(path)


def open_video(path: str | Path, rate: float = RATE) -> VideoSource:
    """The video at this path; one that is open already, if the file has not changed since.

    rate: frames a second of an image sequence or a TIFF file, which have no clock. InputError with one line that names
    the file: missing, a directory, no video, without frames; or that the package `av` is not installed.
    """
    path = Path(path)
    key = (os.getpid(), rate, *_state(path))
    with _lock:
        if key not in _open:
            _open[key] = _opened(path, rate)
            while len(_open) > OPEN:
                _open.popitem(last=False)
        _open.move_to_end(key)
        return _open[key]


def frame_at(place: FramePlace) -> Frame:
    """Which frame is at this place. InputError: see `open_video`, or there is none of this number."""
    video = open_video(place.video, place.rate)
    return Frame(video.sha256, place.number, float(video.seconds[video.position(place.number)]))


def _state(path: Path) -> tuple:
    if not is_pattern(path) or path.exists():
        return disk_cache.state_of(path)
    with reading(path.parent, "is no folder"):
        return str(path.absolute()), path.parent.stat().st_mtime_ns


def _opened(path: Path, rate: float) -> VideoSource:
    if is_pattern(path) and not path.exists():
        return ImageSequence(path, rate)
    if path.suffix.lower() in TIFF:
        return TiffStack(path, rate)
    try:
        import av  # noqa: F401
    except ImportError as error:
        needs = "reading it needs the package 'av' (pip install 'hand-mesh-annotator[video]')"
        raise InputError(f"{path} is a video: {needs}") from error
    state = disk_cache.state_of(path)
    known = disk_cache.load(state)
    if known is None:
        known = _indexed(path), file_hash(path)
        if disk_cache.state_of(path) == state:
            disk_cache.save(state, *known)
    return ContainerVideo(path, *known)


def _indexed(path: Path) -> indices.Index:
    try:
        index = indices.build(path)
    except InputError:
        raise
    except indices.errors(OSError, ValueError) as error:
        raise InputError(f"video {path} cannot be read: {error}") from error
    if not len(index):
        raise InputError(f"video {path} has no frames that can be read")
    return index


def _forget() -> None:
    """In a process that was forked: places in files are shared with the parent, so every video is opened anew.

    What the parent had open is never freed here: closing a decoder waits for its threads, and a fork has none of them.
    One reference more than anybody gives back keeps it even when the interpreter ends.
    """
    global _lock
    _lock = threading.Lock()
    for video in _open.values():
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(video))
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
