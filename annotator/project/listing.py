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
        """All of one hand, as it stands now.

        Parameters
        ----------
        hand_id
            The hand's id.

        Returns
        -------
        StoredHand
            Parameters, states, corrections, where it comes from; without the mesh.

        Raises
        ------
        InputError
            No such hand.
        """
        with self._context.database.reading() as connection:
            return reading.stored_hand(connection, self._context.folder, hand_id)

    def mesh(self, hand_id: str) -> HandMesh:
        """The hand's mesh, rebuilt from its parameters.

        Parameters
        ----------
        hand_id
            The hand's id.

        Returns
        -------
        HandMesh
            Without cached features: to refine it with the network, `Model.remember` it first.

        Raises
        ------
        InputError
            No such hand, or its hand model is not here.
        """
        with self._context.database.reading() as connection:
            return reading.mesh(connection, self._context.folder, hand_id)

    def proposal(self, hand_id: str) -> HandMesh:
        """The hand as a model proposed it, before anybody touched it.

        Parameters
        ----------
        hand_id
            The hand's id.

        Returns
        -------
        HandMesh
            The newest proposal, if it was proposed anew.

        Raises
        ------
        InputError
            No such hand, or its hand model is not here.
        """
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
        """The list of hands, oldest first. `each_hand` is for long ones.

        Parameters
        ----------
        state
            Of one state, or of several; None: of any.
        photo
            Of the photo of this id; None: of all.
        after
            Numbered above this.
        limit
            So many at most; None: all.
        copies
            Also people's copies of gold hands, which are no labels.

        Returns
        -------
        list of HandEntry

        Raises
        ------
        InputError
            An unknown state.
        """
        with self._context.database.reading() as connection:
            return reading.entries(connection, state, photo, after, limit, copies)

    def status(self) -> dict:
        """Counts, without going through the hands.

        Returns
        -------
        dict
            {"project", "photos", "looked_at", "states": {state: count}, "events"}.
        """
        with self._context.database.reading() as connection:
            return {"project": str(self._context.folder), **reading.counts(connection)}

    def people(self) -> dict[str, int]:
        """Who works here.

        Returns
        -------
        dict
            {name: how many steps of theirs the journal has}, those of most steps first.
        """
        with self._context.database.reading() as connection:
            return reading.people(connection)

    def bare_photos(self) -> list[StoredPhoto]:
        """Photos in which no hand was found.

        Returns
        -------
        list of StoredPhoto
            In the order they came.
        """
        with self._context.database.reading() as connection:
            return reading.bare(connection, self._context.folder)

    def history(self, hand_id: str) -> list[Event]:
        """The hand's journal.

        Parameters
        ----------
        hand_id
            The hand's id.

        Returns
        -------
        list of Event
            Oldest first.

        Raises
        ------
        InputError
            No such hand.
        """
        with self._context.database.reading() as connection:
            reading.row_of(connection, self._context.folder, hand_id)
            return journal.history(connection, hand_id)

    def each_hand(
        self, state: str | Iterable[str] | None = None, photo: int | None = None, after: int = 0, copies: bool = True
    ) -> Iterator[HandEntry]:
        """What `hands` lists, a page at a time: each hand once, as it is when its page is read.

        No transaction stays open between pages, so others (and the caller, too) may change hands meanwhile; one that
        came since is at the end.

        Parameters
        ----------
        state, photo, after, copies
            As for `hands`.

        Yields
        ------
        HandEntry

        Raises
        ------
        InputError
            An unknown state.
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
        """How many hands `hands` would list.

        Parameters
        ----------
        state, photo, copies
            As for `hands`.

        Returns
        -------
        int

        Raises
        ------
        InputError
            An unknown state.
        """
        with self._context.database.reading() as connection:
            return reading.count(connection, state, photo, copies)
