"""Long work that can be given up between two pieces of it: whoever started it is asked whether it is still wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_asked: ContextVar[Callable[[], None] | None] = ContextVar("annotator_wanted", default=None)


@contextmanager
def asking(wanted: Callable[[], None]) -> Iterator[None]:
    """While the block runs, this thread's long work calls `wanted()` between its pieces; what that raises ends it."""
    token = _asked.set(wanted)
    try:
        yield
    finally:
        _asked.reset(token)


def still_wanted() -> None:
    """A place between two pieces of work: raises what `asking`'s function raises; without one, nothing happens."""
    wanted = _asked.get()
    if wanted is not None:
        wanted()
