"""HanCo (Zimmermann et al. 2021): FreiHAND's sequences, all eight cameras of them.

    meta.json                          has_fit, is_valid, subject_id, object_id, is_train: by sequence, by frame
    rgb/%04d/cam%d/%08d.jpg            sequence, camera, frame; 224 px
    calib/%04d/%08d.json               K and M: (3,3) and (4,4) of each camera, world to camera, m
    xyz/%04d/%08d.json                 (21,3) m, world
    shape/%04d/cam%d/%08d.json         MANO's parameters (61,) in the camera's frame, as in FreiHAND

All hands are right ones, by mirroring. The joints are MANO's, in our order. Frames whose fit was not found valid are
left out, where meta.json says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.files.paths import existing, read_json
from annotator.formats.captures.views import seen_hand
from annotator.formats.conventions.remarks import remark
from annotator.formats.core.base import LabelledHand, field_array
from annotator.formats.core.details import named
from annotator.formats.freihand.mano import label_of
from annotator.vision.camera import check_camera

COLOURS = ("rgb", "rgb_merged", "rgb_color_auto", "rgb_color_sample", "rgb_homo")


def read(folder: str | Path) -> Iterator[LabelledHand]:
    """The hands of all sequences, frame by frame, camera by camera, of the photos that are there.

    InputError naming the file: anything missing, of a wrong shape, or not finite.
    """
    folder = Path(folder)
    photos = next((folder / name for name in COLOURS if (folder / name).is_dir()), None)
    if photos is None or not (folder / "xyz").is_dir() or not (folder / "calib").is_dir():
        raise InputError(f"{folder} is not a HanCo set: there are no folders rgb, calib and xyz")
    meta = read_json(folder / "meta.json", dict) if (folder / "meta.json").is_file() else {}
    for sequence in sorted(path for path in (folder / "xyz").iterdir() if path.is_dir()):
        for path in sorted(sequence.glob("*.json")):
            if _said(meta, "is_valid", sequence.name, path.stem) is False:
                remark("frame without a valid fit left out")
                continue
            cameras = sorted((photos / sequence.name).glob("cam*"), key=lambda one: (len(one.name), one.name))
            for camera in cameras:
                record = named(path, camera.name, _record, folder, path, camera, meta)
                if record is not None:
                    yield record


def _said(meta: dict, field: str, sequence: str, frame: str) -> object:
    """What meta.json says of a frame; None where it says nothing."""
    try:
        return meta[field][int(sequence)][int(frame)]
    except (LookupError, ValueError, TypeError):
        return None


def _record(folder: Path, path: Path, camera: Path, meta: dict) -> LabelledHand:
    sequence, frame, number = path.parent.name, path.stem, int(camera.name.removeprefix("cam"))
    photo = existing(camera / f"{frame}.jpg")
    calib = read_json(folder / "calib" / sequence / path.name, dict)
    K = check_camera(field_array("K", calib["K"][number], (3, 3)))
    pose = field_array("M", calib["M"][number], (4, 4))
    world = field_array("xyz", read_json(path, list), (21, 3))
    shape = folder / "shape" / sequence / camera.name / path.name
    subject = _said(meta, "subject_id", sequence, frame)
    return seen_hand(
        world @ pose[:3, :3].T + pose[:3, 3], np.ones(21, bool), K, id=f"{sequence}-{camera.name}-{frame}", photo=photo,
        side="right", hand_model="mano", mano=label_of(read_json(shape, list)) if shape.is_file() else None,
        provenance={"data_set": "HanCo", "sequence": sequence, "camera": camera.name, "frame": int(frame)}
        | ({} if subject is None else {"subject": str(subject)}),
    )  # fmt: skip
