"""AssemblyHands (Ohkawa et al. 2023): hands that build toys, seen by the cameras of a headset.

    annotations/SPLIT/assemblyhands_SPLIT_ego_data_v1-1.json    images (id, file_name, width, height, seq_name, camera,
                                                                frame_idx) and annotations (image_id, joint_valid (42,),
                                                                bbox: right and left, x0, y0, x1, y1 px or null)
    ..._ego_calib_v1-1.json   calibration -> seq_name -> intrinsics -> CAMERA_mono10bit (3,3);
                              extrinsics -> %06d of the frame -> CAMERA_mono10bit (3,4): X camera = R X + t
    ..._joint_3d_v1-1.json    annotations -> seq_name -> %06d -> world_coord (42,3) mm, joint_valid (42,)
    images/FILE_NAME          rectified, so K holds

Right hand 0-20, left 21-41, each finger from TIP to BASE, thumb first, the wrist last, as in InterHand2.6M. The joints
were triangulated from points that people and a network set in the pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from annotator.errors import InputError
from annotator.files.paths import by_id, existing, inside, read_json
from annotator.formats.captures.views import FEWEST, seen_hand
from annotator.formats.conventions.places import Picture
from annotator.formats.core.base import LabelledHand, field_array
from annotator.formats.core.details import named
from annotator.formats.interhand.reader import FROM_INTERHAND
from annotator.vision.camera import check_camera

MM = 0.001
VERSION, SUFFIX = "v1-1", "_mono10bit"
SPLITS = ("train", "val", "test", "demo")


def read(folder: str | Path, split: str = "") -> Iterator[LabelledHand]:
    """The hands of a split ("": the first there is), as the images are listed; a hand needs 3 valid joints.

    Valid joints count as confirmed, others have no label. InputError naming file and index: anything missing, of a
    wrong shape, or not finite.
    """
    folder = Path(folder)
    there = [name for name in SPLITS if (folder / "annotations" / name).is_dir()]
    split = split or (there[0] if there else "")
    if split not in there:
        raise InputError(f"{folder} is not an AssemblyHands set: there is no annotations/{split or 'train'}")
    place = folder / "annotations" / split
    path = place / f"assemblyhands_{split}_ego_data_{VERSION}.json"
    data = read_json(path, dict)
    tables = {
        "calibration": read_json(place / f"assemblyhands_{split}_ego_calib_{VERSION}.json", dict).get("calibration"),
        "annotations": read_json(place / f"assemblyhands_{split}_joint_3d_{VERSION}.json", dict).get("annotations"),
    }
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise InputError(f"{place}: the files have no {name}")
    for name in ("images", "annotations"):
        if not isinstance(data.get(name), list):
            raise InputError(f"{path} has no list {name!r}")
    images = by_id(data["images"])
    for index, annotation in enumerate(data["annotations"]):
        for side in ("right", "left"):
            record = named(path, index, _record, folder / "images", images, annotation, side, tables)
            if record is not None:
                yield record


def _record(folder: Path, images: dict, annotation: dict, side: str, tables: dict) -> LabelledHand | None:
    image = images[annotation["image_id"]]
    sequence, frame, camera = str(image["seq_name"]), f"{int(image['frame_idx']):06d}", f"{image['camera']}{SUFFIX}"
    rows = np.array(FROM_INTERHAND) + (0 if side == "right" else 21)
    valid = field_array("joint_valid", annotation["joint_valid"], (42,))[rows] > 0
    if not (annotation.get("bbox") or {}).get(side) or valid.sum() < FEWEST:
        return None
    K = check_camera(field_array("intrinsics", tables["calibration"][sequence]["intrinsics"][camera], (3, 3)))
    pose = field_array("extrinsics", tables["calibration"][sequence]["extrinsics"][frame][camera], (3, 4))
    world = _world(tables["annotations"][sequence][frame]["world_coord"], rows, valid)
    photo = existing(inside(folder, image["file_name"]))
    Picture.of(photo, image.get("height"), image.get("width"))  # labels are of that size
    return seen_hand(
        (world @ pose[:, :3].T + pose[:, 3]) * MM, valid, K, field_array("bbox", annotation["bbox"][side], (4,)),
        id=f"{annotation.get('id', annotation['image_id'])}-{side}", photo=photo, side=side,
        provenance={"data_set": "AssemblyHands", "sequence": sequence, "camera": str(image["camera"]),
                    "frame": int(image["frame_idx"])},
    )  # fmt: skip


def _world(values: Any, rows: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """(21, 3) mm; what is not valid may be anything."""
    world = np.array(values, np.float64)
    if world.shape != (42, 3):
        raise InputError(f"world_coord has shape {world.shape}, expected (42, 3)")
    world = world[rows]
    if not np.isfinite(world[valid]).all():
        raise InputError("world_coord holds values that are not finite")
    world[~valid] = 0.0
    return world
