"""What a `Project` offers to people who share it: leases, the next hand, reviews, gold hands."""

from __future__ import annotations

from collections.abc import Iterable

from annotator.project import journal, reading
from annotator.project.context import Context
from annotator.project.journal import STATE
from annotator.project.records.changes import with_state
from annotator.project.records.states import FLAGGED
from annotator.project.records.views import GoldHand, Skill
from annotator.project.teamwork import gold, team
from annotator.project.teamwork.team import AGREED, LEASE, RETURNED


class Shared:
    """A service of `Project`: several people."""

    def __init__(self, context: Context):
        self._context = context

    def lease(self, hand_id: str, seconds: float = LEASE, instead_of: str | None = None) -> str:
        """Take the hand for some time: nobody else can change it.

        Every change of yours starts the time anew; a verdict or `release` ends it.

        Parameters
        ----------
        hand_id
            The hand's id.
        seconds
            For how long.
        instead_of
            A hand to `release` in the same step.

        Returns
        -------
        str
            Until when, UTC, ISO 8601.

        Raises
        ------
        InputError
            Naming who and until when: somebody else has it.
        """
        with self._context.database.writing(stored_only=True) as connection:
            reading.row_of(connection, self._context.folder, hand_id)
            if instead_of is not None:
                team.release(connection, instead_of, self._context.who)
            return team.lease(connection, hand_id, self._context.who, seconds)

    def release(self, hand_id: str) -> None:
        """Give a hand back that was taken by `lease` or `next_hand`; nothing happens if you do not have it.

        Parameters
        ----------
        hand_id
            The hand's id.
        """
        with self._context.database.writing(stored_only=True) as connection:
            team.release(connection, hand_id, self._context.who)

    def next_hand(
        self, skip: Iterable[str] = (), lease: bool = True, gold_every: int | None = gold.EVERY
    ) -> str | None:
        """The open hand that the network is least sure of and nobody else works on.

        Parameters
        ----------
        skip
            Ids not to be given.
        lease
            Take it, so that the next person gets another.
        gold_every
            One hand in so many is the copy of a gold hand (None: never); it comes only to who takes it.

        Returns
        -------
        str or None
            Its id; None: there is none.
        """
        if not lease:
            with self._context.database.reading() as connection:
                return team.next_open(connection, self._context.who, tuple(skip))
        with self._context.database.writing(stored_only=True) as connection:
            handed = team.count_handed(connection, self._context.who)
            found = None
            if gold_every and gold.is_due(self._context.who, handed, gold_every):
                found = gold.next_trial(connection, self._context.who)
            found = found or team.next_open(connection, self._context.who, tuple(skip))
            if found is not None:
                team.lease(connection, found, self._context.who, LEASE)
            return found

    def review(self, hand_id: str, agreed: bool, remark: str = "") -> int:
        """Say of an accepted hand, as a second person, that it is right, or that it is not.

        A hand that is returned becomes flagged, by an event like any other. What was agreed to counts as long as nobody
        changes the hand.

        Parameters
        ----------
        hand_id
            The hand's id.
        agreed
            Whether it is right.
        remark
            What is to be said of it.

        Returns
        -------
        int
            Its version.

        Raises
        ------
        InputError
            It is not accepted, or you worked on it yourself.
        """
        with self._context.database.writing(stored_only=True) as connection:
            row, record, _ = reading.stored(connection, self._context.folder, hand_id)
            team.refuse_if_leased(connection, hand_id, self._context.who)
            team.review(connection, row, self._context.who, AGREED if agreed else RETURNED, remark)
            if agreed:
                return row.version
            note = {"review": RETURNED, "remark": remark}
            return journal.change(connection, row, with_state(record, FLAGGED), STATE, self._context.who, note)

    def to_review(self) -> list[str]:
        """Accepted hands that you did not work on and nobody has reviewed as they are now.

        Returns
        -------
        list of str
            Their ids.
        """
        with self._context.database.reading() as connection:
            return team.to_review(connection, self._context.who)

    def make_gold(self, hand_id: str) -> None:
        """Take an accepted hand, as it is now, for the truth.

        Copies of its proposal come to other people unmarked (`next_hand`), and `skills` says how far they end from it.

        Parameters
        ----------
        hand_id
            The hand's id.

        Raises
        ------
        InputError
            It is not accepted.
        """
        with self._context.database.writing(stored_only=True) as connection:
            gold.add(connection, reading.row_of(connection, self._context.folder, hand_id), self._context.who)

    def gold_hands(self) -> list[GoldHand]:
        """All gold hands with their truth.

        Returns
        -------
        list of GoldHand
            Oldest first.
        """
        with self._context.database.reading() as connection:
            return gold.all_of(connection, self._context.folder)

    def skills(self) -> list[Skill]:
        """How well people label.

        Returns
        -------
        list of Skill
            Each person's error on gold hands, mm.
        """
        with self._context.database.reading() as connection:
            return gold.skills(connection)
