"""Requests of many clients in common passes of the model: what waits while one batch is at work makes the next.

Clients take turns, however much one of them asks for. Work that nobody waits for any more, or that takes too long, ends
between two of its pieces (`annotator.stopping`), so that the model's one thread is not lost to a client that has left.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from annotator.stopping import asking


class Busy(Exception):
    """More is waiting than the server wants to keep."""


class Overdue(Exception):
    """No answer in the time that a request has."""


class Abandoned(Exception):
    """Nobody waits for this work any more."""


@dataclass(eq=False)
class Asked:
    """One request. cost: its share of a batch's `most`; took: told how long it waited, and had of the thread."""

    item: Any
    client: Hashable
    cost: float
    future: asyncio.Future
    took: Callable[[float, float], None] | None = None
    since: float = field(default_factory=time.monotonic)


class Batcher:
    """Collects `ask`s and gives them to `work`, at most `batch` together, one batch at a time, in a thread.

    work: items -> as many results; one that is an exception is raised where it was asked for. What spoils a batch is
    found by giving each of its items to `work` alone. most: the cost of a batch; an item that costs more goes alone.
    waiting: how many may wait at most; then the client with the longest line has its newest one refused (`Busy`).
    patience: seconds from `ask` to its answer, then `Overdue`; seconds: of work for one item, or one batch.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Any]], Sequence[Any]],
        batch: int,
        waiting: int,
        most: float = 1.0,
        patience: float = 60.0,
        seconds: float = 30.0,
    ):
        self._work, self._batch, self._room = work, batch, waiting
        self._most, self._patience, self._seconds = most, patience, seconds
        self._lines: OrderedDict[Hashable, deque[Asked]] = OrderedDict()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._task: asyncio.Task | None = None
        self._began: float | None = None
        self._answered: float | None = None
        self.abandoned = 0  # requests whose work was given up

    @property
    def waiting(self) -> int:
        """Requests that are not at work yet."""
        return sum(len(line) for line in self._lines.values())

    def health(self) -> dict:
        """waiting: requests; oldest: the longest wait of those, working: how long the thread has been at its batch,
        answered: since the last answer (None: none yet), all seconds; ready: whether a new request will be answered."""
        now = time.monotonic()
        oldest = max((now - one.since for line in self._lines.values() for one in line), default=0.0)
        working = 0.0 if self._began is None else now - self._began
        answered = None if self._answered is None else round(now - self._answered, 3)
        ready = self.waiting < self._room and oldest < self._patience / 2 and working < self._seconds + 5
        return {
            "waiting": self.waiting,
            "oldest": round(oldest, 3),
            "working": round(working, 3),
            "answered": answered,
            "ready": ready,
        }

    async def ask(
        self,
        item: Any,
        client: Hashable = "",
        cost: float = 1.0,
        took: Callable[[float, float], None] | None = None,
    ) -> Any:
        """The result for one item. Cancelled, it is not worked for any more. took: called with the seconds that it
        waited, and its share, by cost, of those that its batch was at work, whatever came of it."""
        if self.waiting >= self._room:
            self._make_room(client)
        future = asyncio.get_running_loop().create_future()
        self._lines.setdefault(client, deque()).append(Asked(item, client, cost, future, took))
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())
        try:
            async with asyncio.timeout(self._patience):
                return await future
        except TimeoutError as error:
            raise Overdue from error

    def _make_room(self, client: Hashable) -> None:
        longest = max(self._lines.values(), key=len)
        if len(longest) <= len(self._lines.get(client, ())) + 1:
            raise Busy
        last = longest.pop()
        if not last.future.done():
            last.future.set_exception(Busy())

    async def _run(self) -> None:
        while some := self._next():
            results = await self._worked(some)
            if len(some) > 1 and isinstance(results, Exception):
                results = [await self._worked([one]) for one in some]
                results = [one if isinstance(one, Exception) else one[0] for one in results]
            elif isinstance(results, Exception):
                results = [results]
            for one, result in zip(some, results, strict=True):
                if one.future.done():
                    self.abandoned += 1
                elif isinstance(result, BaseException):
                    one.future.set_exception(result)
                else:
                    one.future.set_result(result)
                    self._answered = time.monotonic()

    def _next(self) -> list[Asked]:
        """The next batch: clients in turn, and none of those who have gone."""
        some: list[Asked] = []
        cost = 0.0
        while self._lines and len(some) < self._batch:
            client, line = next(iter(self._lines.items()))
            while line and line[0].future.done():
                line.popleft()
                self.abandoned += 1
            if line:
                if some and cost + line[0].cost > self._most:
                    break  # it is the first of the next batch
                one = line.popleft()
                some.append(one)
                cost += one.cost
            self._lines.pop(client)
            if line:
                self._lines[client] = line  # at the end: the others' turn
        return some

    async def _worked(self, some: list[Asked]) -> Sequence[Any] | Exception:
        if all(one.future.done() for one in some):
            return Abandoned()
        self._began = began = time.monotonic()

        def wanted() -> None:
            if all(one.future.done() for one in some):
                raise Abandoned
            if time.monotonic() - began > self._seconds:
                raise Overdue

        def work() -> Sequence[Any]:
            with asking(wanted):
                return self._work([one.item for one in some])

        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except Exception as error:  # noqa: BLE001  told to who asked for it
            return error
        finally:
            self._began = None
            seconds, whole = time.monotonic() - began, sum(one.cost for one in some)
            for one in some:
                if one.took is not None:
                    one.took(began - one.since, seconds * one.cost / (whole or 1.0))

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
