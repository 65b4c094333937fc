"""The frame all writers share: a folder that appears whole, details and faces beside, a card at its end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from annotator import __version__
from annotator.errors import InputError
from annotator.formats.base import LabelledHand
from annotator.formats.card import Tally, finish
from annotator.formats.details import DETAILS, FACES, FORMAT, MARK, details_of
from annotator.formats.folders import whole_folder
from annotator.formats.hamer import is_mano
from annotator.formats.json_lists import ListWriter


class Export:
    """An export under way in `folder`. `add` every record, in the order the format's own fields have them."""

    def __init__(self, folder: Path, with_details: bool):
        self.folder, self.tally = folder, Tally()
        self.faces: dict[str, list] = {}
        self.details = ListWriter(folder / DETAILS) if with_details else None
        self.head = ""

    @property
    def count(self) -> int:
        """How many records were added."""
        return self.tally.hands

    def add(self, record: LabelledHand) -> None:
        self.tally.add(record)
        if self.details is not None:
            self.details(details_of(record))
        if record.faces is not None and record.hand_model not in self.faces and not is_mano(record.hand_model):
            # MANO's topology is its file's: it stays with those who have that file
            right = record.faces if record.side == "right" else record.faces[:, ::-1]
            self.faces[record.hand_model] = np.asarray(right).tolist()


@contextmanager
def export(
    folder: str | Path, name: str, overwrite: bool = False, licence: str = "", with_details: bool = True
) -> Iterator[Export]:
    """A folder for an export of format `name`, there when the block ends and not at all if it fails.

    InputError: the folder exists and may not be replaced, nothing can be written, or no record was added.
    """
    with whole_folder(folder, MARK, overwrite) as part:
        about = {"format": f"{FORMAT}/{name}", "version": 1, "code_version": __version__}
        (part / MARK).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        under_way = Export(part, with_details)
        try:
            yield under_way
        except BaseException as error:
            if under_way.details is not None:
                under_way.details.__exit__(type(error), error, None)
            raise
        if under_way.details is not None:
            under_way.details.__exit__(None, None, None)
        if not under_way.count:
            raise InputError("there are no hands to export")
        (part / FACES).write_text(json.dumps(under_way.faces), encoding="utf-8")
        finish(part, under_way.tally, name, licence, under_way.head)


def mirrored(record: LabelledHand, width: int) -> LabelledHand:
    """A left hand as the right hand that its photo's mirror image shows; width: of the photo, px.

    The image's mirror takes x to width - 1 - x, the camera frame's x to -x. Parameters are those of a left hand's
    mirror image already. Its provenance keeps the side and that it is mirrored. Right hands: the same, not mirrored.
    """
    from dataclasses import replace

    provenance = dict(record.provenance) | {"side": record.side, "mirrored": record.side == "left"}
    if record.side == "right":
        return replace(record, provenance=provenance)
    flip = np.array([[-1.0, 0, width - 1], [0, 1, 0], [0, 0, 1]])
    mirror = np.diag([-1.0, 1, 1])
    x0, y0, x1, y1 = record.box
    return replace(
        record,
        side="right",
        box=np.array([width - 1 - x1, y0, width - 1 - x0, y1]),
        K=None if record.K is None else flip @ record.K @ mirror,
        keypoints=record.keypoints * (-1.0, 1.0) + (width - 1, 0.0),
        joints=None if record.joints is None else record.joints @ mirror,
        vertices=None if record.vertices is None else record.vertices @ mirror,
        faces=None if record.faces is None else record.faces[:, ::-1],
        mano=None,
        provenance=provenance,
    )
