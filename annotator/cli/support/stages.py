"""Progress of work in named steps on stderr: bars for a person, plain lines for a program that reads them."""

from __future__ import annotations

import sys
import time
from typing import Any

EVERY = 1.0  # seconds between two lines of a step


class Stages:
    """A context whose value is called with (step, done, all, numbers).

    lines: one line `STEP DONE/ALL [NAME=VALUE ...]`, at most one a second and one at each step's end (with --json, or
    where stderr is no terminal); else bars.
    """

    def __init__(self, lines: bool = False):
        self.lines = lines or not sys.stderr.isatty()
        self._said: dict[str, float] = {}
        self._tasks: dict[str, Any] = {}  # rich's task ids

    def __enter__(self) -> Stages:
        if not self.lines:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, TextColumn("{task.fields[numbers]}"), console=Console(stderr=True))
            self._bar.start()
        return self

    def __call__(self, step: str, done: int, total: int, numbers: dict[str, float]) -> None:
        shown = {name: numbers[name] for name in ("pixels", "joints_mm", "loss") if name in numbers}
        words = " ".join(f"{name}={value:.2f}" for name, value in shown.items())
        if not self.lines:
            if step not in self._tasks:
                self._tasks[step] = self._bar.add_task(step, total=total, numbers="")
            self._bar.update(self._tasks[step], completed=done, total=total, numbers=words)
        elif done >= total or time.monotonic() - self._said.get(step, -EVERY) >= EVERY:
            self._said[step] = time.monotonic()
            print(f"{step} {done}/{total} {words}".rstrip(), file=sys.stderr, flush=True)

    def __exit__(self, *_) -> None:
        if not self.lines:
            self._bar.stop()
