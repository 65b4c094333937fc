"""DeepLabCut's labelled frames, multi-animal: one row a photo, columns for each hand, keypoint and axis.

    config.yaml                                  the project: individuals, body parts, skeleton
    labeled-data/hands/CollectedData_SCORER.csv  four rows of heads (scorer, individuals, bodyparts, coords), x, y px
    labeled-data/hands/                          the photos

Hands are individuals `right1`, `right2`, ..., `left1`, ... An empty cell: no label; the format cannot tell hidden from
visible, nor a proposal from a correction. Pixel centres at .0, as in napari and matplotlib, which its people label
with. `deeplabcut.convertcsv2h5` makes the .h5 that training wants. Read: whole projects, one folder of labelled frames,
.csv and .h5 (with h5py; nothing in it is unpickled), single-animal files (the side by the body parts' names), columns
of `likelihood` (then keypoints are proposals).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.files.file_errors import reading
from annotator.files.paths import existing, inside, ordinary
from annotator.formats.conventions.names import side_of
from annotator.formats.core.base import LabelledHand
from annotator.formats.core.by_photo import Photos, SentPhoto, export_by_photo
from annotator.formats.core.details import DETAILS, named
from annotator.formats.core.returned import Returned
from annotator.formats.core.tool_hands import NONE, VISIBLE, ToolHand, points_by_name, sent_points
from annotator.formats.tools.pandas_h5 import read_frame
from annotator.hand.joint_states import PROPOSED
from annotator.hand.joints import BONES, JOINT_NAMES

NAME, SCORER = "deeplabcut", "annotator"
PHOTOS = "labeled-data/hands"
FILE = f"{PHOTOS}/CollectedData_{SCORER}.csv"
AXES = ("x", "y", "likelihood")


def write(records: Iterable[LabelledHand], folder: str | Path, overwrite: bool = False, licence: str = "") -> dict:
    """Write the records; {"hands", "folder"}. InputError: see `exporting.export`."""
    return export_by_photo(
        records, folder, NAME, overwrite, licence, _finish, PHOTOS, lambda record, _: sent_points(record, hides=False)
    )


def _finish(folder: Path, photos: Photos) -> None:
    most = {"right": 0, "left": 0}
    for photo in photos():
        for side in most:
            most[side] = max(most[side], sum(hand.side == side for hand in photo.hands))
    individuals = [f"{side}{n + 1}" for side, count in most.items() for n in range(count)]
    largest = [max((getattr(photo, side) for photo in photos()), default=0) for side in ("width", "height")]
    (folder / "config.yaml").write_text(_config(individuals, *largest), encoding="utf-8")
    heads = [
        ("scorer", [SCORER] * (42 * len(individuals))),
        ("individuals", [name for name in individuals for _ in range(42)]),
        ("bodyparts", [joint for _ in individuals for joint in JOINT_NAMES for _ in range(2)]),
        ("coords", ["x", "y"] * (21 * len(individuals))),
    ]
    with (folder / FILE).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerows([name, "", "", *cells] for name, cells in heads)
        rows.writerows(_row(photo, individuals) for photo in photos())


def _row(photo: SentPhoto, individuals: list[str]) -> list:
    cells = dict.fromkeys(individuals, [""] * 42)
    counts = {"right": 0, "left": 0}
    for hand in photo.hands:
        counts[hand.side] += 1
        cells[f"{hand.side}{counts[hand.side]}"] = [
            repr(n) if v > NONE else "" for x, y, v in hand.points.tolist() for n in (x, y)
        ]
    return [*photo.file.split("/"), *(cell for name in individuals for cell in cells[name])]


def _config(individuals: list[str], width: int, height: int) -> str:
    """DeepLabCut finds folders of frames by the names of films: there is none, but the folder is called after it."""
    hands = "".join(f"- {name}\n" for name in individuals)
    joints = "".join(f"- {name}\n" for name in JOINT_NAMES)
    bones = "".join(f"- - {JOINT_NAMES[a]}\n  - {JOINT_NAMES[b]}\n" for a, b in BONES)
    return (
        f"Task: hands\nscorer: {SCORER}\nmultianimalproject: true\nidentity: true\nproject_path: .\n"
        f"video_sets:\n  hands.mp4:\n    crop: 0, {width}, 0, {height}\n"
        f"individuals:\n{hands}uniquebodyparts: []\nmultianimalbodyparts:\n{joints}bodyparts: MULTI!\n"
        f"skeleton:\n{bones}"
    )


@dataclass
class Frame:
    """A table of DeepLabCut's: columns (individual or "", body part, axis) and rows (path of the photo, values)."""

    columns: list[tuple[str, str, str]]
    rows: Iterator[tuple[str, list[float]]] | list = field(default_factory=list)


def read(folder: str | Path) -> Iterator[LabelledHand]:
    """The hands of a project, of a folder of labelled frames, or of one CollectedData .csv or .h5.

    InputError naming file and row: no such table, photos missing, body parts that are not understood.
    """
    folder = Path(folder)
    tops = (folder, *folder.absolute().parents[:3])  # of the project, whatever in it was named
    returned = Returned(next((top for top in tops if (top / DETAILS).is_file()), folder), NAME)
    for path in _tables(folder):
        frame = _frame(path)
        hands = _hands_of(path, frame.columns)
        for row, (name, values) in enumerate(frame.rows):
            whole = named(path, row, _whole, values, frame.columns)
            for who, (side, columns) in hands.items() if whole else ():
                record = named(path, row, _record, path, name, who, side, columns, values, returned)
                if record is not None:
                    yield record


