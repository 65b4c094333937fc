"""What a person does to hands: edits, verdicts, and taking them back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from annotator.errors import InputError
from annotator.hand.joints import ByJoint
from annotator.hand.mesh import HandMesh
from annotator.project import journal, reading
from annotator.project.context import Context
from annotator.project.instants import companions, new_together, views_of
from annotator.project.journal import EDIT, STATE
from annotator.project.overview.steps import BATCH
from annotator.project.records.changes import edited, with_state
from annotator.project.records.states import REJECTED, check_hand_state
from annotator.project.teamwork import batches, team, user_history


class Editing:
    """A service of `Project`: changes that people make."""

    def __init__(self, context: Context):
        self._context = context

    def edit(
        self,
        hand_id: str,
        mesh: HandMesh | None = None,
        joint_states: ByJoint[str] | Iterable[str] | None = None,
        version: int | None = None,
        note: Mapping | None = None,
    ) -> int:
        """Put a corrected mesh, other joint states, or both in force; the hand is then in work.

        Parameters
        ----------
        hand_id
            The hand's id.
        mesh
            Its new mesh; None: as it is.
        joint_states
            {joint: state}, or all 21. Joints whose correction is new become 'corrected' by themselves.
        version
            The one the edit was made on; None: whichever is in force.
        note
            JSON, kept in the journal.

        Returns
        -------
        int
            Its new version.

        Raises
        ------
        InputError
            The hand has changed since `version`, is leased to somebody else, or does not exist; unknown joints or
            states; a mesh that its own parameters do not give.
        """
        return self._change(hand_id, EDIT, version, note, lambda row, record: edited(row, record, mesh, joint_states))

    def set_state(self, hand_id: str, state: str, version: int | None = None, note: Mapping | None = None) -> int:
        """Give the hand a verdict.

        Parameters
        ----------
        hand_id
            The hand's id.
        state
            One of `states.HAND_STATES`.
        version, note
            As for `edit`.

        Returns
        -------
        int
            Its new version.

        Raises
        ------
        InputError
            An unknown state, and as for `edit`.
        """
        check_hand_state(state)
        return self._change(hand_id, STATE, version, note, lambda _row, record: with_state(record, state))

    def set_states(self, notes: Mapping[str, Mapping], state: str) -> dict[str, int]:
        """Give many hands a state in one transaction, all or none.

        The steps stay together: `undo_batch` takes all of them back.

        Parameters
        ----------
        notes
            {hand's id: what the journal keeps beside its change}.
        state
            One of `states.HAND_STATES`.

        Returns
        -------
        dict
            {hand's id: its new version}.

        Raises
        ------
        InputError
            An unknown state, and as for `edit`.
        """
        check_hand_state(state)
        batch = {BATCH: batches.new_batch()} if len(notes) > 1 else {}
        with self._context.database.writing() as connection:
            return {
                hand_id: self._change_in(
                    connection, hand_id, STATE, None, {**note, **batch}, lambda _row, record: with_state(record, state)
                )
                for hand_id, note in notes.items()
            }

    def delete(self, notes: Mapping[str, Mapping]) -> dict[str, int]:
        """There is no hand here, or it is here twice: `set_states` to rejected, with a note that says so.

        A hand that is one mesh in several photos is in none of them; that is one step, undone in all of them.

        Parameters
        ----------
        notes
            Hand id -> JSON, kept with the change.

        Returns
        -------
        dict of str to int
            As `set_states`.

        Raises
        ------
        InputError
            As `set_states`.
        """
        whole: dict[str, dict] = {}
        with self._context.database.reading() as connection:
            for hand_id, note in notes.items():
                together = new_together()
                for one in views_of(connection, hand_id):
                    row = reading.row_of(connection, self._context.folder, one)
                    if one == hand_id or (row.state != REJECTED and one not in notes):
                        whole.setdefault(one, {**note, "deleted": True, **together})
        return self.set_states(whole, REJECTED)

    def undo_batch(self) -> list[str]:
        """Take back your own last change, and what was made together with it.

        That is what `set_states` did to other hands and is in force.

        Returns
        -------
        list of str
            The hands' ids.

        Raises
        ------
        InputError
            And nothing changed: as for `undo`.
        """
        with self._context.database.writing(stored_only=True) as connection:
            return batches.undo(connection, self._context.folder, self._context.who)

    def redo_batch(self) -> list[str]:
        """Put what you undid last in force again, with what was made together with it.

        Returns
        -------
        list of str
            The hands' ids.

        Raises
        ------
        InputError
            And nothing changed: as for `redo`.
        """
        with self._context.database.writing(stored_only=True) as connection:
            return batches.redo(connection, self._context.folder, self._context.who)

    def undo(self, hand_id: str | None = None) -> str:
        """Take back a change that is in force.

        Parameters
        ----------
        hand_id
            The hand whose last change is meant, whoever made it; None: your own last change, never another person's.

        Returns
        -------
        str
            The hand's id.

        Raises
        ------
        InputError
            And nothing changed: there is none, or somebody else has changed your last hand since.
        """
        return self._back_or_forth(hand_id, user_history.last_changed, journal.undo)

    def redo(self, hand_id: str | None = None) -> str:
        """Put what was undone last in force again.

        Parameters
        ----------
        hand_id
            The hand that is meant; None: what you undid last.

        Returns
        -------
        str
            The hand's id.

        Raises
        ------
        InputError
            There is nothing to put in force again.
        """
        return self._back_or_forth(hand_id, user_history.last_undone, journal.redo)

    def _change(self, hand_id, kind, version, note, make) -> int:
        with self._context.database.writing() as connection:
            return self._change_in(connection, hand_id, kind, version, note, make)

    def _change_in(self, connection, hand_id, kind, version, note, make) -> int:
        with self._context.database.sensible():
            row, record, _ = reading.stored(connection, self._context.folder, hand_id)
        leased = team.refuse_if_leased(connection, hand_id, self._context.who)
        if version is not None and version != row.version:
            raise InputError(
                f"hand {hand_id} was changed meanwhile (version {row.version}, yours {version}): load it again"
            )
        after = make(row, record)
        with self._context.database.sensible():
            version = journal.change(connection, row, after, kind, self._context.who, note or {})
        team.after_change(connection, hand_id, self._context.who, after.state, leased)
        return version

    def _back_or_forth(self, hand_id, find_own, move) -> str:
        with self._context.database.writing(stored_only=True) as connection:
            if hand_id is None:
                hand_id = find_own(connection, self._context.who, self._context.folder)
            row = reading.row_of(connection, self._context.folder, hand_id)
            team.refuse_if_leased(connection, hand_id, self._context.who)
            others = companions(connection, self._context.folder, row, move is journal.redo)
            for one in others:
                team.refuse_if_leased(connection, one.id, self._context.who)
            for one in (row, *others):
                move(connection, one, self._context.who)
            return hand_id
