"""What a session keeps at hand so that going back to a hand costs nothing: photos, and features of the network; and how
long lists are made without delay."""

from __future__ import annotations

import contextlib
import gc
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import TypeVar

Value = TypeVar("Value")
REMEMBERED = 64  # hands whose encoder features stay in memory, 155 kB each
PHOTOS = 4  # decoded photos in memory


class Recent(OrderedDict[str, Value]):
    """A dictionary of the last `most` things that were put in."""

    def __init__(self, most: int):
        super().__init__()
        self._most = most

    def __setitem__(self, key: str, value: Value) -> None:
        super().__setitem__(key, value)
        while len(self) > self._most:
            self.popitem(last=False)

    def or_made(self, key: str, make: Callable[[], Value]) -> Value:
        if key not in self:
            self[key] = make()
        return self[key]


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """While long lists are made Python does not look for circles, which none of them has: with 36,000 hands it would go
    through all of them some ten times, half a second in all. For one thread, the window's."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():  # into the oldest generation at once, unlooked at
            gc.freeze()
            gc.unfreeze()
        gc.enable()
