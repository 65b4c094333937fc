"""Keypoints in a CSV table, one hand a row, as MediaPipe scripts and spreadsheets write them.

    photo (or image, file, filename, path)   relative to the table
    side (or handedness, hand, label)        left / right; without it right, and `side_known: false`
    NAME_x, NAME_y [, NAME_v]                per keypoint, 21 names: ours, MediaPipe's (INDEX_FINGER_TIP), 0..20, 1..21,
                                             others (`names.order_of`); also x0, y0, v0; v: 0..1, 0 or an empty cell: no
                                             label
    units                                    px (centres at .0), percent or normalised (0..1 of width and height,
                                             MediaPipe's)

Cells are parted by commas, semicolons (then a comma may stand for the decimal point) or tabs. `nan` and `NA` are empty
cells; a row that has fewer cells than the table has columns was cut, and is refused. Without a column `units` a row
whose labelled keypoints all lie in -0.5..1.5 counts as normalised: no hand is two pixels large. MediaPipe measures from
the photo's corner, so x px = x width - 0.5. Depths (NAME_z) are not read: they have no unit. Full weight counts as
confirmed, less as proposed. A row whose visibilities are all 0 has no label: MediaPipe writes that for every hand,
since its hand landmarks have none.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import numpy as np

from annotator.errors import InputError
from annotator.files.file_errors import reading
from annotator.files.paths import existing, inside, only_file, ordinary
from annotator.formats.conventions.fillers import labelled
from annotator.formats.conventions.names import keypoint_of, order_of, side_of
from annotator.formats.conventions.orders import AS_NAMED, places_of
from annotator.formats.conventions.places import Picture
from annotator.formats.conventions.remarks import remark
from annotator.formats.conventions.units import PERCENT, PX, SHARES, check_units
from annotator.formats.core.base import LabelledHand, box_of, labels_of
from annotator.formats.core.details import named
from annotator.hand.joints import JOINT_NAMES

LONGEST = 1 << 20  # characters of a line: 21 keypoints and a path take a thousand
_PHOTO = ("photo", "image", "file", "filename", "file_name", "path", "img")
_SIDE = ("side", "handedness", "hand", "label")
_UNITS = {"px": PX, "pixel": PX, "pixels": PX, "percent": PERCENT, "%": PERCENT, "normalised": SHARES,
          "normalized": SHARES, "shares": SHARES}  # fmt: skip


def read(folder: str | Path, order: str = "", units: str = "") -> Iterator[LabelledHand]:
    """The hands of a table: a folder with one .csv (or that file). InputError naming file, row and column.

    order: of `orders.ORDERS`, which the keypoints' columns have from left to right, whatever their names say; units: of
    `units.UNITS`, whatever a column `units` says.
    """
    check_units(units)
    path = only_file(Path(folder), "*.csv", "table")
    with reading(path, "is not a CSV table", UnicodeDecodeError, csv.Error), \
            ordinary(path).open(encoding="utf-8-sig", newline="") as file:  # fmt: skip
        between = _delimiter(file.readline(LONGEST))
        file.seek(0)
        rows = csv.DictReader(_lines(file), delimiter=between)
        columns = {str(name).strip(): name for name in rows.fieldnames or ()}
        photo = next((columns[n] for n in columns if n.lower() in _PHOTO), None)
        if photo is None:
            raise InputError(f"{path} has no column photo (or {', '.join(_PHOTO[1:])})")
        side = next((columns[n] for n in columns if n.lower() in _SIDE), None)
        places = _places(path, columns, order)
        unit = next((columns[n] for n in columns if n.lower() in ("units", "unit")), None)
        for index, row in enumerate(rows):
            place = f"{index} (line {rows.line_num})"
            record = named(path, place, _record, path, row, photo, side, (units, unit), places, index)
            if record is not None:
                yield record


def _lines(file: TextIO) -> Iterator[str]:
    """Its lines; csv.Error at one that no table of keypoints has: every cell of it would be kept."""
    while line := file.readline(LONGEST + 1):
        if len(line) > LONGEST:
            raise csv.Error(f"it has a line of more than {LONGEST} characters")
        yield line


def _delimiter(head: str) -> str:
    return max(",;\t", key=head.count)


def _places(path: Path, columns: dict[str, str], order: str) -> list[dict[str, str]]:
    """Per keypoint: axis (x, y, v) -> the table's own column name."""
    found: dict[str, dict[str, str]] = {}
    for name, own in columns.items():
        match = re.fullmatch(r"(.+?)[_.\s-]?(x|y|v|visibility|confidence|score|likelihood)", name, re.I)
        other = re.fullmatch(r"(x|y|v)[_.\s-]?(\d+)", name, re.I)
        joint, axis = (other[2], other[1]) if other else (match[1], match[2]) if match else ("", "")
        if joint:
            axis = axis.lower() if axis.lower() in ("x", "y") else "v"
            found.setdefault(joint.strip("_.- "), {})[axis] = own
    whole = {joint: axes for joint, axes in found.items() if {"x", "y"} <= axes.keys()}
    if len(whole) > 21:  # a box's corners, a ball's middle
        whole = {joint: axes for joint, axes in whole.items() if keypoint_of(joint) is not None}
    if len(whole) != 21:
        there = {keypoint_of(joint) for joint in whole}
        missing = [JOINT_NAMES[k] for k in range(21) if k not in there] or [f"{len(whole)} keypoints, not 21"]
        raise InputError(f"{path} has no columns for {', '.join(missing[:4])}{' and others' if missing[4:] else ''}")
    names = list(whole)
    if order and order != AS_NAMED:
        return [whole[names[k]] for k in places_of(order)]
    try:
        return [whole[names[k]] for k in order_of(names)]
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _whole(row: dict, places: list[dict[str, str]]) -> None:
    """InputError for a row that ends before its last cell, where a table was cut: what is empty stands between
    delimiters, and the last number that is there may have lost digits."""
    there = sum(cell is not None for name, cell in row.items() if name is not None)
    if there < len(row) - (None in row):
        keypoints = sum(row[own["x"]] is not None and row[own["y"]] is not None for own in places)
        raise InputError(
            f"the row ends after {there} of {len(row)} cells and has {keypoints} of 21 keypoints: was the table cut? "
            "(a keypoint without a label has empty cells)"
        )


