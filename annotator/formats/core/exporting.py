"""The frame all writers share: a folder that appears whole, details and faces beside, a card at its end."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np

from annotator import __version__
from annotator.errors import InputError
from annotator.files.folders import whole_folder
from annotator.files.resuming import Marks, Resumable, export_key
from annotator.files.serialization.json_lists import ListWriter
from annotator.formats.core.base import LabelledHand
from annotator.formats.core.card import Tally, finish
from annotator.formats.core.details import DETAILS, FACES, FORMAT, MARK, details_of
from annotator.formats.hamer.fields import is_mano


class Export:
    """An export under way in `folder`. Take `records`; `add` each once all else of it is written, in the order the
    format's own fields have them.
    """

    def __init__(self, folder: Path, records: Iterable[LabelledHand], with_details: bool, key: str, by_itself: bool):
        self.folder, self.head = folder, ""
        self.marks, self._by_itself = Marks(folder, key), by_itself
        self.tally = Tally.of(self.marks.part("tally", lambda: self.tally.mark()))
        self.faces: dict[str, list] = self.marks.part("faces", lambda: self.faces) or {}
        self.details = self.list(folder / DETAILS) if with_details else None
        self._source = records
        self._places: deque = deque()  # of records that a writer has taken and not yet added
        self._place = self.marks.place

    @property
    def count(self) -> int:
        """How many records were added."""
        return self.tally.hands

    @property
    def records(self) -> Iterator[LabelledHand]:
        """The records, those that an interrupted export had written already left out."""
        if not isinstance(self._source, Resumable):
            yield from self._source
            return
        for place, record in self._source.draw(self._place):
            self._places.append(place)
            yield record

    def list(self, path: Path, head: dict | None = None, name: str = "") -> ListWriter:
        """A JSON list of this export, see `ListWriter`; an interrupted one goes on."""
        writer: ListWriter
        at = self.marks.part(path.name, lambda: writer.mark())
        writer = ListWriter(path, head, name, at)
        return writer

    def add(self, record: LabelledHand, sent: dict | None = None) -> None:
        """The record is written. sent: what the format's own fields say of it, for `returned.Returned`."""
        self.tally.add(record)
        if self.details is not None:
            self.details(details_of(record) | ({} if sent is None else {"sent": sent}))
        if record.faces is not None and record.hand_model not in self.faces and not is_mano(record.hand_model):
            # MANO's topology is its file's: it stays with those who have that file
            right = record.faces if record.side == "right" else record.faces[:, ::-1]
            self.faces[record.hand_model] = np.asarray(right).tolist()
        if self._places:
            self._place = self._places.popleft()
        if self._by_itself and self.marks.due():
            self.mark()

    def mark(self) -> None:
        """All records added are whole in the files: an interrupted export can go on from here."""
        self.marks.save(self._place)


@contextmanager
def export(
    records: Iterable[LabelledHand],
    folder: str | Path,
    name: str,
    overwrite: bool = False,
    licence: str = "",
    with_details: bool = True,
    mark: bool = True,
    by_itself: bool = True,
) -> Iterator[Export]:
    """A folder for an export of format `name`, there when the block ends and not at all if it fails. One of `Resumable`
    records that was interrupted goes on in what it had.

    mark: write the mark file and faces.json (a writer may have its own of both); by_itself: `add` marks where it is
    from time to time (a writer whose files cannot be cut anywhere says where they can).
    InputError: the folder exists and may not be replaced, nothing can be written, or no record was added.
    """
    key = export_key(records, name, licence)
    with whole_folder(folder, MARK, overwrite, key) as part:
        if mark:
            about = {"format": f"{FORMAT}/{name}", "version": 1, "code_version": __version__}
            (part / MARK).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        under_way = Export(part, records, with_details, key, by_itself)
        with under_way.details or nullcontext():
            yield under_way
        if not under_way.count:
            raise InputError("there are no hands to export")
        if mark:
            (part / FACES).write_text(json.dumps(under_way.faces), encoding="utf-8")
        finish(part, under_way.tally, name, licence, under_way.head, under_way.marks.temporary)
        under_way.marks.forget()


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
        mano=None if record.mano is None else record.mano.mirrored(),
        provenance=provenance,
    )
