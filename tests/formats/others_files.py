"""Files as other people write them: a COCO annotation file and a table, each with its photo."""

from __future__ import annotations

import csv
import json

import numpy as np
from PIL import Image

from annotator.hand.joints import JOINT_NAMES

WIDTH, HEIGHT = 640, 480


def coco(folder, hands, names=JOINT_NAMES, category="hand", image=None, exif=None, **annotation):
    folder.mkdir(exist_ok=True)
    options = {}
    if exif:
        options["exif"] = Image.Exif()
        options["exif"][0x112] = exif
    Image.new("RGB", (WIDTH, HEIGHT)).save(folder / "p.jpg", **options)
    rows = [
        {
            "id": n + 1,
            "image_id": 1,
            "category_id": "1",
            "keypoints": np.column_stack([p, np.full(21, 2)]).ravel().tolist(),
        }
        | annotation
        for n, p in enumerate(hands)
    ]
    images = [{"id": 1, "file_name": "p.jpg", "width": WIDTH, "height": HEIGHT} | (image or {})]
    kinds = [{"id": 1, "name": category} | ({"keypoints": list(names)} if names else {})]
    (folder / "a.json").write_text(json.dumps({"images": images, "annotations": rows, "categories": kinds}))
    return folder


HEAD = ["photo", "side"] + [f"{name}_{axis}" for name in JOINT_NAMES for axis in "xy"]


def table(folder, head, *rows, delimiter=",", encoding="utf-8"):
    Image.new("RGB", (WIDTH, HEIGHT)).save(folder / "p.jpg")
    with (folder / "k.csv").open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(head)
        writer.writerows(rows)
    return folder
