"""The order in which a session's hands are looked at, and how many are judged; without Qt and napari."""

from __future__ import annotations

import dataclasses

from annotator.project import HandEntry, Project, StoredHand
from napari_hand_mesh.session.memory import uncollected

OPEN = ("proposed", "in work")  # states of hands that wait for a person
ORDER = "confidence"


class HandQueue:
    """A project's list of hands, those the network is least sure of first unless `sort` says otherwise.

    entries: the list itself; generation: grows whenever it was read anew; news: ids of hands that changed since then,
    so that who shows it need not compare 20,000 lines at every step.
    """

    def __init__(self, project: Project):
        self._project = project
        self.entries: list[HandEntry] = []
        self.generation = 0
        self.news: list[str] = []
        self._judged = 0
        self._order, self._falling = ORDER, False
        self._row: dict[str, int] = {}

    def read(self) -> None:
        """Read the list anew."""
        with uncollected():
            self._read()

    def _read(self) -> None:
        self.entries = sorted(self._project.hands(), key=lambda entry: (entry.confidence, entry.number))
        if (self._order, self._falling) != (ORDER, False):
            self.entries.sort(key=lambda entry: getattr(entry, self._order), reverse=self._falling)
        self._row = {entry.id: row for row, entry in enumerate(self.entries)}
        self._judged = sum(entry.state not in OPEN for entry in self.entries)
        self.generation, self.news = self.generation + 1, []

    def sort(self, order: str = ORDER, falling: bool = False) -> None:
        """By a field of `HandEntry` from now on; hands of one value in the order of how sure the network is."""
        self._order, self._falling = order, falling
        self.read()

    def entry(self, hand_id: str) -> HandEntry:
        return self.entries[self._row[hand_id]]

    def __contains__(self, hand_id: str) -> bool:
        return hand_id in self._row

    def note(self, hand: StoredHand) -> None:
        """One line as it is now: a project may have 20,000, reading all at every step would be felt."""
        if hand.id not in self._row:
            self.read()
            return
        row = self._row[hand.id]
        before = self.entries[row]
        after = dataclasses.replace(
            before, side=hand.side, state=hand.state, confidence=hand.confidence,
            version=hand.version, corrections=len(hand.corrections), changed=hand.changed,
        )  # fmt: skip
        if after != before:  # else somebody only looked at it
            self._judged += (hand.state not in OPEN) - (before.state not in OPEN)
            self.news.append(hand.id)
            self.entries[row] = after

    def next_open(self, current: str | None, step: int = 1) -> str | None:
        """The id of the next hand (step -1: the one before) that waits for a person; None if there is none."""
        here = self._row.get(current, -1) if current else -1
        if current is None and step < 0:
            here = 0
        for at in range(1, len(self.entries) + 1):
            entry = self.entries[(here + step * at) % len(self.entries)]
            if entry.state in OPEN and entry.id != current:
                return entry.id
        return None

    def progress(self) -> tuple[int, int]:
        """(hands that are judged, all hands)."""
        return self._judged, len(self.entries)
