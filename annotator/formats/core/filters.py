"""Which records go into a data set: by state, by quality, by the part of a split that they belong to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from annotator.errors import InputError
from annotator.formats.core.base import LabelledHand
from annotator.hand.joint_states import BY_A_PERSON

SPLIT_BY = ("photo", "subject", "sequence")
PARTS = ("train", "held")


@dataclass(frozen=True)
class Filter:
    """What a record needs to be kept.

    min_confidence: of the network (its provenance); min_weight: mean over keypoints, 0..1; min_corrected: keypoints
    that a person set or confirmed; max_sigma: median keypoint sigma as a share of the box's longer side; part: "train"
    or "held", "" = all; held: share of the held part, 0..1; by: what is never torn apart; strained: also hands whose
    labels contradict their meshes (`strained` of the provenance names joints). InputError for other values.
    """

    min_confidence: float = 0.0
    min_weight: float = 0.0
    min_corrected: int = 0
    max_sigma: float = float("inf")
    part: str = ""
    held: float = 0.0
    by: str = "photo"
    strained: bool = False

    def __post_init__(self) -> None:
        if self.part not in ("", *PARTS):
            raise InputError(f"unknown part {self.part!r}: expected {' or '.join(PARTS)}")
        if self.by not in SPLIT_BY:
            raise InputError(f"cannot split by {self.by!r}: expected one of {', '.join(SPLIT_BY)}")
        if not 0 <= self.held < 1:
            raise InputError(f"the held share is {self.held:g}, expected 0 to less than 1")

    def keeps(self, record: LabelledHand) -> bool:
        """Whether this record is wanted."""
        if record.provenance.get("strained") and not self.strained:
            return False
        if float(record.provenance.get("confidence", 1.0)) < self.min_confidence:
            return False
        if float(record.weights.mean()) < self.min_weight:
            return False
        if sum(state in BY_A_PERSON for state in record.states) < self.min_corrected:
            return False
        if record.keypoint_sigma is not None:
            size = max(float(np.ptp(record.box.reshape(2, 2), axis=0).max()), 1e-9)
            if float(np.median(record.keypoint_sigma)) > self.max_sigma * size:
                return False
        return not self.part or part_of(record, self.held, self.by) == self.part

    def __call__(self, records: Iterable[LabelledHand]) -> Iterator[LabelledHand]:
        """The records that are wanted, one at a time."""
        return (record for record in records if self.keeps(record))


def part_of(record: LabelledHand, held: float, by: str = "photo") -> str:
    """ "train" or "held": by a hash of what the record belongs to, so that it never changes with the other records.

    A photo is known by its content's hash where that is known, else by its name; subject and sequence come from the
    provenance. InputError where it has none.
    """
    name = record.provenance.get(by) if by != "photo" else record.provenance.get("photo_sha256", record.photo.name)
    if not name:
        raise InputError(f"hand {record.id} has no {by}: split by something else")
    number = int.from_bytes(hashlib.sha256(str(name).encode()).digest()[:8], "big")
    return PARTS[number < held * 2**64]
