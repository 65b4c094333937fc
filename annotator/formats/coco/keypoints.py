"""COCO keypoint files of hands (Lin et al. 2014): one annotation a hand, 63 numbers x, y, v, as OneHand10K and others
are distributed.

v: 0 no label, 1 hidden, 2 visible. The category lists the keypoints' names, which say the order (`names.order_of`);
without them it is ours. The side is said by the annotation's `side`, `handedness`, `hand_type`, `is_right`, ... or
`attributes`, by its category's name, or by all keypoints' names; where nothing says it the record's is right, and its
provenance says `side_known: false`. Pixels are those of the picture that the entry in `images` describes, or shares
0..1.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from annotator.files.paths import only_file, read_json
from annotator.formats.coco.wholebody import box_or_round, box_said, images_of, photo_of, picture_of, triples
from annotator.formats.core.base import LabelledHand, labels_of
from annotator.formats.core.details import named
from annotator.formats.core.names import one_side, order_of, side_of, sides_said
from annotator.formats.core.orders import AS_NAMED, places_of
from annotator.formats.core.remarks import remark


def read(folder: str | Path, order: str = "") -> Iterator[LabelledHand]:
    """The hands of a COCO keypoint set: a folder with one JSON file (or that file), photos in FOLDER/images or FOLDER.

    order: of `orders.ORDERS`, which the 21 keypoints of each annotation have, whatever their names say. Annotations
    without a labelled keypoint are left out, and remarked. InputError naming file and annotation: anything missing, of
    a wrong shape, names of keypoints that are not understood, labels of another picture.
    """
    path = only_file(Path(folder), "*.json", "annotation file")
    images, annotations = images_of(path)
    listed = read_json(path, dict).get("categories")
    listed = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    # an id may be a number in one list and a text in the other
    categories = {str(one["id"]): one for one in listed if isinstance(one.get("id"), int | str)}
    if order:
        places_of(order)  # a wrong word is no fault of the first record
    for index, annotation in enumerate(annotations):
        if isinstance(annotation, dict) and not annotation.get("num_keypoints", 1):
            remark("annotation without a labelled keypoint left out")
            continue
        yield named(path, index, _record, path, images, categories, annotation, order)


def _record(path: Path, images: dict, categories: dict, annotation: dict, order: str) -> LabelledHand:
    category = categories.get(str(annotation.get("category_id")), {})
    values = triples(annotation["keypoints"])[_order(category.get("keypoints"), order)]
    side = _side(annotation, category)
    photo = photo_of(path, images, annotation)
    points, box = picture_of(photo, images, annotation).places(values[:, :2], values[:, 2] > 0, box_said(annotation))
    labels = labels_of(points, values[:, 2] > 0, visible=values[:, 2] > 1)
    return LabelledHand(
        id=str(annotation.get("id", annotation["image_id"])), photo=photo, side=side or "right", K=None,
        box=box_or_round(box, labels),
        provenance={"data_set": "COCO", "image_id": annotation["image_id"], "side_known": side is not None}, **labels,
    )  # fmt: skip


def _side(annotation: dict, category: dict) -> str | None:
    said = sides_said(annotation)
    for name in ("name", "supercategory"):
        if side_of(category.get(name)):
            said[f"category {name}"] = side_of(category[name])
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
