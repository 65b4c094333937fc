"""COCO-WholeBody's hands (Jin et al. 2020): one JSON file of images and annotations, written and read.

    annotations.json   images: id, file_name, width, height; categories: one person; annotations: lefthand_kpts and
                       righthand_kpts (63 = x, y, v), *_box (x, y, width, height), *_valid, and the body's, face's
                       and feet's fields, all zero: nothing is known of them
    images/%08d.jpg    the photos

segmentation is the mesh's outline, polygons in the photo's pixels as everything here, and area is that of the outline;
ids count from 1. v: 0 no label, 1 labelled and hidden, 2 labelled and visible. Every hand is an annotation of its own,
since nobody said whose hands they are. Left hands stay left. v cannot tell a proposal from a correction: our exports
add `weights` (21) to each annotation and have details.json beside. Order and pixels are ours, see `docs/formats.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.files.paths import by_id, existing, inside, read_json
from annotator.formats.coco.files import box_and_outline, named_file, numbers_of, write_set
from annotator.formats.conventions.places import Picture
from annotator.formats.conventions.units import check_units
from annotator.formats.core.base import LabelledHand, box_of, labels_of
from annotator.formats.core.details import Sidecar, beside, named, record_of
from annotator.hand.joints import BONES, JOINT_NAMES

NAME = "coco-wholebody"
BODY = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip
CATEGORY = {
    "id": 1, "name": "person", "supercategory": "person", "keypoints": list(BODY), "skeleton": [],
    "hand_keypoints": list(JOINT_NAMES), "hand_skeleton": [[a + 1, b + 1] for a, b in BONES],
}  # fmt: skip


def write(records: Iterable[LabelledHand], folder: str | Path, overwrite: bool = False, licence: str = "") -> dict:
    """Write the records; {"hands", "folder"}. InputError: see `exporting.export`."""
    return write_set(records, folder, NAME, CATEGORY, _annotation, overwrite, licence)


def _annotation(record: LabelledHand, number: int, image: int) -> dict:
    points, shared = numbers_of(record), box_and_outline(record)
    values = {
        "id": number, "image_id": image, "category_id": 1, **shared, "keypoints": [0] * 51, "num_keypoints": 0,
        "weights": record.weights.tolist(), "hand": record.id,
    }  # fmt: skip
    for part, count in (("lefthand", 21), ("righthand", 21), ("face", 68), ("foot", 6)):
        own = part == f"{record.side}hand"
        values[f"{part}_kpts"] = points if own else [0] * (3 * count)
        values[f"{part}_valid"] = own
        if part != "foot":
            values[f"{part}_box"] = shared["bbox"] if own else [0.0, 0.0, 0.0, 0.0]
    return values


def read(folder: str | Path, units: str = "") -> Iterator[LabelledHand]:
    """The valid hands of a COCO-WholeBody set: a folder with one JSON file (or that file), photos in FOLDER/images or
    FOLDER.

    Of other people's sets all labelled keypoints count as confirmed (v = 1: as occluded). units: of keypoints
    and boxes, of `units.UNITS`. The file is read whole, as
    COCO's own tools do. InputError naming file and annotation: anything missing, not finite, or of a wrong shape.
    """
    check_units(units)
    path = named_file(Path(folder), "*.json", "annotation file")
    sidecar = Sidecar.of(path.parent, NAME)
    images, annotations = images_of(path)

    def rows() -> Iterator[tuple[str, dict]]:
        for annotation in annotations:
            broken = not isinstance(annotation, dict)  # said where it is read
            sides = [s for s in ("left", "right") if broken or annotation.get(f"{s}hand_valid")][: 1 if broken else 2]
            yield from ((side, annotation) for side in sides)

    for index, (side, annotation), details in beside(rows(), sidecar, path):
        yield named(path, index, _record, path, images, side, annotation, details, units)


def _record(path: Path, images: dict, side: str, annotation: dict, details: dict | None, units: str) -> LabelledHand:
    photo = photo_of(path, images, annotation)
    if details is not None:
        return record_of(details, photo)
    known = triples(annotation[f"{side}hand_kpts"])
    said = box_said(annotation, f"{side}hand_box")
    points, box = picture_of(photo, images, annotation).places(known[:, :2], known[:, 2] > 0, said, units)
    labels = labels_of(points, known[:, 2] > 0, visible=known[:, 2] > 1)
    return LabelledHand(
        id=f"{annotation.get('id', 0)}-{side}", photo=photo, side=side, K=None, box=box_or_round(box, labels),
        provenance={"data_set": "COCO-WholeBody", "image_id": annotation["image_id"]}, **labels,
    )  # fmt: skip


# -- shared by the two readers of COCO's files ---------------------------------------------------------------
def images_of(path: Path) -> tuple[dict, list]:
    """(image entries by id, annotations) of a COCO file; InputError if it is none."""
    content = read_json(path, dict)
    for name in ("images", "annotations"):
        if not isinstance(content.get(name), list):
            raise InputError(f"{path} is not a COCO file: there is no list {name!r}")
    return by_id(content["images"]), content["annotations"]


def photo_of(path: Path, images: dict, annotation: dict) -> Path:
    """The photo of an annotation: below the file's folder, or its subfolder `images`."""
    if annotation["image_id"] not in images:
        raise InputError(f"there is no image {annotation['image_id']!r}")
    name = images[annotation["image_id"]]["file_name"]
    for folder in (path.parent / "images", path.parent, path.parent.parent / "images", path.parent.parent):
        if inside(folder, name).is_file():
            return inside(folder, name)
    return existing(inside(path.parent / "images", name))


def triples(values: list) -> np.ndarray:
    """(21, 3) x, y, v of 63 numbers."""
    array = np.array(values, np.float64)
    if array.size != 63:
        raise InputError(f"a hand has {array.size} numbers, expected 63 (x, y, v of 21 keypoints)")
    if not np.isfinite(array[2::3]).all():
        raise InputError("the visibilities of keypoints hold values that are not finite")
    return array.reshape(21, 3)


def picture_of(photo: Path, images: dict, annotation: dict) -> Picture:
    """The picture that an annotation's numbers are of. InputError where the photo is another one."""
    entry = images[annotation["image_id"]]
    return Picture.of(photo, entry.get("height"), entry.get("width"))


def box_said(annotation: dict, name: str = "bbox") -> np.ndarray | None:
    """(4,) x0, y0, x1, y1 of COCO's x, y, width, height; None where it is missing or empty."""
    x, y, width, height = np.array(annotation.get(name) or [0] * 4, np.float64)
    return np.array([x, y, x + width, y + height]) if width > 0 and height > 0 else None


def box_or_round(box: np.ndarray | None, labels: dict) -> np.ndarray:
    """The box itself, or the one round the labelled keypoints."""
    return box_of(labels["keypoints"][labels["weights"] > 0]) if box is None else box