def _unit(row: dict, column: str | None) -> str:
    """What the row itself says of its units, "" for nothing."""
    word = (row[column] or "").strip().lower() if column is not None else ""
    if word and word not in _UNITS:
        raise InputError(f"units is {word!r}, expected px, percent or normalised")
    return _UNITS[word] if word else ""


def _record(path, row, photo, side, units, places, index) -> LabelledHand | None:
    _whole(row, places)
    file = existing(inside(path.parent, (row[photo] or "").strip()))
    values = np.array([[_number(row, own.get(axis)) for axis in "xyv"] for own in places])
    points, trust = values[:, :2], values[:, 2]
    trust = np.where(np.isnan(trust), 1.0, trust)
    known = np.isfinite(points).all(1) & (trust > 0)
    if not known.any():
        zero = np.isfinite(points).all(1).any()
        remark(f"row {'with visibilities that are all 0' if zero else 'without a labelled keypoint'} left out")
        return None
    alone = np.isfinite(points).any(1) & ~np.isfinite(points).all(1)
    remark("keypoint with only one of x and y taken for not labelled", int(alone.sum()))
    remark("keypoint with empty cells taken for not labelled", int((~np.isfinite(points).any(1)).sum()))
    said_units = _unit(row, units[1])
    known = labelled(points, known)
    points, _ = Picture.of(file).places(points, known, units=units[0] or said_units)
    said = side_of(row[side]) if side is not None else None
    if side is not None and (row[side] or "").strip() and said is None:
        raise InputError(f"{side} is {row[side]!r}, expected left or right")
    labels = labels_of(np.nan_to_num(points), known, weights=np.clip(trust, 0, 1))
    box = box_of(labels["keypoints"][labels["weights"] > 0])
    return LabelledHand(
        id=f"{file.stem}-{index}", photo=file, side=said or "right", box=box, K=None,
        provenance={"data_set": "CSV", "side_known": said is not None, **({"units": said_units} if said_units else {})},
        **labels,
    )  # fmt: skip


def _number(row: dict, column: str | None) -> float:
    """A cell; NaN for an empty or missing one. InputError for anything else that is no finite number."""
    text = (row.get(column) or "").strip() if column is not None else ""
    if text.lower() in ("", "nan", "na", "n/a", "null", "none", "-"):
        return float("nan")
    try:
        value = float(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except ValueError:
        raise InputError(f"{column} is {text!r}, expected a number") from None
    if not np.isfinite(value):
        raise InputError(f"{column} is not finite")
    return value
