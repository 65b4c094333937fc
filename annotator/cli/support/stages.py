"""Progress on stderr, the same in every command: bars for a person at a terminal, plain lines for a program that reads
them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

EVERY = 1.0  # seconds between two lines of a step
SHOWN = ("pixels", "joints_mm", "loss")  # numbers that stand behind a step
Item = TypeVar("Item")


class Stages:
    """A context whose value is called with (step, done, all, numbers); all is None where nobody knows it.

    lines: one line `STEP DONE/ALL [NAME=VALUE ...]`, at most one a second and one at each step's end (with --json, or
    where stderr is no terminal); else bars.
    """

    def __init__(self, lines: bool = False):
        self.lines = lines or not sys.stderr.isatty()
        self._said: dict[str, float] = {}
        self._left: dict[str, str] = {}  # lines that came too soon after the one before
        self._tasks: dict[str, Any] = {}  # rich's task ids

    def __enter__(self) -> Stages:
        if not self.lines:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, TextColumn("{task.fields[numbers]}"), console=Console(stderr=True))
            self._bar.start()
        return self

    def __call__(self, step: str, done: int, total: int | None, numbers: Mapping[str, float] | None = None) -> None:
        shown = {name: numbers[name] for name in SHOWN if name in numbers} if numbers else {}
        words = " ".join(f"{name}={value:.2f}" for name, value in shown.items())
        if not self.lines:
            if step not in self._tasks:
                self._tasks[step] = self._bar.add_task(step, total=total, numbers="")
            self._bar.update(self._tasks[step], completed=done, total=total, numbers=words)
            return
        line = f"{step} {done}{'' if total is None else f'/{total}'} {words}".rstrip()
        ended = total is not None and done >= total
        if ended or time.monotonic() - self._said.get(step, -EVERY) >= EVERY:
            self._said[step] = time.monotonic()
            self._left.pop(step, None)
            print(line, file=sys.stderr, flush=True)
        else:
            self._left[step] = line

    def __exit__(self, *_) -> None:
        if not self.lines:
            self._bar.stop()
        for line in self._left.values():  # how far it came
            print(line, file=sys.stderr, flush=True)


def progress(items: Iterable[Item], label: str, total: int | None = None, done: int = 0) -> Iterator[Item]:
    """The items, with progress said while they are taken; `done` of the total were there before."""
    with Stages() as stages:
        if not stages.lines:
            stages(label, done, total)  # a bar is there before the first item is
        for number, item in enumerate(items, done + 1):
            yield item
            stages(label, number, total)
