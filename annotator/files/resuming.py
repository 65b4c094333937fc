"""Exports that go on where they were stopped: records that can be drawn again from a place, and marks of how far files
are.

While an export of such records is under way its partial folder holds a state file, renewed every few seconds: how far
the records are, and how far each file is. A second start of the same export finds it, cuts every file back to its mark,
and draws the records after the place; what comes out is what an undisturbed export gives. Files that records have of
their own need no mark: they are written again, the same.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from annotator import __version__
from annotator.errors import InputError

STATE = ".resume.json"
SECONDS = 5.0  # between marks: what an interruption costs at most, beside the time to get there again


@dataclass(frozen=True)
class Resumable:
    """Records for a writer that an interrupted export can go on with.

    key: a text that is another one as soon as anything of the records is; draw(place): yields (place, record), the
    places JSON-ready, from the record after `place` on; None: from the first.
    """

    key: str
    draw: Callable[[Any], Iterator[tuple[Any, Any]]]


def export_key(records: object, *about: object) -> str:
    """What names an export of these records that can be gone on with; "" where it cannot be."""
    if not isinstance(records, Resumable):
        return ""
    text = json.dumps([records.key, __version__, _boot(), *map(str, about)])
    return hashlib.sha256(text.encode()).hexdigest()


def _boot() -> str:
    """When the machine was started: what a power cut left of files not yet on the disk is not to be trusted."""
    path = Path("/proc/sys/kernel/random/boot_id")
    try:
        return path.read_text().strip()
    except OSError:
        return str(round((time.time() - time.monotonic()) / 600))


def left_for(folder: Path, key: str) -> bool:
    """Whether this partial folder is of an interrupted export with this key, and has a mark to go on from."""
    return bool(key) and _state(folder).get("key") == key


def _state(folder: Path) -> dict:
    try:
        found = json.loads((folder / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


class Marks:
    """The marks of the export under way in `folder`; without a key there are none."""

    def __init__(self, folder: Path, key: str):
        self._folder, self._key = folder, key
        self._found = _state(folder) if key else {}
        self._makers: dict[str, Callable[[], Any]] = {}
        self.temporary: set[Path] = set()  # files of the export under way, no part of what it makes
        self._last = time.monotonic()
        self.own(folder / STATE)

    @property
    def place(self) -> Any:
        """Of the last record before the interruption, None if there was none."""
        return self._found.get("place")

    def part(self, name: str, make: Callable[[], Any]) -> Any:
        """Have `make()` (JSON-ready) in every mark from now on; what it was in the mark that is gone on from, or
        None."""
        self._makers[name] = make
        return self._found.get("parts", {}).get(name)

    def due(self) -> bool:
        """Whether it is time for another mark."""
        return bool(self._key) and time.monotonic() - self._last >= SECONDS

    def save(self, place: Any) -> None:
        """Mark now: all of the records up to `place` is in the files, and nothing of later ones counts."""
        if not self._key:
            return
        parts = {name: make() for name, make in self._makers.items()}
        fresh = self._folder / f"{STATE}.new"
        fresh.write_text(json.dumps({"key": self._key, "place": place, "parts": parts}), encoding="utf-8")
        fresh.replace(self._folder / STATE)
        self._last = time.monotonic()

    def own(self, path: Path) -> Path:
        """`path`, a file that is needed until the export is whole and then goes."""
        self.temporary.add(path)
        return path

    def forget(self) -> None:
        """The export is whole: remove the state file, then what only it speaks of."""
        (self._folder / STATE).unlink(missing_ok=True)
        for path in self.temporary:
            path.unlink(missing_ok=True)


class Growing:
    """A file that grows at its end, cut back to `size` bytes first; None: a new one. InputError: it is shorter."""

    def __init__(self, path: Path, size: int | None = None):
        self._file: BinaryIO
        if size is None:
            self._file = path.open("wb")
            return
        if not path.is_file() or path.stat().st_size < size:
            raise InputError(f"{path} of an interrupted export is cut short: remove {path.parent}, then start again")
        self._file = path.open("r+b")
        self._file.truncate(size)
        self._file.seek(size)

    def write(self, data: bytes | str) -> None:
        self._file.write(data.encode("utf-8") if isinstance(data, str) else data)

    def mark(self) -> int:
        """Bytes so far, all of them with the system: a process that is killed loses none."""
        self._file.flush()
        return self._file.tell()

    def close(self) -> None:
        self._file.close()
