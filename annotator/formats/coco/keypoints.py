"""COCO keypoint files of hands (Lin et al. 2014): one annotation a hand, 63 numbers x, y, v, as OneHand10K and others
are distributed.

v: 0 no label, 1 hidden, 2 visible. The category lists the keypoints' names; where these are names that are known here
they say the order, else it is ours. The side is the annotation's `side`, `handedness` or `hand_type`, or in its
category's name; without any it is taken for right, and the provenance says `side_known: false`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from annotator.files.paths import only_file, read_json
from annotator.formats.coco.wholebody import corners, images_of, photo_of, triples
from annotator.formats.core.base import LabelledHand, labels_of
from annotator.formats.core.details import named
from annotator.formats.core.names import keypoint_of, side_of


def read(folder: str | Path) -> Iterator[LabelledHand]:
    """The hands of a COCO keypoint set: a folder with one JSON file (or that file), photos in FOLDER/images or FOLDER.

    Annotations without a labelled keypoint are left out. InputError naming file and annotation: anything missing, not
    finite, or of a wrong shape.
    """
    path = only_file(Path(folder), "*.json", "annotation file")
    images, annotations = images_of(path)
    listed = read_json(path, dict).get("categories")
    listed = listed if isinstance(listed, list) else []
    categories = {one["id"]: one for one in listed if isinstance(one, dict) and isinstance(one.get("id"), int | str)}
    for index, annotation in enumerate(annotations):
        if isinstance(annotation, dict) and not annotation.get("num_keypoints", 1):
            continue
        yield named(path, index, _record, path, images, categories, annotation)


def _record(path: Path, images: dict, categories: dict, annotation: dict) -> LabelledHand:
    category = categories.get(annotation.get("category_id"), {})
    known = triples(annotation["keypoints"])[_order(category.get("keypoints"))]
    said = [annotation.get(name) for name in ("side", "handedness", "hand_type")] + [category.get("name")]
    side = next((s for s in map(side_of, said) if s), None)
    labels = labels_of(known[:, :2], known[:, 2] > 0, visible=known[:, 2] > 1)
    return LabelledHand(
        id=str(annotation.get("id", annotation["image_id"])), photo=photo_of(path, images, annotation),
        side=side or "right", K=None, box=corners(annotation.get("bbox") or [0] * 4, labels),
        provenance={"data_set": "COCO", "image_id": annotation["image_id"], "side_known": side is not None}, **labels,
    )  # fmt: skip


def _order(names: list | None) -> np.ndarray:
    """Where each of our keypoints stands in a category's list."""
    found = [keypoint_of(name) for name in names] if isinstance(names, list) and len(names) == 21 else []
    if sorted(k for k in found if k is not None) != list(range(21)):
        return np.arange(21)
    return np.argsort([-1 if k is None else k for k in found])
