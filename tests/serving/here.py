"""Servers of the tests' own: in a thread, or as a process; and waiting for what has to come."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time

import pytest

uvicorn = pytest.importorskip("uvicorn", reason="needs the extra [serve]")
pytest.importorskip("fastapi", reason="needs the extra [serve]")

from annotator.serving.app import make_app  # noqa: E402
from annotator.serving.connections import configured  # noqa: E402
from annotator.serving.limits import Limits  # noqa: E402

PATIENCE = 60.0  # a test's, on a machine that is busy
STARTS = 400.0  # a process's that imports torch and warms two models up, on a machine that does much else


def until(condition, what: str, patience: float = PATIENCE):
    end = time.monotonic() + patience
    while not (value := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.02)
    return value


@contextlib.contextmanager
def in_a_thread(model, access, limits: Limits = Limits(), **more):  # noqa: B008  it is frozen
    """(application, its URL)."""
    app = make_app(model, access, limits, **more)
    running = uvicorn.Server(configured(app, "127.0.0.1", 0, limits, log_level="critical"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    until(lambda: running.started, "the server starts")
    try:
        yield app, f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}"
    finally:
        running.should_exit = True
        thread.join(20)


class Process:
    """`annotator serve` with these arguments; url: where, said: what it has said until now on stderr."""

    def __init__(self, *arguments: str, **environment: str):
        command = [sys.executable, "-m", "annotator.cli", "serve", "--port", "0", "--device", "cpu", *arguments]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | environment)
        self.said = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            until(lambda: "serving at" in self.said or self.process.poll() is not None, "it starts", STARTS)
            assert "serving at" in self.said, self.said
        except BaseException:  # nobody else ends it
            self.__exit__()
            raise
        self.url = self.said.split("serving at ")[1].split()[0]

    def _read(self) -> None:
        for line in self.process.stderr:
            self.said += line

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(20)
        self._reader.join(20)
        self.process.stderr.close()
