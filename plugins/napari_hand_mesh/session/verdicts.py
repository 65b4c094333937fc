"""Verdicts that came one upon the other: a mis-click or a run of keys judges several hands in a moment, and all of it
can be taken back as one. Without Qt."""

from __future__ import annotations

import time

from annotator.errors import InputError
from annotator.project import Project

WITHIN = 1.5  # s between two verdicts of one burst


class Burst:
    """The verdicts of the last moments, oldest first: (hand's id, its version since)."""

    def __init__(self) -> None:
        self.verdicts: list[tuple[str, int]] = []
        self.last = self._first = float("-inf")

    def __len__(self) -> int:
        return len(self.verdicts)

    @property
    def seconds(self) -> float:
        """From the first of them to the last."""
        return self.last - self._first

    def note(self, hand_id: str, version: int) -> None:
        """A hand was judged just now."""
        now = time.monotonic()
        if now - self.last > WITHIN:
            self.verdicts, self._first = [], now
        self.last = now
        self.verdicts.append((hand_id, version))

    def forget(self) -> None:
        self.verdicts, self.last = [], float("-inf")

    def take_back(self, project: Project) -> list[str]:
        """Undo them, the newest first; the hands that have their old state again, oldest first. A hand that was changed
        since keeps its verdict. InputError if there is none to take back."""
        back = []
        for hand_id, version in reversed(self.verdicts):
            if project.hand(hand_id).version == version:
                project.undo(hand_id)
                back.append(hand_id)
        self.forget()
        if not back:
            raise InputError("there are no verdicts of the last moments to take back")
        return back[::-1]
