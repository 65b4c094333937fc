"""Reading DexYCB's layout (Chao et al. 2021): grasps seen by eight cameras.

    SUBJECT/SEQ/meta.yml                       serials, mano_sides [right or left], mano_calib [name]
    SUBJECT/SEQ/SERIAL/color_%06d.jpg          640 x 480
    SUBJECT/SEQ/SERIAL/labels_%06d.npz         joint_3d (1,21,3) m, this camera's frame (OpenCV); joint_2d (1,21,2) px;
                                               pose_m (1,51): 3 axis-angle, 45 components of MANO's pose space, 3 m
    calibration/intrinsics/SERIAL_640x480.yml  color: fx, fy, ppx, ppy
    calibration/NAME/mano.yml                  betas (10,); folders called mano_*

Joint order and axes are ours; -1 everywhere: no hand in this frame. Photos are not mirrored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.files.paths import existing, inside
from annotator.files.serialization.npz_arrays import Arrays
from annotator.files.serialization.yaml_files import yaml_of as read_yaml
from annotator.formats.core.base import LabelledHand, ManoLabel, box_of, labels_of
from annotator.formats.core.details import DETAILS, Sidecar, named, record_of
from annotator.formats.core.photo_files import image_size
from annotator.hand.joint_states import OUT_OF_FRAME
from annotator.hand.joints import check_side
from annotator.vision.camera import check_camera

NAME = "dexycb"
RATE = 30.0  # frames a second of its cameras
SIZE = 640, 480  # px, of the photos that labels and intrinsics are of


def read(folder: str | Path) -> Iterator[LabelledHand]:
    """The labelled frames, by subject, sequence, camera and number. Labels count as confirmed, outside the photo as out
    of frame.

    InputError naming file and field: no sequences, a calibration missing, a wrong shape, values that are not finite.
    """
    folder = Path(folder)
    sequences = sorted(folder.glob("*/*/meta.yml"))
    if not sequences:
        raise InputError(f"{folder} is not a DexYCB set: there is no SUBJECT/SEQUENCE/meta.yml")
    sidecar = Sidecar.of(folder, NAME)
    if sidecar is not None:
        yield from _own(sidecar, folder)
        return
    yaml_of = lru_cache(maxsize=64)(read_yaml)
    for meta in sequences:
        about = named(meta, "all", _sequence, meta, yaml_of)
        for serial in about["serials"] if about is not None else ():
            for labels in sorted(inside(meta.parent, str(serial)).glob("labels_*.npz")):
                record = named(labels, "0", _record, folder, labels, str(serial), about, yaml_of)
                if record is not None:
                    yield record


def _own(sidecar: Sidecar, folder: Path) -> Iterator[LabelledHand]:
    """The hands of an export of ours, in the order of their details, which say where each lies."""
    for number, details in enumerate(sidecar):
        found = named(sidecar.folder / DETAILS, number, _whole, folder, details)
        if found is not None:
            yield found


def _whole(folder: Path, details: dict) -> LabelledHand:
    photo = existing(inside(folder, str(details["sent"]["photo"])))
    return record_of(details, photo)


def _sequence(meta: Path, yaml_of) -> dict:
    about = yaml_of(meta)
    if not isinstance(about.get("serials"), list):
        raise InputError("there is no list 'serials'")
    return about


def _record(folder: Path, path: Path, serial: str, about: dict, yaml_of) -> LabelledHand | None:
    arrays = Arrays(path)
    joints, points = _array(arrays, "joint_3d", (21, 3)), _array(arrays, "joint_2d", (21, 2))
    if (joints == -1).all():
        return None
    number = re.sub(r"\D", "", path.stem)
    photo = existing(inside(path.parent, f"color_{number}.jpg"))
    camera = yaml_of(existing(folder / "calibration" / "intrinsics" / f"{_word(serial)}_640x480.yml"))["color"]
    K = check_camera([[camera["fx"], 0, camera["ppx"]], [0, camera["fy"], camera["ppy"]], [0, 0, 1]])
    height, width = image_size(photo)
    if (width, height) != SIZE:
        raise InputError(
            f"{photo.name} is {width} x {height} px, its labels and camera are of {SIZE[0]} x {SIZE[1]} px"
        )
    seen = np.all((points > -0.5) & (points < (width - 0.5, height - 0.5)), axis=1)
    labels = labels_of(points, np.ones(21, bool))
    labels["states"] = tuple(s if i else OUT_OF_FRAME for s, i in zip(labels["states"], seen, strict=True))
    labels |= {"visible": seen, "weights": seen.astype(float)}
    return LabelledHand(
        id=path.relative_to(folder).with_suffix("").as_posix(), photo=photo, side=check_side(about["mano_sides"][0]),
        box=box_of(points), K=K, joints=joints, mano=_mano(folder, arrays, about, yaml_of), hand_model="mano",
        provenance={"data_set": "DexYCB", "subject": path.parts[-4], "sequence": path.parts[-3], "camera": serial,
                    "track": "/".join(path.parts[-4:-1]), "rate": RATE},
        **labels,
    )  # fmt: skip


def _mano(folder: Path, arrays: Arrays, about: dict, yaml_of) -> ManoLabel | None:
    if "pose_m" not in arrays or not about.get("mano_calib"):
        return None
    pose = _array(arrays, "pose_m", (51,))
    if not pose.any():
        return None
    path = folder / "calibration" / f"mano_{_word(str(about['mano_calib'][0]))}" / "mano.yml"
    betas = yaml_of(existing(path))["betas"]
    return ManoLabel(pose[:48], np.array(betas), pose[48:], form="components")


def _array(arrays: Arrays, name: str, shape: tuple[int, ...]) -> np.ndarray:
    array = np.asarray(arrays[name], np.float64)
    if array.shape != (1, *shape):
        raise InputError(f"{name} has shape {array.shape}, expected {(1, *shape)}")
    if not np.isfinite(array).all():
        raise InputError(f"{name} holds values that are not finite")
    return array[0]


def _word(name: str) -> str:
    if not re.fullmatch(r"[\w-]+", name):
        raise InputError(f"{name!r} is not a camera's or calibration's name")
    return name
