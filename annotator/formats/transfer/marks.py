"""By what a label that was imported is known again, and whether it is still the same."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass

import numpy as np

from annotator.formats.core.base import LabelledHand
from annotator.formats.transfer.sides import SIDE_GUESSED
from annotator.project import Project, Provenance


class Marks:
    """The marks of one import; source: FORMAT:PLACE.

    A label is known by its photo's content, its set's format and its id there, not by where the set lies: a table that
    was moved, or comes again from a colleague, is recognised.
    """

    def __init__(self, source: str):
        self._source = source
        self._format = source.partition(":")[0]
        self._earlier = f"import:{_short(source)}"  # what older projects have: of the place, too
        self._seen: Counter = Counter()
        self._number = 0

    def of(self, record: LabelledHand) -> str:
        """The mark of the next record; ids are others' words: the second of one name on a photo is another hand."""
        self._seen[record.id] += 1
        self._number = self._seen[record.id]
        return f"import:{self._format}:{_short(f'{record.id} {self._number}')}"

    def is_here(self, target: Project, photo: int, mark: str) -> bool:
        """Whether a label of this mark is on this photo of the project."""
        sha256 = target.photo(photo).sha256
        old = f"{self._earlier}:{mark.rpartition(':')[2]}"
        return target.has_photo(sha256, mark) or target.has_photo(sha256, old)

    def provenance(self, record: LabelledHand) -> Provenance:
        """Of a hand that is made of this record."""
        guessed = {SIDE_GUESSED: True} if SIDE_GUESSED in record.provenance else {}
        return Provenance(f"imported from {self._source}", self._earlier, extra=guessed)


@dataclass(frozen=True)
class StoredLabel:
    """hand: its id; same: whether the label is what it was; untouched: whether nobody has edited the hand here
    since."""

    hand: str
    same: bool
    untouched: bool


def stored_label(target: Project, photo: int, mark: str, record: LabelledHand) -> StoredLabel | None:
    """What the project has of this record's label; None where it was imported before marks were kept with hands."""
    for entry in target.hands(photo=photo):
        edits = [event for event in target.history(entry.id) if event.kind == "edit"]
        ours = [event for event in edits if event.note.get("mark") == mark]
        if ours:
            same = ours[-1].note.get("label") == label_digest(record)
            return StoredLabel(entry.id, same, edits[-1] is ours[-1])
    return None


def returned_label(target: Project, photo: int, record: LabelledHand) -> StoredLabel | None:
    """What the project has of a hand that left it in an export and comes back, from a tool or as it is; None for any
    other, also for another project's hand of the same name."""
    said = record.provenance
    for entry in target.hands(photo=photo):
        if entry.id != record.id:
            continue
        for event in target.history(entry.id):
            if event.version == said.get("version") and event.at == said.get("changed"):
                return StoredLabel(entry.id, "edited" not in said, entry.version == event.version)
    return None


def label_digest(record: LabelledHand) -> str:
    """Of what the data set says of the hand: keypoints to a hundredth of a pixel, states, weights, side if it is
    said."""
    numbers = [np.round(record.keypoints[record.weights > 0], 2).tolist(), np.round(record.weights, 3).tolist()]
    side = record.side if record.provenance.get("side_known", True) else ""
    return _short(json.dumps([numbers, list(record.states), side]))


def _short(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
