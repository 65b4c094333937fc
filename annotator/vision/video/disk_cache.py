"""What was found out of a video file, kept on the disk: hash and index of a long one are made once on a machine.

It lies in the user's own folder for what can be made again (`$XDG_CACHE_HOME`, else `~/.cache`; on Windows
`%LOCALAPPDATA%`), under `hand-mesh-annotator/videos`. A folder that cannot be written costs time, nothing else.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.files.file_errors import reading
from annotator.files.serialization.npz_arrays import read_npz, write_npz
from annotator.vision.video.index import Index

FORM = 2  # of what is kept; another form is made anew
MOST = 500  # files; the oldest go
State = tuple[str, int, int, int, int]


def state_of(path: Path) -> State:
    """What tells that a file is still the one it was, without reading it: (path, size, times of change, file number).
    InputError: missing, or no file."""
    with reading(path, "is no video"):
        if path.is_dir():
            raise InputError(f"{path} is a directory, expected a video")
        if not path.exists():
            raise InputError(f"{path} does not exist")
        if not path.is_file():
            raise InputError(f"{path} is not an ordinary file")
        found = path.stat()
    return str(path.absolute()), found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def load(state: State) -> tuple[Index, str] | None:
    """(index, SHA-256 of the content) of the file that was in this state, or None if that is not known."""
    try:
        arrays = read_npz(_file(state), None, "is damaged")
        return Index(**{name: value for name, value in arrays.items() if name != "sha256"}), str(arrays["sha256"])
    except (InputError, TypeError, ValueError, LookupError):
        return None


def save(state: State, index: Index, sha256: str) -> None:
    """Keep them."""
    target = _file(state)
    try:
        write_npz(target, {"sha256": np.array(sha256), **index.arrays()}, compressed=True)
        kept = sorted(target.parent.glob("*.npz"), key=lambda file: file.stat().st_mtime)
        for old in kept[:-MOST]:
            old.unlink(missing_ok=True)
    except (InputError, OSError):
        pass


def _file(state: State) -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    name = hashlib.sha256(repr((FORM, *state)).encode()).hexdigest()[:32]
    return Path(base) / "hand-mesh-annotator" / "videos" / f"{name}.npz"
