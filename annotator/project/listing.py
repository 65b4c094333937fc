"""What a `Project` offers for long lists of hands: one after the other, in memory that does not grow with the
project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from annotator.project import reading
from annotator.project.context import Context
from annotator.project.records.views import HandEntry

PAGE = 1000  # entries held at a time


class Listing:
    """A service of `Project`: long lists."""

    def __init__(self, context: Context):
        self._context = context

    def each_hand(
        self, state: str | Iterable[str] | None = None, photo: int | None = None, after: int = 0, copies: bool = True
    ) -> Iterator[HandEntry]:
        """See `Project.each_hand`."""
        states = state if state is None or isinstance(state, str) else list(state)
        while True:
            with self._context.database.reading() as connection:
                page = reading.entries(connection, states, photo, after, PAGE, copies)
            yield from page
            if len(page) < PAGE:
                return
            after = page[-1].number
            del page  # before the next one is read

    def count_hands(
        self, state: str | Iterable[str] | None = None, photo: int | None = None, copies: bool = True
    ) -> int:
        """See `Project.count_hands`."""
        with self._context.database.reading() as connection:
            return reading.count(connection, state, photo, copies)
