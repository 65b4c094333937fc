"""Other people's libraries on a data set, in an interpreter that has them: `PYTHON -P tool_readers.py READER FOLDER`.

Prints one JSON object: {"version", "hands": [{"photo", "side", "points": 21 x [x, y] or null}], ...} with what the
reader made of the set, in its own numbers; `other_readers.py` compares. Nothing of annotator is imported here.
"""

from __future__ import annotations

import json
import math
import os
import sys
from importlib.metadata import version
from pathlib import Path

NAMES = json.loads(os.environ.get("KEYPOINTS", "[]"))
SIDES = ("right", "left")


def side_in(text: object) -> str:
    return next((side for side in SIDES if side in str(text)), "")


def pairs(points) -> list:
    return [[float(x), float(y)] if math.isfinite(x) and math.isfinite(y) else None for x, y in points]


def sleap_labels(labels) -> list[dict]:
    found = []
    for frame in labels.labeled_frames:
        names = frame.video.filename
        photo = names[int(frame.frame_idx)] if isinstance(names, list) else names
        for instance in frame.instances:
            order = [instance.skeleton.node_names.index(name) for name in NAMES]
            points = instance.numpy()[order]
            track = instance.track.name if instance.track else ""
            found.append({"photo": Path(photo).name, "side": side_in(track), "points": pairs(points)})
    return found


def sleap_slp(folder: Path) -> dict:
    import sleap_io

    os.chdir(folder)  # its lists of images are relative to where one is
    labels = sleap_io.load_slp("labels.slp")
    shapes = [list(video[0].shape) for video in labels.videos]
    return {"version": version("sleap-io"), "hands": sleap_labels(labels), "shapes": shapes}


def sleap_dlc(folder: Path) -> dict:
    import sleap_io

    labels = sleap_io.load_dlc_project(str(folder / "config.yaml"))
    labels = labels if hasattr(labels, "labeled_frames") else next(iter(labels.values()))
    return {"version": version("sleap-io"), "hands": sleap_labels(labels)}


def pandas_dlc(folder: Path) -> dict:
    """As DeepLabCut's convertcsv2h5 does it: read_csv with four heads, to_hdf beside."""
    import pandas

    (path,) = folder.rglob("CollectedData_*.csv")
    table = pandas.read_csv(path, index_col=[0, 1, 2], header=[0, 1, 2, 3])
    table.to_hdf(path.with_suffix(".h5"), key="df_with_missing", mode="w")
    path.unlink()
    hands = []
    for (_, _, photo), row in table.iterrows():
        for who in table.columns.get_level_values("individuals").unique():
            cells = row.xs(who, level="individuals").droplevel("scorer")
            points = [(cells[name, "x"], cells[name, "y"]) for name in NAMES]
            if any(math.isfinite(x) for x, _ in points):
                hands.append({"photo": photo, "side": side_in(who), "points": pairs(points)})
    return {"version": version("pandas"), "hands": hands}


def ultralytics(folder: Path) -> dict:
    sys.path.append(os.environ["TORCH"])
    os.environ["YOLO_CONFIG_DIR"] = str(folder.parent / "ultralytics")
    os.environ["YOLO_VERBOSE"] = "false"
    from ultralytics.data.dataset import YOLODataset
    from ultralytics.data.utils import check_det_dataset

    data = check_det_dataset(str(folder / "data.yaml"))
    dataset = YOLODataset(img_path=data["train"], data=data, task="pose", augment=False)
    hands = []
    for label in dataset.labels:
        height, width = label["shape"]
        for kind, points in zip(label["cls"].ravel(), label["keypoints"], strict=True):
            places = [(x * width - 0.5, y * height - 0.5) if v else (math.nan, math.nan) for x, y, v in points.tolist()]
            hands.append({"photo": Path(label["im_file"]).name, "side": side_in(data["names"][int(kind)]),
                          "points": pairs(places)})  # fmt: skip
    return {"version": version("ultralytics"), "hands": hands}


def label_studio(folder: Path) -> dict:
    """Every task by the schema that Label Studio imports by, then its own conversion to YOLO's keypoints."""
    from label_studio_sdk.converter import Converter
    from label_studio_sdk.label_interface import LabelInterface

    config = (folder / "label-config.xml").read_text(encoding="utf-8")
    interface = LabelInterface(config)
    interface.validate()
    tasks = json.loads((folder / "tasks.json").read_text(encoding="utf-8"))
    for number, task in enumerate(tasks):
        assert interface.validate_annotation(task["annotations"][0]), f"task {number}"
        task["id"], task["annotations"][0]["id"] = number, number  # as the database numbers them
        task["annotations"][0]["completed_by"] = {"id": 1, "email": "a@b.c"}
    source = folder.parent / "numbered.json"
    source.write_text(json.dumps(tasks), encoding="utf-8")
    out = folder.parent / "as-yolo"
    converter = Converter(config, str(folder.parent), download_resources=False)
    converter.convert_to_yolo(str(source), str(out), is_dir=False)
    names = (out / "classes.txt").read_text().split("\n")
    from PIL import Image

    hands = []
    for path in sorted((out / "labels").glob("*.txt")):
        (photo,) = (folder / "images").glob(f"{path.stem}.*")
        with Image.open(photo) as picture:
            width, height = picture.size
        for line in path.read_text().splitlines():
            kind, *numbers = map(float, line.split())
            triples = [numbers[4 + 3 * k : 7 + 3 * k] for k in range(21)]
            places = [(x * width - 0.5, y * height - 0.5) if v else (math.nan, math.nan) for x, y, v in triples]
            hands.append({"photo": photo.name, "side": side_in(names[int(kind)]), "points": pairs(places)})
    return {"version": version("label-studio-sdk"), "hands": hands, "tasks": len(tasks)}


