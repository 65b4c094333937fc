"""Reading InterHand2.6M's layout (Moon et al. 2020): one and two hands in a dome of cameras.

    annotations/SPLIT/InterHand2.6M_SPLIT_data.json       images (id, file_name, capture, camera, frame_idx, ...) and
                                                          annotations (image_id, joint_valid (42,), hand_type, bbox)
    ..._camera.json      capture -> campos (3,) mm, camrot (3,3), focal (2,), princpt (2,), each by camera
    ..._joint_3d.json    capture -> frame -> world_coord (42,3) mm, joint_valid (42,)
    ..._MANO_NeuralAnnot.json   capture -> frame -> right / left -> pose (48,) from MANO's mean, shape (10,), trans (3,)
                                m, all in the world's frame
    images/SPLIT/FILE_NAME

The files are known by their names, wherever they lie below the folder; photos are looked for in images/SPLIT, images
and SPLIT beside them and above.

Right hand 0-20, left 21-41, each finger from TIP to BASE, thumb first, the wrist last. A point X of the world is
R (X - campos) in the camera's frame, OpenCV axes. An image of two hands gives two records.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from annotator.errors import InputError
from annotator.files.paths import by_id, existing, inside, read_json
from annotator.formats.conventions.places import Picture
from annotator.formats.core.base import LabelledHand, ManoLabel, box_of, field_array, labels_of
from annotator.formats.core.details import DETAILS, Sidecar, named, record_of
from annotator.hand.rotations import rotation_matrices, rotation_vectors
from annotator.vision.camera import check_camera, project

# Our keypoint k is the set's FROM_INTERHAND[k] of a hand.
FROM_INTERHAND = (20, *(4 * finger + tip for finger in range(5) for tip in (3, 2, 1, 0)))
MM = 0.001
NAME = "interhand"
SPLITS = ("train", "val", "test")
LOOKED_AT = 50  # photos, to find where they lie


def read(folder: str | Path, split: str = "") -> Iterator[LabelledHand]:
    """The hands of a split ("": the first there is), as the images are listed; a hand needs 3 valid joints.

    The annotation files are read whole, as the set's own tools do. Valid joints count as confirmed, others have no
    label. InputError naming file and index: anything missing, of a wrong shape, or not finite.
    """
    folder = Path(folder)
    path, split = _data_file(folder, split)
    stem = path.with_name(path.name.removesuffix("_data.json"))
    data = read_json(path, dict)
    tables = {name: read_json(Path(f"{stem}_{name}.json"), dict) for name in ("camera", "joint_3d")}
    mano = Path(f"{stem}_MANO_NeuralAnnot.json")
    tables["mano"] = read_json(mano, dict) if mano.is_file() else {}
    for name in ("images", "annotations"):
        if not isinstance(data.get(name), list):
            raise InputError(f"{path} has no list {name!r}")
    images = by_id(data["images"])
    photos = _photos(folder, path, split, images)
    sidecar = Sidecar.of(folder, NAME)
    if sidecar is not None:
        yield from _own(sidecar, path, photos, images, data["annotations"])
        return
    for index, annotation in enumerate(data["annotations"]):
        for side in ("right", "left"):
            record = named(path, index, _record, photos, images, annotation, side, tables)
            if record is not None:
                yield record


def _own(sidecar: Sidecar, path: Path, photos: Path, images: dict, annotations: list) -> Iterator[LabelledHand]:
    """The hands of an export of ours, in the order of their details; an annotation's `hands` says which are its."""
    image_of = {
        number: annotation.get("image_id")
        for annotation in annotations
        if isinstance(annotation, dict)
        if isinstance(annotation.get("hands"), dict)
        for number in annotation["hands"].values()
        if isinstance(number, int)
    }

    def record(details: dict, number: int) -> LabelledHand:
        if number not in image_of:
            raise InputError(f"no annotation of {path.name} has this hand")
        return record_of(details, existing(inside(photos, images[image_of[number]]["file_name"])))

    for number, details in enumerate(sidecar):
        found = named(sidecar.folder / DETAILS, number, record, details, number)
        if found is not None:
            yield found


