"""napari's way to save: the keypoints as a table that `annotator import --format csv` and other programs read."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.files.file_errors import writing
from annotator.hand.joints import JOINT_NAMES


def write_keypoints(path: str, data: np.ndarray, meta: dict) -> list[str]:
    """One hand's 21 keypoints, a Points layer's (21, 2) data (row, column), as one row of a CSV table (see
    `formats.others.keypoint_csv`): photo, side, units, and NAME_x, NAME_y in photo px.

    The photo and side are those of the layer's metadata, which the plugin writes; another layer of 21 points gets its
    own name as the photo's. InputError if there are not 21 points, or the file cannot be written.
    """
    places = np.asarray(data, np.float64)[:, -2:][:, ::-1]
    if places.shape != (21, 2) or not np.isfinite(places).all():
        raise InputError(f"{path}: a hand has 21 keypoints with finite places, this layer has {len(places)}")
    about = meta.get("metadata", {})
    row = {"photo": str(about.get("photo", meta.get("name", ""))), "side": about.get("side", "right"), "units": "px"}
    for name, (x, y) in zip(JOINT_NAMES, places, strict=True):
        row |= {f"{name}_x": repr(float(x)), f"{name}_y": repr(float(y))}
    target = Path(path)
    with writing(target), target.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(row))
        table.writeheader()
        table.writerow(row)
    return [str(target)]
