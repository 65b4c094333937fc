"""What a `Project` shows: a hand, lists of hands, counts; long lists in memory that does not grow with the project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from annotator.hand.mesh import HandMesh
from annotator.project import journal, reading
from annotator.project.context import Context
from annotator.project.journal import Event
from annotator.project.records.views import HandEntry, StoredHand, StoredPhoto

PAGE = 1000  # entries held at a time


class Listing:
    """A service of `Project`: its hands, one or many, as they are now."""

    def __init__(self, context: Context):
        self._context = context

    def hand(self, hand_id: str) -> StoredHand:
        """All of one hand, as it stands now."""
        with self._context.database.reading() as connection:
            return reading.stored_hand(connection, self._context.folder, hand_id)

    def mesh(self, hand_id: str) -> HandMesh:
        """The hand's mesh, rebuilt from its parameters. It has no cached features: to refine it, propose its
        box again.
        """
        with self._context.database.reading() as connection:
            return reading.mesh(connection, self._context.folder, hand_id)

    def proposal(self, hand_id: str) -> HandMesh:
        """The hand as a model proposed it, before anybody touched it (the newest proposal, if it was proposed anew)."""
        with self._context.database.reading() as connection:
            return reading.proposal(connection, self._context.folder, hand_id)

    def hands(
        self,
        state: str | Iterable[str] | None = None,
        photo: int | None = None,
        after: int = 0,
        limit: int | None = None,
        copies: bool = True,
    ) -> list[HandEntry]:
        """The list of hands, oldest first: of one state or several, of one photo, numbered above `after`,
        `limit` many; copies: also people's copies of gold hands, which are no labels. `each_hand` is for long ones.
        """
        with self._context.database.reading() as connection:
            return reading.entries(connection, state, photo, after, limit, copies)

    def status(self) -> dict:
        """{"project", "photos", "looked_at", "states": {state: count}, "events"}: counts, without going
        through the hands.
        """
        with self._context.database.reading() as connection:
            return {"project": str(self._context.folder), **reading.counts(connection)}

    def people(self) -> dict[str, int]:
        """{name: how many steps of theirs the journal has}, those of most steps first."""
        with self._context.database.reading() as connection:
            return reading.people(connection)

    def bare_photos(self) -> list[StoredPhoto]:
        """Photos in which no hand was found, in the order they came."""
        with self._context.database.reading() as connection:
            return reading.bare(connection, self._context.folder)

    def history(self, hand_id: str) -> list[Event]:
        """The hand's journal, oldest first."""
        with self._context.database.reading() as connection:
            reading.row_of(connection, self._context.folder, hand_id)
            return journal.history(connection, hand_id)

    def each_hand(
        self, state: str | Iterable[str] | None = None, photo: int | None = None, after: int = 0, copies: bool = True
    ) -> Iterator[HandEntry]:
        """What `hands` lists, a page at a time: each hand once, as it is when its page is read.

        No transaction stays open between pages, so others (and the caller, too) may change hands meanwhile; one that
        came since is at the end.
        """
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
        """How many hands `hands` would list."""
        with self._context.database.reading() as connection:
            return reading.count(connection, state, photo, copies)
