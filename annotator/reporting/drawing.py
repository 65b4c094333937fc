"""Hands of a project drawn as cards of a report, by several processes where there are many: the same cards, in their
order."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice

from annotator.project import HandEntry, Project
from annotator.reporting.cards import Card, drawn
from annotator.reporting.hands import Reader

PAYS = 100  # hands a process, at least: drawing them takes longer than to start one
STRETCH = 25  # hands, about, that a process draws at a time
AHEAD = 3  # stretches for each process that are under way or wait to be written

_reader: Reader | None = None  # of a drawing process


def cards(project: Project, place: str, entries: Sequence[HandEntry], workers: int = 0) -> Iterator[Card]:
    """The hands of a list as cards, in its order.

    Parameters
    ----------
    project
        Where the hands are.
    place
        The same, for processes that open it for themselves.
    entries
        The list.
    workers
        Processes that draw; 1: this one alone; 0: as many as there are cores, and as pay.

    Raises
    ------
    InputError
        As `Reader.hand` does, after the cards before it.
    """
    workers = workers or min(_cores(), len(entries) // PAYS)
    if workers <= 1 or len(entries) <= 1:
        yield from map(drawn, Reader(project).each(entries))
        return
    waiting = deque([one.id for one in part] for part in stretches(entries))
    under_way: deque[Future[list[Card]]] = deque()  # of the first of these
    with _one_thread_each():
        pool = ProcessPoolExecutor(
            workers, mp_context=multiprocessing.get_context("spawn"), initializer=_open, initargs=(place,)
        )
        try:
            while waiting:
                for part in islice(waiting, len(under_way), AHEAD * workers):
                    under_way.append(pool.submit(_draw, part))
                made = under_way[0].result()
                under_way.popleft()
                waiting.popleft()
                yield from made
        except BrokenProcessPool:  # one was killed, most likely for memory: what is left is drawn here
            reader = Reader(project)
            yield from (drawn(reader.hand(one)) for part in waiting for one in part)
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes that are started within are the parallelism, not threads of theirs."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


def stretches(entries: Iterable[HandEntry]) -> Iterator[list[HandEntry]]:
    """The list in stretches of about `STRETCH`, cut between photos: each photo is read by one process."""
    part: list[HandEntry] = []
    for entry in entries:
        if len(part) >= STRETCH and entry.photo_id != part[-1].photo_id:
            yield part
            part = []
        part.append(entry)
    if part:
        yield part


def _open(place: str) -> None:
    global _reader
    _reader = Reader(Project.open(place))


def _draw(ids: list[str]) -> list[Card]:
    assert _reader is not None
    return [drawn(_reader.hand(one)) for one in ids]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
