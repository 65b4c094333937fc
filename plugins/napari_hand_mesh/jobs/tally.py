"""What a project's hands are, counted, in words for whoever is about to export or to learn from them. Without Qt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from annotator.project import HandEntry
from napari_hand_mesh.session.navigation.hand_queue import OPEN


@dataclass(frozen=True)
class Tally:
    """states: how many hands of each; right, left, labelled, labels: of the accepted ones; photos: they are on."""

    states: Counter[str]
    right: int
    left: int
    labelled: int
    labels: int
    photos: int

    @classmethod
    def of(cls, entries: Iterable[HandEntry]) -> Tally:
        entries = list(entries)
        kept = [entry for entry in entries if entry.state == "accepted"]
        right = sum(entry.side == "right" for entry in kept)
        return cls(
            Counter(entry.state for entry in entries), right, len(kept) - right,
            sum(entry.corrections > 0 for entry in kept), sum(entry.corrections for entry in kept),
            len({entry.photo_id for entry in kept}),
        )  # fmt: skip

    @property
    def accepted(self) -> int:
        return self.right + self.left

    def words(self, strained: int | None = None) -> str:
        """What leaves with an export, and what is left out and why. strained: accepted hands with labels that no
        plausible hand meets; None: not known yet."""
        if not self.accepted:
            return "No hand is accepted yet: there is nothing to export."
        leaving = self.accepted - (strained or 0)
        lines = [
            f"<b>{_many(leaving, 'hand')} will be written</b> ({self.right} right and {self.left} left ones accepted, "
            f"on {_many(self.photos, 'photo')}; {self.labelled} with labels, {self.labels} in all)."
        ]
        if strained is None:
            lines.append("Looking for labels that no plausible hand meets …")
        elif strained:
            lines.append(f"{strained} left out for labels that no plausible hand meets, unless you tick the box.")
        waiting = sum(self.states[state] for state in OPEN)
        others = (("to do", waiting), ("rejected", self.states["rejected"]), ("flagged", self.states["flagged"]))
        left = ", ".join(f"{count} {name}" for name, count in others if count)
        if left:
            lines.append(f"Not accepted, so not written: {left}.")
        return "<br>".join(lines)

    def round_words(self) -> str:
        """What a round of learning is about to do."""
        waiting = sum(self.states[state] for state in OPEN)
        return (
            f"Learn from {_many(self.accepted, 'accepted hand')} ({self.labels} labels)?\n\n"
            "It runs beside your work, for minutes on a graphics card and longer without, and can be cancelled and "
            "gone on with. Only a network that is better on hands it did not learn from takes over; then the "
            f"{_many(waiting, 'open hand')} that nobody has corrected are proposed anew. Accepted hands stay as they "
            "are."
        )


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
