"""Hands of which nobody said whether they are left or right: asked of the network, and marked as guessed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from annotator.errors import InputError
from annotator.formats.core.base import LabelledHand
from annotator.project.guessed_sides import SIDE_GUESSED


def side_is_known(record: LabelledHand) -> bool:
    """Whether the data set, or a person, said it."""
    return record.provenance.get("side_known", True) is not False


def with_guessed_side(record: LabelledHand, photo: np.ndarray, model) -> LabelledHand:
    """The record with the side that the network sees in its box, and the mark of that in its provenance; without the
    network's answer the side is as it was read, and as doubtful."""
    try:
        found = model.propose(photo, boxes=[tuple(record.box.tolist())])
    except InputError:
        found = []
    provenance = dict(record.provenance) | {SIDE_GUESSED: True}
    return replace(record, side=found[0].side if found else record.side, provenance=provenance)
