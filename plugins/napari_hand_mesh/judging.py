"""Verdicts: on the hand that the canvas shows, on several at once, and back again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from annotator.errors import InputError
from napari_hand_mesh.docks.question import ask, choose

if TYPE_CHECKING:
    from napari_hand_mesh.session.session import Session


class Judging:
    """The part of the plugin's widget that judges hands of its session."""

    session: Session | None

    def accept(self) -> None:
        session, hand = self.session, self.session.hand
        contradicting = session.strained()
        if not contradicting:
            self._judge("accepted")
            return

        def sure() -> None:
            if self.session is session and session.hand is not None and session.hand.id == hand.id:
                self._try(lambda: self._judge("accepted"))

        self._check_shown()
        words = "; ".join(one.words for one in contradicting)
        question = "Accept this hand all the same? It is left out of exports unless asked for."
        ask(self, f"{words[:1].upper()}{words[1:]}.\n\n{question}", sure)

    def reject(self) -> None:
        self._judge("rejected")

    def flag(self) -> None:
        self._judge("flagged")

    def delete(self) -> None:
        self._check_shown()
        session, gone = self.session, self.session.hand
        session.delete()
        try:
            more = session.next_open()
        except InputError:
            more = False
        if not more:
            session.look_bare(gone.photo)  # what is deleted is not looked at any more
        self.say(f"{gone.id} is no hand (Undo brings it back)")

    def take_back(self) -> None:
        hands = self.session.take_back()
        self.say(f"taken back: {len(hands)} verdict{'' if len(hands) == 1 else 's'}")

    def _typed(self) -> None:
        """Letters that came one upon the other were text: what they judged is taken back."""
        burst = None if self.session is None else self.session.burst
        if burst is not None and len(burst) > 1:
            back = self.session.take_back()
            self.say(f"that was text being typed: {len(back)} verdicts were taken back")

    def _check_shown(self) -> None:
        """InputError unless the hand that is judged is the one on the canvas; then it is shown."""
        if self.session.hand is None:
            raise InputError("no hand is open")
        if not self.is_shown:
            self._refresh()
            raise InputError("the canvas did not show this hand as it is stored: look at it, then judge")

    def _judge(self, state: str) -> None:
        self._check_shown()
        judged = self.session.hand.id
        self.session.set_state(state)
        try:
            more = self.session.passed if self.session.next_open() else "no other hand waits to be judged"
        except InputError as error:  # the verdict is stored all the same
            more = str(error)
        self.say("; ".join(filter(None, (f"{judged}: {state}", more))))

    def _judge_many(self, hand_ids: list[str], state: str) -> None:
        """Judge all of these, after a question."""
        self.settle()
        session = self.session
        if session is None or len(hand_ids) < 2:
            return
        strained = session.strained_among(hand_ids) if state == "accepted" else []
        wanted = [hand_id for hand_id in hand_ids if hand_id not in strained]
        verb = {"accepted": "Accept", "rejected": "Reject", "flagged": "Flag"}[state]
        left = f"\n\n{len(strained)} with labels that no plausible hand meets stay as they are." if strained else ""

        def sure() -> None:
            if self.session is session:
                self._try(lambda: self.say(f"{session.judge(wanted, state)} hands {state}"))

        choose(self, f"{verb} {len(wanted)} hands, also those that were not looked at?{left}",
               {f"{verb} {len(wanted)}": sure}, lambda: None)  # fmt: skip
