"""Requests of many clients in common passes of the model: what waits while one batch is at work makes the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any


class Busy(Exception):
    """More is waiting than the server wants to keep."""


class Batcher:
    """Collects `ask`s and gives them to `work`, at most `batch` together, one batch at a time, in a thread.

    work: items -> as many results; a result that is an exception is raised where it was asked for. waiting: how many
    may wait at most; then `Busy`.
    """

    def __init__(self, work: Callable[[Sequence[Any]], Sequence[Any]], batch: int, waiting: int):
        self._work, self._batch, self._most = work, batch, waiting
        self._queue: list[tuple[Any, asyncio.Future]] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._running = False

    @property
    def waiting(self) -> int:
        return len(self._queue)

    async def ask(self, item: Any) -> Any:
        """The result for one item."""
        if len(self._queue) >= self._most:
            raise Busy
        future = asyncio.get_running_loop().create_future()
        self._queue.append((item, future))
        if not self._running:
            self._running = True
            asyncio.get_running_loop().create_task(self._run())
        return await future

    async def _run(self) -> None:
        try:
            while self._queue:
                # who has gone away meanwhile needs no answer
                some = [(item, future) for item, future in self._queue[: self._batch] if not future.done()]
                del self._queue[: self._batch]
                if not some:
                    continue
                items = [item for item, _ in some]
                try:
                    results = await asyncio.get_running_loop().run_in_executor(self._thread, self._work, items)
                except Exception as error:  # noqa: BLE001  the batch's, told to all of it
                    results = [error] * len(items)
                for (_, future), result in zip(some, results, strict=True):
                    if future.done():
                        continue
                    if isinstance(result, BaseException):
                        future.set_exception(result)
                    else:
                        future.set_result(result)
        finally:
            self._running = False

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
