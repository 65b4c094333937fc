"""HInt (Pavlakos et al. 2024): a .json beside each .jpg, a list of hands in that photo.

    {"keypoints": (21, 2 or 3) px, "bbox": (4,) x0, y0, x1, y1 px, "occlusion": (21,)}, values also one list deeper;
    occlusion: 0 visible, 1 hidden; keypoints that are negative or have a third number 0 have no label

The side is the last part of a file's name, `..._l.jpg` or `..._r.jpg`, where that file has one hand (as the set's own
`prep_ego4d.py` takes its names apart). Where nothing says it, it is the `side` given to the reader, and the provenance
says `side_known: false`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.files.paths import existing, inside, read_json
from annotator.formats.conventions.names import one_side, sides_said
from annotator.formats.conventions.places import Picture
from annotator.formats.conventions.remarks import remark
from annotator.formats.conventions.units import check_units
from annotator.formats.core.base import LabelledHand, box_of, labels_of
from annotator.formats.core.details import named
from annotator.hand.joints import check_side


def read(folder: str | Path, side: str = "right", units: str = "") -> Iterator[LabelledHand]:
    """The hands of all *.json below a folder, in the order of their names. units: of keypoints and boxes, of
    `units.UNITS`.

    InputError naming file and hand: no JSON files, a photo missing, a wrong shape, values that are not finite.
    """
    folder = Path(folder)
    check_side(side)
    check_units(units)
    files = sorted(folder.rglob("*.json"))
    if not files:
        raise InputError(f"there are no .json files in {folder}")
    for path in files:
        hands = named(path, "all", read_json, path)  # a file is of one photo: others can be whole
        if hands is None:
            continue
        hands = hands if isinstance(hands, list) else [hands]
        said = _side_in(path.stem) if len(hands) == 1 else {}
        for index, hand in enumerate(hands):
            record = named(path, index, _record, folder, path, index, hand, side, units, said)
            if record is not None:
                yield record


def _side_in(name: str) -> dict[str, str]:
    """{what says it: side} of a file's name."""
    side = {"l": "left", "r": "right"}.get(name.rpartition("_")[2])
    return {} if side is None else {"the file's name": side}


def _record(
    folder: Path, path: Path, index: int, hand: dict, side: str, units: str, in_name: dict[str, str]
) -> LabelledHand | None:
    png = path.with_suffix(".png")
    photo = png if png.is_file() else path.with_suffix(".jpg")
    photo = existing(inside(folder, photo.relative_to(folder).as_posix()))
    points = np.array(hand["keypoints"], np.float64)
    if points.size not in (42, 63):
        raise InputError(f"keypoints have {points.size} numbers, expected 21 x 2 or 21 x 3")
    points = points.reshape(21, -1)
    known = np.asarray(~(points[:, :2] < 0).any(1) if points.shape[1] == 2 else points[:, 2] > 0)
    if not known.any():
        remark("hand without a labelled keypoint left out")
        return None
    hidden = np.ravel(np.array(hand.get("occlusion", np.zeros(21)), np.float64))
    if hidden.shape != (21,):
        raise InputError(f"occlusion has {hidden.size} numbers, expected 21")
    given = np.ravel(np.array(hand.get("bbox", ()), np.float64))
    places, box = Picture.of(photo).places(points[:, :2], known, given if given.shape == (4,) else None, units)
    labels = labels_of(places, known, visible=hidden == 0)
    if box is None:
        box = box_of(labels["keypoints"][labels["weights"] > 0])
    said = one_side(sides_said(hand) | in_name)
    name = f"{path.relative_to(folder).with_suffix('').as_posix()}-{index}"
    return LabelledHand(
        id=name, photo=photo, side=said or side, box=box, K=None,
        provenance={"data_set": "HInt", "side_known": said is not None}, **labels,
    )  # fmt: skip
