"""Which files a command is to look at, and reading them ahead of the network."""

from __future__ import annotations

import glob
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from annotator.files.user_paths import expanded

SUFFIXES = {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".avif", ".jp2",
}  # fmt: skip
HEIF = {".heic", ".heif", ".hif"}
RAW = {".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".psd", ".svg", ".jxl", ".exr", ".hdr"}
VIDEO_SUFFIXES = {
    ".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".mts", ".m2ts", ".wmv", ".flv", ".3gp", ".ogv",
}  # fmt: skip
READERS = 2  # threads that decode
AHEAD = 12  # photos in memory, decoded or being decoded; a 12-megapixel photo has 36 MB

Result = TypeVar("Result")


def photo_files(given: Iterable[str | Path]) -> tuple[list[Path], list[tuple[str, str]]]:
    """The files that paths, folders and patterns stand for, each once, and (what was given, why) for what gives none or
    was left out of a folder.

    A folder stands for the image files and videos in it and in its folders, sorted by path, hidden ones left out; what
    looks like a picture and is not taken (raw files, HEIC without its package, links to folders) is said, kind by kind.
    A path that names nothing but a pattern (`*`, `?`, `[`) stands for what it matches. A file given by name is taken as
    it is, whatever its suffix, and also if it is missing: reading it says what is wrong.
    """
    files: dict[Path, None] = {}
    empty = []
    for one in given:
        path = expanded(one)
        if path.is_dir():
            found = _inside(path)
            empty += [(str(one), why) for why in _left_out(path)]
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


def suffixes() -> set[str]:
    """Those of the image files that can be read here."""
    return SUFFIXES | (HEIF if find_spec("pillow_heif") is not None else set())


def _shown(folder: Path) -> Iterator[Path]:
    """What is in a folder and below, sorted, hidden things left out."""
    for path in sorted(folder.rglob("*")):
        if not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path


def _inside(folder: Path) -> list[Path]:
    """The image files and videos in a folder and below."""
    wanted = suffixes() | VIDEO_SUFFIXES
    return [path for path in _shown(folder) if path.suffix.lower() in wanted and path.is_file()]


def _left_out(folder: Path) -> list[str]:
    """Why files that look like pictures are not taken, one line a kind."""
    counts: Counter[str] = Counter()
    taken = suffixes()
    for path in _shown(folder):
        suffix = path.suffix.lower()
        if path.is_symlink() and path.is_dir():
            counts["links to folders are left out: give the folders themselves"] += 1
        elif suffix in taken or not path.is_file():
            continue
        elif suffix in HEIF:
            counts[f"{suffix} files are left out: they need pip install 'hand-mesh-annotator[heif]'"] += 1
        elif suffix in RAW:
            counts[f"{suffix} files are left out: they cannot be read as photos here"] += 1
    return [f"{count} {why}" for why, count in counts.items()]


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
