"""COCO keypoint files of hands (Lin et al. 2014): one annotation a hand, 63 numbers x, y, v, as OneHand10K and others
are distributed, and as CVAT and others export them.

v: 0 no label, 1 hidden, 2 visible. The category lists the keypoints' names, which say the order (`names.order_of`);
without them it is ours. The side is said by the annotation's `side`, `handedness`, `hand_type`, `is_right`, ... or
`attributes`, by its category's name, or by all keypoints' names; where nothing says it the record's is right, and its
provenance says `side_known: false`. Pixels are those of the picture that the entry in `images` describes, or shares
0..1, or what `--units` says. What is written has one category, `hand`, with our names and bones; each annotation also
has `side` (and the same in `attributes`, where CVAT and others look), `states`, `weights` and `hand_id` (ours).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from annotator.files.paths import read_json
from annotator.formats.coco.files import box_and_outline, named_file, numbers_of, write_set
from annotator.formats.coco.wholebody import box_said, images_of, photo_of, picture_of, triples
from annotator.formats.conventions.names import one_side, order_of, side_of, sides_said
from annotator.formats.conventions.orders import AS_NAMED, places_of
from annotator.formats.conventions.remarks import remark
from annotator.formats.conventions.units import check_units
from annotator.formats.core.base import LabelledHand
from annotator.formats.core.details import named
from annotator.formats.core.returned import Returned
from annotator.formats.core.tool_hands import ToolHand
from annotator.hand.joint_states import JOINT_STATES
from annotator.hand.joints import BONES, JOINT_NAMES

NAME = "coco"
CATEGORY = {
    "id": 1, "name": "hand", "supercategory": "hand", "keypoints": list(JOINT_NAMES),
    "skeleton": [[a + 1, b + 1] for a, b in BONES],
}  # fmt: skip


def write(records: Iterable[LabelledHand], folder: str | Path, overwrite: bool = False, licence: str = "") -> dict:
    """Write the records; {"hands", "folder"}. InputError: see `exporting.export`."""
    return write_set(records, folder, NAME, CATEGORY, _annotation, overwrite, licence)


def _annotation(record: LabelledHand, number: int, image: int) -> dict:
    points = numbers_of(record)
    return {
        "id": number, "image_id": image, "category_id": 1, **box_and_outline(record), "keypoints": points,
        "num_keypoints": sum(v > 0 for v in points[2::3]), "side": record.side, "attributes": {"side": record.side},
        "states": list(record.states), "weights": record.weights.tolist(), "hand_id": record.id,
    }  # fmt: skip


def read(folder: str | Path, order: str = "", units: str = "") -> Iterator[LabelledHand]:
    """The hands of a COCO keypoint set: a folder with one JSON file (or that file), photos in FOLDER/images or FOLDER.

    order: of `orders.ORDERS`, which the 21 keypoints of each annotation have, whatever their names say; units: of
    keypoints and boxes, of `units.UNITS`. Annotations without a labelled keypoint are left out, and remarked.
    InputError naming file and annotation: anything missing, of a wrong shape, names of keypoints that are not
    understood, labels of another picture.
    """
    check_units(units)
    path = named_file(Path(folder), "*.json", "annotation file")
    returned = Returned(path.parent, NAME)
    images, annotations = images_of(path)
    listed = read_json(path, dict).get("categories")
    listed = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    # an id may be a number in one list and a text in the other
    categories = {str(one["id"]): one for one in listed if isinstance(one.get("id"), int | str)}
    if order:
        places_of(order)  # a wrong word is no fault of the first record
    for index, annotation in enumerate(annotations):
        ours = isinstance(annotation, dict) and "hand_id" in annotation
        if isinstance(annotation, dict) and not ours and not annotation.get("num_keypoints", 1):
            remark("annotation without a labelled keypoint left out")
            continue
        record = named(path, index, _record, path, images, categories, annotation, order, units, returned)
        if record is not None:
            yield record


def _record(
    path: Path, images: dict, categories: dict, annotation: dict, order: str, units: str, returned: Returned
) -> LabelledHand | None:
    category = categories.get(str(annotation.get("category_id")), {})
    values = triples(annotation["keypoints"])[_order(category.get("keypoints"), order)]
    photo = photo_of(path, images, annotation)
    places = picture_of(photo, images, annotation).places
    points, box = places(values[:, :2], values[:, 2] > 0, box_said(annotation), units)
    hand = ToolHand(
        str(annotation.get("id", annotation["image_id"])), f"{photo.parent.name}/{photo.name}",
        _side(annotation, category), np.column_stack([points, np.clip(values[:, 2], 0, 2)]), box,
        _states(annotation.get("states")), {"image_id": annotation["image_id"]},
    )  # fmt: skip
    return returned.record(hand, photo, "COCO", empty=not annotation.get("num_keypoints", 1))


def _states(said: object) -> tuple[str, ...]:
    """Our own exports say them, others' `states` may be anything."""
    known = isinstance(said, list) and len(said) == 21 and all(state in JOINT_STATES for state in said)
    return tuple(said) if known and isinstance(said, list) else ()


def _side(annotation: dict, category: dict) -> str | None:
    said = sides_said(annotation)
    for name in ("name", "supercategory"):
        if (side := side_of(category.get(name))) is not None:
            said[f"category {name}"] = side
    names = category.get("keypoints")
    if not said and isinstance(names, list) and names and isinstance(names[0], str):
        sides = {side_of(name) for name in names if not str(name).isdecimal()}
        return sides.pop() if len(sides) == 1 else None
    return one_side(said)


def _order(names: list | None, order: str) -> np.ndarray | list[int]:
    """Where each of our keypoints stands in an annotation. InputError: see `names.order_of`."""
    if order and order != AS_NAMED:
        return places_of(order)
    return order_of(names) if isinstance(names, list) and names else np.arange(21)