def datumaro_coco(folder: Path) -> dict:
    from datumaro.components.annotation import AnnotationType
    from datumaro.components.dataset import Dataset

    place = folder.parent / "as-datumaro-wants-it"
    (place / "annotations").mkdir(parents=True)
    (place / "images").mkdir()
    (place / "images" / "default").symlink_to(folder / "images")
    (place / "annotations" / "person_keypoints_default.json").write_bytes((folder / "annotations.json").read_bytes())
    dataset = Dataset.import_from(str(place), "coco_person_keypoints")
    hands = []
    for item in dataset:
        for one in item.annotations:
            if one.type != AnnotationType.points:
                continue
            triples = zip(one.points[::2], one.points[1::2], one.visibility, strict=True)
            places = [(x, y) if v.value else (math.nan, math.nan) for x, y, v in triples]
            hands.append({"photo": Path(item.media.path).name, "side": side_in(one.attributes.get("side")),
                          "points": pairs(places)})  # fmt: skip
    return {"version": version("datumaro"), "hands": hands}


def sleap_coco(folder: Path) -> dict:
    import sleap_io

    labels = sleap_io.load_coco(str(folder / "annotations.json"), dataset_root=str(folder / "images"))
    return {"version": version("sleap-io"), "hands": sleap_labels(labels)}


def datasets_folder(folder: Path) -> dict:
    import datasets

    found = datasets.load_dataset(str(folder), split="train", cache_dir=str(folder.parent / "cache"))
    hands = [
        {"photo": "", "side": row["side"], "points": [row["keypoints"][2 * k : 2 * k + 2] for k in range(21)]}
        for row in found
    ]
    sizes = [row["image"].size for row in found]
    return {"version": version("datasets"), "hands": hands, "shapes": sizes}


def _slp(folder: Path):
    import sleap_io

    os.chdir(folder)
    return sleap_io, sleap_io.load_slp("labels.slp")


def sleap_as_slp(folder: Path) -> dict:
    """Their own file of the labels alone: other skeleton order, other tables than ours."""
    sleap_io, labels = _slp(folder)
    labels.skeletons[0].reorder_nodes(sorted(NAMES))
    for frame in labels:
        for instance in frame:
            instance.update_skeleton(names_only=False) if hasattr(instance, "update_skeleton") else None
    sleap_io.save_slp(labels, "labels.slp", embed=False, verbose=False)
    return {"version": version("sleap-io")}


def sleap_as_coco(folder: Path) -> dict:
    sleap_io, labels = _slp(folder)
    place = folder.parent / "theirs"
    place.mkdir()
    sleap_io.save_coco(labels, str(place / "annotations.json"))
    (place / "images").symlink_to(folder / "images")
    return {"version": version("sleap-io"), "written": str(place)}


def sleap_as_yolo(folder: Path) -> dict:
    sleap_io, labels = _slp(folder)
    place = folder.parent / "theirs"
    sleap_io.save_ultralytics(labels, str(place), split_ratios={"train": 1.0}, verbose=False)
    return {"version": version("sleap-io"), "written": str(place), "renamed": True}


def datumaro_as_coco(folder: Path) -> dict:
    from datumaro.components.dataset import Dataset

    datumaro_coco(folder)
    dataset = Dataset.import_from(str(folder.parent / "as-datumaro-wants-it"), "coco_person_keypoints")
    place = folder.parent / "theirs"
    dataset.export(str(place), "coco_person_keypoints", save_media=True)
    (place / "annotations" / "person_keypoints_default.json").rename(place / "annotations.json")
    for path in (place / "images" / "default").iterdir():
        path.rename(place / "images" / path.name)
    return {"version": version("datumaro"), "written": str(place)}


READERS = {
    "sleap-as-slp": sleap_as_slp, "sleap-as-coco": sleap_as_coco, "sleap-as-yolo": sleap_as_yolo,
    "datumaro-as-coco": datumaro_as_coco,
    "sleap-slp": sleap_slp, "sleap-dlc": sleap_dlc, "pandas-dlc": pandas_dlc, "ultralytics": ultralytics,
    "label-studio": label_studio, "datumaro-coco": datumaro_coco, "sleap-coco": sleap_coco,
    "datasets": datasets_folder,
}  # fmt: skip

if __name__ == "__main__":
    made = READERS[sys.argv[1]](Path(sys.argv[2]).resolve())
    print(json.dumps(made))