def _data_file(folder: Path, split: str) -> tuple[Path, str]:
    """(…_data.json, its split), wherever it lies below the folder; people unpack the set in many ways."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("InterHand2.6M_*_data.json"), key=lambda one: (len(one.parts), str(one))):
        found.setdefault(path.name.removeprefix("InterHand2.6M_").removesuffix("_data.json"), path)
    split = split or next((name for name in SPLITS if name in found), next(iter(found), ""))
    if split not in found:
        name = f"InterHand2.6M_{split or 'train'}_data.json"
        raise InputError(f"{folder} is not an InterHand2.6M set: there is no {name} below it")
    return found[split], split


def _photos(folder: Path, path: Path, split: str, images: dict) -> Path:
    """The folder that the photos' names are below of: beside the annotations, with the split's name or without."""
    tops = [folder, *(top for top in path.parents if folder in top.parents), folder.parent]
    places = [place for top in tops for place in (top / "images" / split, top / "images", top / split, top)]
    names = [image.get("file_name") for image in list(images.values())[:LOOKED_AT]]
    for place in places:
        if place.is_dir() and any(isinstance(name, str) and inside(place, name).is_file() for name in names):
            return place
    return places[0]


def _record(folder: Path, images: dict, annotation: dict, side: str, tables: dict) -> LabelledHand | None:
    image = images[annotation["image_id"]]
    capture, frame, camera = (str(image[name]) for name in ("capture", "frame_idx", "camera"))
    label = tables["joint_3d"][capture][frame]
    at = slice(0, 21) if side == "right" else slice(21, 42)
    valid = field_array("joint_valid", annotation["joint_valid"], (42,))
    valid = valid * field_array("joint_valid", label["joint_valid"], (42,))
    valid = valid[at][list(FROM_INTERHAND)] > 0
    if annotation.get("hand_type") not in (side, "interacting") or valid.sum() < 3:
        return None
    world = field_array("world_coord", label["world_coord"], (42, 3))[at][list(FROM_INTERHAND)]
    views = tables["camera"][capture]
    turn = field_array("camrot", views["camrot"][camera], (3, 3))
    place = field_array("campos", views["campos"][camera], (3,))
    (fx, fy), (cx, cy) = views["focal"][camera], views["princpt"][camera]
    K = check_camera([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    joints = (world - place) @ turn.T * MM
    joints[~valid] = joints[valid].mean(axis=0)  # what is not valid may be anything
    if (joints[:, 2] <= 0).any():
        raise InputError("world_coord has joints behind the camera")
    photo = existing(inside(folder, image["file_name"]))
    Picture.of(photo, image.get("height"), image.get("width"))  # labels are of that size
    labels = labels_of(project(joints, K), valid)
    return LabelledHand(
        id=f"{annotation.get('id', annotation['image_id'])}-{side}", photo=photo, side=side,
        box=box_of(labels["keypoints"][valid]), K=K, joints=joints, joint_weights=valid.astype(float),
        mano=_mano(tables["mano"].get(capture, {}).get(frame), side, turn), hand_model="mano",
        provenance={"data_set": "InterHand2.6M", "capture": capture, "subject": str(image.get("subject", "")),
                    "sequence": str(image.get("seq_name", "")), "camera": camera}, **labels,
    )  # fmt: skip


def _mano(values: Any, side: str, turn: np.ndarray) -> ManoLabel | None:
    """The parameters with the whole hand's rotation in the camera's frame.

    The translation is left out: it stands for MANO's origin, not the wrist, and turning the camera round the world's
    origin moves it by an amount that only MANO's file knows.
    """
    if not values or not values.get(side):
        return None
    pose = field_array("pose", values[side]["pose"], (48,)).copy()
    pose[:3] = rotation_vectors(turn @ rotation_matrices(pose[:3]))
    return ManoLabel(pose, field_array("shape", values[side]["shape"], (10,)), form="from mean")
