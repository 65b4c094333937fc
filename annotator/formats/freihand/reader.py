"""Reading FreiHAND's layout: our exports with everything they say, and the original set with what it has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from annotator.errors import InputError
from annotator.files.file_errors import reading
from annotator.files.paths import inside, ordinary
from annotator.files.serialization.json_lists import iterate
from annotator.formats.core.base import LabelledHand, ManoLabel, box_of
from annotator.formats.core.details import Sidecar, named
from annotator.formats.freihand.mano import label_of
from annotator.formats.freihand.writer import FORMAT, PROVENANCE
from annotator.hand.mesh import HandParameters
from annotator.project.records.states import CONFIRMED
from annotator.vision.camera import check_camera, project

_END = object()
SPLITS = ("training", "evaluation")


def read(folder: str | Path, split: str = "") -> Iterator[LabelledHand]:
    """The records of FOLDER/SPLIT_*.json, one at a time; photos are FOLDER/SPLIT/rgb/%08d.jpg, not
    opened here. split: "training" or "evaluation"; "": training if it is there.

    Of our exports a record is what `writer.to_sample` made, with the photo's path made absolute. The
    original set has no states, weights or faces: its labels count as confirmed. Its images of index n, n +
    32560, ... share a label; the first is given. Its training_mano.json becomes
    `mano` (pose from MANO's mean). InputError naming file and index: a file or image missing,
    lists of different lengths, wrong shapes, values that are not finite, an impossible K.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder")
    here = [name for name in SPLITS if (folder / f"{name}_xyz.json").is_file()]
    split = split or (here or SPLITS)[0]
    if split not in SPLITS:
        raise InputError(f"FreiHAND has no split {split!r}: expected {' or '.join(SPLITS)}")
    lists = ("xyz", "K", "verts", "mano", "details")
    files = {name: folder / f"{split}_{name}.json" for name in (*lists, "faces")}
    present = {name: files[name] for name in lists if files[name].is_file()}
    for name in ("xyz", "K"):
        if name not in present:
            raise InputError(f"{folder} is not a FreiHAND set: there is no {files[name].name}")
    faces = list(iterate(files["faces"])) if files["faces"].is_file() else None
    about = _about(folder / PROVENANCE) if "details" in present else None
    rows = zip_longest(*(iterate(path) for path in present.values()), fillvalue=_END)
    index = -1
    for index, values in enumerate(rows):
        row = dict(zip(present, values, strict=True))
        for name, value in row.items():
            if value is _END:
                raise InputError(f"{present[name]} ends at {index}, other lists of the set go on")
        if about is not None and index >= len(about):
            raise InputError(f"{folder / PROVENANCE} ends at {index}, the lists go on")
        entry = about[index] if about is not None else None
        yield named(folder, index, _record, folder / split, index, row, faces, entry)
    if about is not None and len(about) != index + 1:
        raise InputError(f"{folder / PROVENANCE} has {len(about)} hands, the lists {index + 1}")


def _record(folder: Path, index: int, row: dict, faces: list | None, about: dict | None) -> LabelledHand:
    image = inside(folder, f"rgb/{index:08d}.jpg")
    if not image.is_file():
        raise InputError(f"there is no {image}")
    K = check_camera(row["K"])
    joints = np.array(row["xyz"], np.float64)
    if joints.shape != (21, 3):
        raise InputError(f"xyz has shape {joints.shape}, expected (21, 3)")
    base: dict[str, Any] = {
        "photo": image,
        "side": "right",
        "K": K,
        "joints": joints,
        "vertices": row.get("verts"),
        "faces": faces,
    }
    if about is None:
        keypoints = project(joints, K)
        return LabelledHand(
            id=f"{index:08d}",
            box=box_of(keypoints),
            keypoints=keypoints,
            visible=np.ones(21, bool),
            states=(CONFIRMED,) * 21,
            weights=np.ones(21),
            hand_model="mano",
            provenance={"data_set": "FreiHAND"},
            mano=label_of(row.get("mano")),
            **base,
        )
    if faces is None:  # MANO's topology is not written: it is here where the user's MANO is
        base["faces"] = Sidecar(folder.parent).faces_of(about["hand_model"], "right")
    details = row["details"]
    parameters = details["parameters"]
    return LabelledHand(
        id=about["id"],
        parameters=None if parameters is None else HandParameters(**parameters),
        hand_model=about["hand_model"],
        state=about["state"],
        provenance=about["provenance"],
        joint_weights=details.get("joint_weights"),
        mano=None if details.get("mano") is None else ManoLabel(**details["mano"]),
        **{name: details[name] for name in ("keypoints", "visible", "states", "weights", "keypoint_sigma", "box")},
        **base,
    )


def _about(path: Path) -> list[dict]:
    """The `hands` of an export's provenance.json."""
    with reading(path, "is not an export's provenance", ValueError, KeyError, TypeError, RecursionError):
        document = json.loads(ordinary(path).read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise InputError(f"{path} is not of format {FORMAT}")
        return list(document["hands"])
