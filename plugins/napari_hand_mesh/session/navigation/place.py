"""Where a person is in a project, beside it in a small JSON file: hand, filter, camera, layout of the window.

It changes with every hand that is looked at, so it is written by a thread, the newest of some moments at once: a disk
that is busy holds nobody up.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path

FILE = "gui.json"  # in the project's folder
TOGETHER = 0.3  # s: what is noted within it is written at once

_noting = threading.Lock()
_pending: dict[Path, dict] = {}  # not written yet
_writer: threading.Thread | None = None
_writing = threading.RLock()  # held while a file is read and written


def read(folder: Path) -> dict:
    """What was noted; {} if nothing was, or not by us: then the person starts at the first open hand."""
    flush(folder)
    with _writing:
        return _read(folder)


def note(folder: Path, **news) -> None:
    """Put these in, keep the others; on disk some moments later. A read-only folder can still be looked at."""
    global _writer
    with _noting:
        _pending[folder] = _pending.get(folder, {}) | news
        if _writer is None:
            _writer = threading.Thread(target=_write_all, name="place")  # Python ends after it
            _writer.start()


def flush(folder: Path) -> None:
    """What was noted is on disk when this returns."""
    with _writing:
        with _noting:
            news = _pending.pop(folder, None)
        if news is not None:
            _write(folder, news)


def _write_all() -> None:
    """Until nothing is left."""
    global _writer
    while True:
        threading.main_thread().join(TOGETHER)  # which ends at once where Python does
        with _noting:
            folders = list(_pending)
            if not folders:
                _writer = None
                return
        for folder in folders:
            flush(folder)


def _read(folder: Path) -> dict:
    try:
        noted = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _write(folder: Path, news: dict) -> None:
    noted = _read(folder)
    if noted == noted | news:
        return
    try:
        part = folder / f"{FILE}.part"
        part.write_text(json.dumps(noted | news), encoding="utf-8")
        part.replace(folder / FILE)
    except OSError:
        pass
