"""Which files a command is to look at, and reading them ahead of the network."""

from __future__ import annotations

import glob
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"}
VIDEO_SUFFIXES = {
    ".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".mts", ".m2ts", ".wmv", ".flv", ".3gp", ".ogv",
}  # fmt: skip
READERS = 2  # threads that decode
AHEAD = 12  # photos in memory, decoded or being decoded; a 12-megapixel photo has 36 MB

Result = TypeVar("Result")


def photo_files(given: Iterable[str | Path]) -> tuple[list[Path], list[tuple[str, str]]]:
    """The files that paths, folders and patterns stand for, each once, and (what was given, why) for what
    gives none.

    A folder stands for the image files and videos in it and in its folders, sorted by path, hidden ones left out. A
    path that names nothing but a pattern (`*`, `?`, `[`) stands for what it matches. A file given by name is taken as
    it is, whatever its suffix, and also if it is missing: reading it says what is wrong.
    """
    files: dict[Path, None] = {}
    empty = []
    for one in given:
        path = Path(one).expanduser()
        if path.is_dir():
            found = _inside(path)
            why = "there are no image files or videos in this folder"
        elif not path.exists() and glob.has_magic(str(path)):
            matched = [Path(name) for name in sorted(glob.glob(str(path), recursive=True))]
            found = [file for match in matched for file in (_inside(match) if match.is_dir() else [match])]
            why = "nothing matches this pattern"
        else:
            found, why = [path], ""
        if not found:
            empty.append((str(one), why))
        files.update(dict.fromkeys(file.absolute() for file in found))
    return list(files), empty


def _inside(folder: Path) -> list[Path]:
    """The image files and videos in a folder and below."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in SUFFIXES | VIDEO_SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def read_ahead(paths: Sequence[Path], read: Callable[[Path], Result]) -> Iterator[Result]:
    """`read(path)` for each path, in order, in threads, a few ahead of the one that is asked for.

    Exceptions of `read` appear where its result would. Nothing goes on reading after the iterator was closed.
    """
    waiting: deque[Future[Result]] = deque()
    rest = iter(paths)
    threads = ThreadPoolExecutor(READERS, thread_name_prefix="read photos")
    try:
        for path in rest:
            waiting.append(threads.submit(read, path))
            if len(waiting) >= AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        threads.shutdown(wait=True, cancel_futures=True)
