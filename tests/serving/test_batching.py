"""The queue before the model: who comes next, what goes together, and when work is given up."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from annotator.errors import InputError
from annotator.serving.batching import Batcher, Busy, Overdue
from annotator.stopping import still_wanted

PATIENCE = 60.0  # s, on a machine that is busy


# -- the queue ----------------------------------------------------------------------------------------------------
class Worked:
    """Records its batches; holds the first until `free`."""

    def __init__(self):
        self.batches, self.free = [], threading.Event()

    def __call__(self, items):
        self.batches.append(list(items))
        if len(self.batches) == 1:
            assert self.free.wait(PATIENCE)
        return [f"answer {item}" for item in items]


def running(test):
    """The coroutine function `test(work)` run with a fresh `Worked`."""
    asyncio.run(test(Worked()))


async def behind(batcher, work, *asked):
    """Answers (or errors) to (item, client, cost), all asked while the first batch is at work."""
    first = asyncio.create_task(batcher.ask("first", "first"))
    while not work.batches:
        await asyncio.sleep(0.005)
    rest = [asyncio.create_task(batcher.ask(*one)) for one in asked]
    await asyncio.sleep(0)
    work.free.set()
    return await asyncio.gather(first, *rest, return_exceptions=True)


def test_clients_take_turns():
    async def test(work):
        batcher = Batcher(work, 2, 100)
        many = [(f"many{k}", "many", 0.5) for k in range(6)]
        answers = await behind(batcher, work, *many, ("few0", "few", 0.5), ("few1", "few", 0.5))
        assert [one for one in answers if isinstance(one, Exception)] == []
        assert work.batches[1:3] == [["many0", "few0"], ["many1", "few1"]]  # not behind all that the other asked for

    running(test)


def test_a_costly_request_goes_alone():
    async def test(work):
        batcher = Batcher(work, 8, 100, most=3.0)
        await behind(batcher, work, ("a", "1", 1.0), ("large", "2", 9.0), ("b", "3", 1.0), ("c", "1", 1.0))
        assert work.batches[1:] == [["a"], ["large"], ["b", "c"]]

    running(test)


def test_the_longest_line_gives_way():
    async def test(work):
        batcher = Batcher(work, 1, 4)
        greedy = [(f"greedy{k}", "greedy", 1.0) for k in range(6)]
        answers = await behind(batcher, work, *greedy, ("modest", "modest", 1.0))
        assert answers[-1] == "answer modest"
        assert [type(one) for one in answers[1:7]].count(Busy) == 3 and answers[1] == "answer greedy0"

    running(test)


def test_one_that_spoils_a_batch_spoils_no_other():
    async def test(_):
        free = threading.Event()

        def work(items):
            assert free.wait(PATIENCE)
            if "bad" in items:
                raise InputError("bad")
            return [f"answer {item}" for item in items]

        batcher = Batcher(work, 8, 100, most=9)
        asked = [asyncio.create_task(batcher.ask(item)) for item in ("a", "good", "bad", "fine")]
        await asyncio.sleep(0.05)
        free.set()
        a, good, bad, fine = await asyncio.gather(*asked, return_exceptions=True)
        assert (a, good, fine) == ("answer a", "answer good", "answer fine") and isinstance(bad, InputError)

    running(test)


def test_work_has_an_end():
    async def test(_):
        def work(items):
            end = time.monotonic() + PATIENCE
            while time.monotonic() < end:
                still_wanted()
                time.sleep(0.005)

        batcher = Batcher(work, 1, 9, patience=PATIENCE, seconds=0.2)
        with pytest.raises(Overdue):
            await batcher.ask("endless")
        assert batcher.health()["working"] == 0

    running(test)
