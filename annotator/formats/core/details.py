"""What a data set's own fields have no room for, as JSON: states, weights, sigmas, parameters, provenance.

Our exports carry it beside the official fields (file `details.json`, or a field of the record itself), so that
reading an export gives back what was written; other people's code need not know of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, cast

import numpy as np

from annotator.errors import InputError
from annotator.files.file_errors import reason
from annotator.files.paths import BROKEN, read_json
from annotator.files.serialization.json_lists import iterate
from annotator.formats.core.base import LabelledHand, ManoLabel
from annotator.hand.mesh import HandParameters

FORMAT = "hand-mesh-annotator"
MARK, DETAILS, FACES = "provenance.json", "details.json", "faces.json"
_PARAMETERS = ("pose", "shape", "translation", "offsets")
_FIELDS = (
    "id", "side", "box", "K", "keypoints", "visible", "states", "weights", "joints", "keypoint_sigma",
    "joint_weights", "hand_model", "state",
)  # fmt: skip


def details_of(record: LabelledHand) -> dict[str, Any]:
    """Everything of a record but its photo and mesh, JSON-ready."""
    values = {name: plain(getattr(record, name)) for name in _FIELDS}
    values["parameters"] = None
    if record.parameters is not None:
        values["parameters"] = {name: plain(getattr(record.parameters, name)) for name in _PARAMETERS}
    values["mano"] = None if record.mano is None else mano_details(record.mano)
    return values | {"provenance": json.loads(json.dumps(dict(record.provenance), default=plain))}


def mano_details(label: ManoLabel) -> dict[str, Any]:
    """MANO's parameters, JSON-ready: what makes the label again."""
    return {name: plain(getattr(label, name)) for name in ("pose", "shape", "translation", "form")}


def record_of(details: Mapping[str, Any], photo: Path, **given: Any) -> LabelledHand:
    """The record of these details; `given` fields (vertices, faces, ...) take the place of theirs.

    A mesh that was not given is rebuilt from the parameters if their hand model is at hand. InputError for
    fields that are missing or wrong.
    """
    parameters, mano = details["parameters"], details["mano"]
    values = {name: details[name] for name in _FIELDS} | {
        "photo": photo,
        "parameters": None if parameters is None else HandParameters(**parameters),
        "mano": None if mano is None else ManoLabel(**mano),
        "provenance": details["provenance"],
    }
    values |= given
    if values.get("vertices") is None:
        values["vertices"], values["faces"] = rebuilt(values["parameters"], values["side"], values["hand_model"])
    return LabelledHand(**values)


def rebuilt(parameters: HandParameters | None, side: str, hand_model: str):
    """(vertices, faces) by the parameters, or (None, None) where there are none or the model is not here."""
    if parameters is None:
        return None, None
    from annotator.project.records.meshes import find_hand_model

    try:
        model = find_hand_model(hand_model)
    except InputError:
        return None, None
    if len(parameters.offsets) != model.offset_count:
        return None, None
    return model.vertices(parameters, side), model.faces_of(side)


class Sidecar:
    """An export's `details.json` and `faces.json`; `Sidecar.of(folder, format)` is None where there is no such export.

    Iterate for the details, in the order of the records.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.faces: dict[str, list] = {}
        if (folder / FACES).is_file():
            self.faces = read_json(folder / FACES, dict)

    @classmethod
    def of(cls, folder: Path, name: str) -> Sidecar | None:
        if not (folder / DETAILS).is_file() or not (folder / MARK).is_file():
            return None
        about = read_json(folder / MARK, dict)
        return cls(folder) if about.get("format") == f"{FORMAT}/{name}" else None

    def __iter__(self) -> Iterator[dict]:
        return iterate(self.folder / DETAILS)

    def faces_of(self, hand_model: str, side: str) -> np.ndarray | None:
        """(F, 3) of this hand model for a hand of this side, or None."""
        faces = self.faces.get(hand_model)
        if faces is None:
            from annotator.project.records.meshes import find_hand_model

            try:
                return find_hand_model(hand_model).faces_of(side)
            except InputError:
                return None
        return np.array(faces)[:, ::-1] if side == "left" else np.array(faces)


_END = object()


def beside(rows: Iterator, sidecar: Sidecar | None, where: Path) -> Iterator[tuple[int, Any, dict | None]]:
    """(index, row, its details or None) of all rows. InputError if the two have different lengths."""
    extra = iter(sidecar) if sidecar is not None else None
    index = -1
    for index, row in enumerate(rows):
        details = None
        if extra is not None:
            details = next(extra, _END)
            if details is _END:
                raise InputError(f"{where.parent / DETAILS} ends at {index}, {where.name} goes on")
        yield index, row, cast(dict | None, details)
    if extra is not None and next(extra, _END) is not _END:
        raise InputError(f"{where.parent / DETAILS} goes on after {index}, the last of {where.name}")


_SKIPPED: ContextVar[list[str] | None] = ContextVar("skipped", default=None)


@contextmanager
def skipping() -> Iterator[list[str]]:
    """While this lasts readers leave broken records out instead of stopping; the list fills with why, one each.

    What is wrong with a whole file (missing, not JSON) still raises InputError. Take the records with `whole`.
    """
    mark = _SKIPPED.set([])
    try:
        yield cast(list[str], _SKIPPED.get())
    finally:
        _SKIPPED.reset(mark)


def whole(records: Iterable[LabelledHand | None]) -> Iterator[LabelledHand]:
    """The records without the broken ones' gaps."""
    return (record for record in records if record is not None)


def named(where: Path, index: int | str, make, *arguments):
    """make(*arguments), any trouble with it as one InputError that names file and record; None inside `skipping`."""
    try:
        return make(*arguments)
    except BROKEN as error:
        why = f"{where}, index {index}: {reason(error)}"
        skipped = _SKIPPED.get()
        if skipped is None:
            raise InputError(why) from error
        skipped.append(why)
        return None


def plain(value: Any) -> Any:
    """Arrays and numpy numbers as JSON takes them."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Path):
        return str(value)
    return value
