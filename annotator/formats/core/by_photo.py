"""Exports whose files are made photo by photo, while records come in any order and hold one hand each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from annotator.formats.core.base import LabelledHand
from annotator.formats.core.exporting import export
from annotator.formats.core.photo_files import PhotoFolder, by_number
from annotator.formats.core.tool_hands import sent_points
from annotator.formats.core.video_frames import frame_of


@dataclass(frozen=True)
class SentHand:
    """A hand on its way: id; side; box (4,) x0, y0, x1, y1 px; points (21, 3) x, y px (centres at .0), v 0, 1 or 2, as
    the tool's file is to say them; states of the keypoints; state of the hand; number: in the export; track: the number
    of its track through a video, None if it is on none."""

    id: str
    side: str
    box: np.ndarray
    points: np.ndarray
    states: tuple[str, ...]
    state: str
    number: int
    track: int | None = None


@dataclass(frozen=True)
class SentPhoto:
    """A photo with its hands: number in the set; file: below the set's folder, with /; height, width px."""

    number: int
    file: str
    height: int
    width: int
    hands: tuple[SentHand, ...]


Photos = Callable[[], Iterator[SentPhoto]]
Points = Callable[[LabelledHand, tuple[int, int]], np.ndarray]


def export_by_photo(
    records: Iterable[LabelledHand],
    folder: str | Path,
    name: str,
    overwrite: bool,
    licence: str,
    finish: Callable[[Path, Photos], Any],
    photos: str = "images",
    points: Points | None = None,
    named: Callable[[Path, int], str] = by_number,
) -> dict:
    """Write the records; {"hands", "folder"}. InputError: see `exporting.export`.

    finish(folder, each): write the format's own files; each() gives the photos with their hands, in the order in which
    they came, as often as it is called. photos: where they lie; points(record, (height, width)): what the file can say
    of a record's keypoints, (21, 3); named: see `PhotoFolder`.
    """
    with (
        export(records, folder, name, overwrite, licence) as out,
        PhotoFolder(out.folder / photos, out.marks, named) as files,
    ):
        part = out.marks.own(out.folder / "hands.part")
        with out.list(part) as write:
            for record in out.records:
                number, file, size, _ = files.add(record.photo)
                frame = frame_of(record)
                sent = sent_points(record) if points is None else points(record, size)
                about = {"file": f"{photos}/{file}", "points": sent.tolist()}
                write({"photo": number, "size": size, **about, "id": record.id, "side": record.side,
                       "box": record.box.tolist(), "states": record.states, "state": record.state,
                       "number": out.count, "track": None if frame is None else frame.track})  # fmt: skip
                out.add(record, about)
        finish(out.folder, lambda: _by_photo(part))
    return {"hands": out.count, "folder": str(folder)}


def _by_photo(part: Path) -> Iterator[SentPhoto]:
    """The photos of a list with one hand a line. Only places of lines are held, not what is in them."""
    places: dict[int, list[int]] = {}
    with part.open("rb") as file:
        at = 0
        for line in file:
            if line.startswith(b"{"):
                places.setdefault(json.loads(line.rstrip(b",\n"))["photo"], []).append(at)
            at += len(line)
        for number, lines in places.items():
            rows = []
            for place in lines:
                file.seek(place)
                rows.append(json.loads(file.readline().rstrip(b",\n")))
            height, width = rows[0]["size"]
            hands = (
                SentHand(
                    row["id"], row["side"], np.array(row["box"]), np.array(row["points"]), tuple(row["states"]),
                    row["state"], row["number"], row.get("track"),
                )
                for row in rows
            )  # fmt: skip
            yield SentPhoto(number, rows[0]["file"], height, width, tuple(hands))
