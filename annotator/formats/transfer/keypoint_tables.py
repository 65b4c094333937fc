"""Any data set's records as a keypoint table to train from: `FORMAT:PATH` on the command line."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.formats import FORMATS, reader
from annotator.formats.conventions.orders import checked
from annotator.formats.conventions.units import checked as in_likely_units
from annotator.formats.core.base import LabelledHand
from annotator.formats.core.filters import part_of
from annotator.learning.data.photos import KeypointTable

SUPERVISION = ("keypoints", "keypoints-2d")
HELD_SHARE = 0.1


def parse(text: str) -> tuple[str, Path] | None:
    """("freihand", PATH) of "freihand:PATH"; None where there is no reader's name before a colon."""
    name, colon, path = text.partition(":")
    return (name, Path(path)) if colon and name in FORMATS and FORMATS[name].reads else None


def table_of(records: Iterable[LabelledHand], held: float = HELD_SHARE) -> KeypointTable:
    """The records' sparse labels; nothing of their meshes. Photos by absolute path, split by photo.

    Keypoints count by their weights (a proposal at most half); joints by theirs. InputError if there are no records.
    """
    rows = [_row(record, held) for record in records]
    if not rows:
        raise InputError("the data set holds no hands to train from")
    return KeypointTable(**{name: np.array([row[name] for row in rows]) for name in rows[0]})


def _row(record: LabelledHand, held: float) -> dict:
    known = record.joints is not None
    weights = np.ones(21) if record.joint_weights is None else record.joint_weights
    # out of frame, a joint of a data set is as good as its others; a proposal's is worth its weight
    own = np.where(np.array(record.states) == "proposed", np.minimum(weights, record.weights), weights)
    return {
        "photo": str(record.photo.absolute()),
        "side": record.side,
        "K": np.full((3, 3), np.nan) if record.K is None else record.K,
        "keypoints": record.keypoints,
        "weight": record.weights,
        "joints": record.joints if known else np.zeros((21, 3)),
        "joint_weight": own if known else np.zeros(21),
        "metric": 1.0,
        "held": part_of(record, held) == "held",
        "group": str(record.provenance.get("photo_sha256", record.photo.name)),
    }


def make_table(name: str, path: Path, out: Path) -> Path:
    """Read a data set into OUT/data/NAME-STEM/keypoints.npz, if it is not there yet; that folder, absolute.

    Hands of which nothing says the side are left out, with a warning. InputError where that is all of them, or where
    they look as if their keypoints were in another order (`formats.conventions.orders`) or in percent
    (`formats.conventions.units`).
    """
    stem = re.sub(r"[^\w.-]+", "-", path.resolve().name) or "set"
    folder = (out / "data" / f"{name}-{stem}").absolute()
    if (folder / "keypoints.npz").is_file():
        return folder
    read = reader(name).read
    # photos out of an archive stay with the run that trains from them
    options = {"photos": folder / "photos"} if "photos" in inspect.signature(read).parameters else {}
    records = checked(in_likely_units(read(path, **options), str(path)), str(path))
    table_of(_sided(records, path)).save(folder)
    return folder


def _sided(records: Iterable[LabelledHand], path: Path) -> Iterator[LabelledHand]:
    """The records whose side is said: one taken for right that is left teaches the wrong hand."""
    kept = without = 0
    for record in records:
        if record.provenance.get("side_known", True):
            kept += 1
            yield record
        else:
            without += 1
    if without and not kept:
        raise InputError(f"{path} does not say which hands are left: import it, confirm the sides, and train on that")
    if without:
        warnings.warn(f"{without} hands of {path} say no side and are left out of training", stacklevel=2)