def _tables(folder: Path) -> list[Path]:
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise InputError(f"there is no {folder}")
    for pattern in ("labeled-data/*/CollectedData_*", "*/CollectedData_*", "CollectedData_*"):
        found = sorted(path for path in folder.glob(pattern) if path.suffix in (".csv", ".h5"))
        if found:  # the same table stands in both: text needs no package
            return [path for path in found if path.suffix == ".csv" or path.with_suffix(".csv") not in found]
    raise InputError(f"{folder} is no DeepLabCut project: there is no labeled-data/*/CollectedData_*.csv")


def _frame(path: Path) -> Frame:
    if path.suffix == ".h5":
        names, heads, rows = read_frame(path)
        return Frame(_columns(path, dict(zip(names, zip(*heads, strict=True), strict=True))), rows)
    return Frame(_csv_columns(path), _csv_rows(path))


def _csv_head(path: Path, rows: Iterator[list[str]]) -> tuple[dict[str, list[str]], int]:
    """({"scorer", ["individuals",] "bodyparts", "coords": cells}, how many columns name the photo)."""
    heads: dict[str, list[str]] = {}
    for row in rows:
        heads[row[0] if row else ""] = row
        if row[:1] == ["coords"] or len(heads) == 4:
            break
    if not {"scorer", "bodyparts", "coords"} <= set(heads):
        raise InputError(f"{path} is not a table of DeepLabCut's: its first rows are not scorer, bodyparts, coords")
    first = next((n for n, cell in enumerate(heads["coords"]) if n and cell), 1)
    if first not in (1, 3) or len({len(cells) for cells in heads.values()}) != 1:
        raise InputError(f"{path} is not a table of DeepLabCut's: its first rows are of different lengths")
    return {name: cells[first:] for name, cells in heads.items()}, first


def _csv_columns(path: Path) -> list[tuple[str, str, str]]:
    for heads in _csv(path, lambda rows: iter([_csv_head(path, rows)[0]])):
        return _columns(path, heads)
    raise InputError(f"{path} is empty")


def _csv_rows(path: Path) -> Iterator[tuple[str, list[float]]]:
    def rows(lines: Iterator[list[str]]) -> Iterator[tuple[str, list[float]]]:
        heads, first = _csv_head(path, lines)
        for line in lines:
            if any(line):
                yield "/".join(line[:first]), [_number(cell) for cell in line[first:]]

    yield from _csv(path, rows)


def _csv(path: Path, use) -> Iterator:
    with reading(path, "is not a CSV table", UnicodeDecodeError, csv.Error), \
            ordinary(path).open(encoding="utf-8-sig", newline="") as file:  # fmt: skip
        yield from use(csv.reader(file))


def _number(cell: str) -> float:
    """NaN for an empty cell, and for what is no number: the hand that it is of says so."""
    try:
        return float(cell) if cell.strip() else float("nan")
    except ValueError:
        return float("inf")


def _columns(path: Path, heads) -> list[tuple[str, str, str]]:
    who = heads.get("individuals", [""] * len(heads["coords"]))
    found = list(zip(map(str, who), map(str, heads["bodyparts"]), map(str, heads["coords"]), strict=True))
    if len(set(found)) != len(found) or {axis for *_, axis in found} - set(AXES):
        raise InputError(
            f"{path} is not a table of DeepLabCut's: its columns are not x, y of each body part, each once"
        )
    return found


def _hands_of(path: Path, columns: list[tuple[str, str, str]]) -> dict[str, tuple[str | None, dict]]:
    """{the hand's name: (side, {body part: {axis: column}})}; body parts of `single`, beside hands, are none's."""
    hands: dict[str, dict[str, dict[str, int]]] = {}
    for n, (who, part, axis) in enumerate(columns):
        hands.setdefault(who, {}).setdefault(part, {})[axis] = n
    if set(hands) == {""}:
        parts = hands.pop("")
        sides = {part: side_of(part) for part in parts}
        both = {"right", "left"} <= set(sides.values())
        for part, axes in parts.items():
            side = sides[part] if both or None not in sides.values() else None
            hands.setdefault(side or "", {})[part] = axes
    elif len(hands) > 1:
        hands.pop("single", None)
    found: dict[str, tuple[str | None, dict]] = {}
    for who, parts in hands.items():
        try:
            points_by_name(dict.fromkeys(parts, (0, 0, 0)))
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        found[who] = side_of(who) if who else None, parts
    return found


def _whole(values: list[float], columns: list) -> bool:
    if len(values) != len(columns):
        raise InputError(f"has {len(values)} values, its head {len(columns)}")
    return True


def _record(
    path: Path, name: str, who: str, side: str | None, parts: dict, values: list[float], returned: Returned
) -> LabelledHand | None:
    points: dict[str, tuple[float, float, int]] = {}
    for part, axes in parts.items():
        x, y = values[axes["x"]], values[axes["y"]]
        if np.isinf([x, y]).any():
            raise InputError(f"{part} of {who or 'the hand'} is no number")
        points[part] = (x, y, VISIBLE) if np.isfinite([x, y]).all() else (0.0, 0.0, NONE)
    if not any(v for *_, v in points.values()):
        return None  # there is no such hand in this photo
    photo = _photo(path, name)
    guessed = any("likelihood" in axes for axes in parts.values())
    hand = ToolHand(
        f"{photo.stem}-{who}" if who else photo.stem, f"{PHOTOS}/{photo.name}", side, points_by_name(points),
        states=[PROPOSED] * 21 if guessed else (),
    )  # fmt: skip
    return returned.record(hand, photo, "DeepLabCut")


def _photo(path: Path, name: str) -> Path:
    """Names are of the project's folder, labeled-data/FOLDER/PHOTO; the photo lies beside its table."""
    name = name.replace("\\", "/")
    beside = inside(path.parent, name.rpartition("/")[2])
    return beside if beside.is_file() else existing(inside(path.parent.parent.parent, name))
