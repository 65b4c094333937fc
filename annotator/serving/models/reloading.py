"""A new checkpoint takes over while the server runs: looked for now and then, or when it is asked to (SIGHUP)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from annotator.model import Model
from annotator.serving.models.served import Models

_log = logging.getLogger(__name__)


class Reloader:
    """A thread of its own; requests are answered meanwhile.

    newest: where the checkpoint is now that should be current (None: the shipped one); load: reads one; every: seconds
    between looks (None: only when asked). What cannot be loaded is logged, and the model that is there goes on; it is
    tried again when the file changes, or somebody asks.
    """

    def __init__(
        self,
        models: Models,
        newest: Callable[[], Path | None],
        load: Callable[[Path | None], Model],
        every: float | None = None,
    ):
        self._models, self._newest, self._load, self._every = models, newest, load, every
        self._wake, self._ended, self._asked = threading.Event(), False, False
        self._seen = _stamp(newest())
        self._thread = threading.Thread(target=self._run, name="reloading", daemon=True)
        self._thread.start()

    def ask(self) -> None:
        """Look now. From any thread, or from a signal."""
        self._asked = True
        self._wake.set()

    def close(self) -> None:
        self._ended = True
        self._wake.set()
        self._thread.join(timeout=60)

    def _run(self) -> None:
        while True:
            self._wake.wait(self._every)
            self._wake.clear()
            if self._ended:
                return
            asked, self._asked = self._asked, False
            try:
                self._look(asked)
            except Exception as error:  # noqa: BLE001  whatever is wrong with a checkpoint, the server stays
                _log.warning("the model was not reloaded: %s", error)

    def _look(self, asked: bool) -> None:
        place = self._newest()
        stamp = _stamp(place)
        if stamp == self._seen and not asked:
            return
        self._seen = stamp
        model = self._load(place)
        if model.digest == self._models.current.model.digest:
            _log.info("model %s is the current one already", model.digest)
            return
        self._models.put(model)
        _log.warning("model %s (%s) has taken over", model.digest, place or "shipped")


def _stamp(place: Path | None) -> tuple | None:
    if place is None:
        return None
    try:
        at = place.stat()
    except OSError:
        return (str(place),)
    return (str(place), at.st_ino, at.st_mtime_ns, at.st_size)
