"""Who asked for what and when, one JSON object a line: no photo, no hand, no label, no token, no query.

The lines are written by a thread of their own, so that a slow disk slows no answer; what cannot be written (a full
disk) is counted and the server goes on. A file that has grown is put aside as FILE.1, FILE.2, ...
"""

from __future__ import annotations

import contextlib
import json
import logging
import logging.handlers
import os
import queue
from pathlib import Path
from typing import Any

from annotator.files.file_errors import writing

ROOM = 10_000  # lines that wait to be written


class Audit:
    """The log. megabytes: of a file; keep: how many older ones stay. InputError: it cannot be written there."""

    def __init__(self, path: Path, megabytes: float = 10, keep: int = 10):
        self._lost = 0
        self._queue: queue.Queue = queue.Queue(ROOM)
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handler = _Private(self, path, maxBytes=int(megabytes * 1e6), backupCount=keep, encoding="utf-8")
        self._handler.setFormatter(logging.Formatter("%(message)s"))
        self._listener = logging.handlers.QueueListener(self._queue, self._handler)
        self._listener.start()

    @property
    def lost(self) -> int:
        """Lines that could not be written."""
        return self._lost

    def write(self, line: dict[str, Any]) -> None:
        """One line, soon."""
        text = json.dumps(line, ensure_ascii=False)
        try:
            self._queue.put_nowait(logging.LogRecord("audit", logging.INFO, "", 0, text, None, None))
        except queue.Full:
            self.lose()

    def lose(self) -> None:
        self._lost += 1

    def close(self) -> None:
        """All lines are in the file."""
        self._listener.stop()
        with contextlib.suppress(OSError):  # a full disk: what it cost is counted
            self._handler.close()


class _Private(logging.handlers.RotatingFileHandler):
    """Files that only their owner reads; errors are counted, not printed."""

    def __init__(self, audit: Audit, *args: Any, **more: Any):
        self._audit = audit
        super().__init__(*args, **more)

    def _open(self):
        def private(name: str, flags: int) -> int:
            return os.open(name, flags, 0o600)

        return open(self.baseFilename, self.mode, encoding=self.encoding, opener=private)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        self._audit.lose()
