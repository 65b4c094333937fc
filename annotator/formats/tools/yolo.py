"""Ultralytics' YOLO-pose: one text file a photo, one line a hand, and data.yaml that says what the numbers are.

    data.yaml     train, val; names 0 right hand, 1 left hand; kpt_shape [21, 3]; kpt_names
    images/       the photos
    labels/       NAME.txt: class, box's middle x, y, width, height, then 21 times x, y, v

Numbers are shares of width and height from the photo's corner: x = (x px + 0.5) / width. v: 0 no label, 1 hidden, 2
visible. Ultralytics refuses what lies outside the photo: boxes are cut at its edge, keypoints beyond it have no label.
Mirroring in training keeps a class, so data.yaml says to train with `fliplr=0.0`. Read: kpt_shape [21, 2] and [21, 3],
classes whose names say a side, train, val and test, folders and lists of photos.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from annotator.errors import InputError
from annotator.files.file_errors import reading
from annotator.files.paths import inside, needed, only_file, ordinary
from annotator.formats.conventions.names import order_of, side_of
from annotator.formats.conventions.orders import AS_NAMED, places_of
from annotator.formats.conventions.remarks import remark
from annotator.formats.core.base import LabelledHand
from annotator.formats.core.by_photo import Photos, SentHand, SentPhoto, export_by_photo
from annotator.formats.core.details import named
from annotator.formats.core.photo_files import image_size
from annotator.formats.core.returned import Returned
from annotator.formats.core.tool_hands import NONE, VISIBLE, ToolHand, points_inside, sent_points
from annotator.hand.joints import JOINT_NAMES

FILE, NAME = "data.yaml", "yolo-pose"
SIDES = ("right", "left")  # by class
CORNER = 0.5  # px between the photo's corner and the first pixel's centre
PHOTOS = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
LARGEST = 1 << 24  # bytes of one label file


def write(records: Iterable[LabelledHand], folder: str | Path, overwrite: bool = False, licence: str = "") -> dict:
    """Write the records; {"hands", "folder"}. InputError: see `exporting.export`."""
    return export_by_photo(records, folder, NAME, overwrite, licence, _finish, points=_points)


def _points(record: LabelledHand, size: tuple[int, int]) -> np.ndarray:
    return points_inside(sent_points(record), size)


def _finish(folder: Path, photos: Photos) -> None:
    names = "".join(f"  {k}: {side} hand\n" for k, side in enumerate(SIDES))
    joints = "".join(f"    - {name}\n" for name in JOINT_NAMES)
    kpt_names = "".join(f"  {k}:\n{joints}" for k in range(len(SIDES)))
    # without `path` Ultralytics looks beside the file itself, wherever the folder was moved to
    (folder / FILE).write_text(
        "train: images\nval: images\n\n"
        f"names:\n{names}\nkpt_shape: [21, 3]\nflip_idx: {list(range(21))}\nkpt_names:\n{kpt_names}\n"
        "# Train with fliplr=0.0: a mirrored right hand is a left one, and mirroring keeps the class.\n",
        encoding="utf-8",
    )
    (folder / "labels").mkdir(exist_ok=True)
    for photo in photos():
        lines = [_line(photo, hand) for hand in photo.hands]
        path = folder / "labels" / Path(photo.file).with_suffix(".txt").name
        path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")


def _line(photo: SentPhoto, hand: SentHand) -> str:
    size = np.array([photo.width, photo.height], np.float64)
    low, high = np.clip((np.reshape(hand.box, (2, 2)) + CORNER) / size, 0.0, 1.0)
    numbers = [*((low + high) / 2).tolist(), *(high - low).tolist()]
    places = np.clip((hand.points[:, :2] + CORNER) / size, 0.0, 1.0)
    for (x, y), v in zip(places.tolist(), hand.points[:, 2].tolist(), strict=True):
        numbers += [x, y, int(v)] if v > NONE else [0, 0, 0]
    return " ".join([str(SIDES.index(hand.side)), *(f"{n:.9g}" for n in numbers)])


def read(folder: str | Path, order: str = "") -> Iterator[LabelledHand]:
    """The hands of a data.yaml: a folder with one .yaml, or that file; all of train, val and test.

    order: of `orders.ORDERS`, which the 21 keypoints of each line have, whatever kpt_names says. InputError naming file
    and line: no 21 keypoints, a wrong count of numbers, a class without a name, a photo missing.
    """
    path = only_file(Path(folder), "*.yaml", "data.yaml")
    about = _about(path)
    axes = about["kpt_shape"][1]
    rows = _rows(about, order)
    returned = Returned(path.parent, NAME)
    index = 0
    for photo in _photos(path, about):
        for number, line in enumerate(_lines(_labels_of(photo))):
            where = f"{index}, line {number + 1}"
            record = named(
                _labels_of(photo), where, _record, path, photo, line, axes, rows, about["names"], returned, index
            )
            index += 1
            if record is not None:
                yield record


def _about(path: Path) -> dict[str, Any]:
    yaml = needed("yaml")
    with reading(path, "is not YAML", ValueError, RecursionError, yaml.YAMLError):
        found = yaml.load(ordinary(path).read_text(encoding="utf-8-sig"), yaml.CSafeLoader)
    if not isinstance(found, dict):
        raise InputError(f"{path} is not a data.yaml: it holds no names and values")
    shape = found.get("kpt_shape")
    if not isinstance(shape, list) or shape[:1] != [21] or shape[1:] not in ([2], [3]):
        raise InputError(f"{path}: kpt_shape is {shape!r}, a hand's is [21, 2] or [21, 3]")
    names = found.get("names", {})
    if not isinstance(names, dict | list):
        raise InputError(f"{path}: names are neither a list nor numbered")
    return found | {"names": dict(enumerate(names)) if isinstance(names, list) else names}


def _rows(about: dict, order: str) -> np.ndarray | list[int]:
    """Where each of our keypoints stands in a line."""
    if order and order != AS_NAMED:
        return places_of(order)
    names = about.get("kpt_names")
    names = next(iter(names.values()), None) if isinstance(names, dict) else names
    return order_of(names) if isinstance(names, list) else np.arange(21)


def _photos(path: Path, about: dict) -> Iterator[Path]:
    """The photos of all parts, each once, by name."""
    top = path.parent
    root = str(about.get("path") or ".")
    if root != "." and not Path(root).is_absolute() and inside(top, root).is_dir():
        top = inside(top, root)
    elif root != ".":
        remark("data.yaml says another place of its own: photos were looked for beside it")
    places = [about[part] for part in ("train", "val", "test") if about.get(part)]
    listed = [one for place in places for one in (place if isinstance(place, list) else [place])]
    if not listed:
        raise InputError(f"{path} has no train, val or test")
    seen: set[Path] = set()
    for name in listed:
        name = str(name).removeprefix("../").removeprefix("./")  # as many tools write them
        place = inside(top, name)
        if place.is_file() and place.suffix == ".txt":
            text = ordinary(place).read_text(encoding="utf-8", errors="replace")
            found = [inside(top, line.strip().removeprefix("./")) for line in text.splitlines() if line.strip()]
        elif place.is_dir():
            found = _in_folder(place)
        else:
            raise InputError(f"{path}: there is no {place}")
        for photo in found:
            if photo not in seen:
                seen.add(photo)
                yield photo


def _in_folder(place: Path) -> list[Path]:
    """The photos below a folder, and those that only their labels are there of."""
    photos = {one.with_suffix(""): one for one in place.rglob("*") if one.suffix.lower() in PHOTOS}
    labels = _labels_of(place / "x").parent
    for one in labels.rglob("*.txt") if labels != place else ():
        if one.name != "classes.txt":
            stem = place / one.relative_to(labels).with_suffix("")
            photos.setdefault(stem, stem.with_suffix(".jpg"))
    return [photos[stem] for stem in sorted(photos)]


def _labels_of(photo: Path) -> Path:
    """Ultralytics' rule: the last folder `images` of the path is `labels`."""
    parts = list(photo.with_suffix(".txt").parts)
    for n in range(len(parts) - 2, -1, -1):
        if parts[n] == "images":
            parts[n] = "labels"
            break
    return Path(*parts)


def _lines(path: Path) -> list[str]:
    if not path.exists():
        return []  # a photo without hands
    with reading(path, "holds no labels"):
        if ordinary(path).stat().st_size > LARGEST:
            raise InputError(f"{path} is too large for the labels of one photo")
        return [line for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]


def _record(
    path: Path, photo: Path, line: str, axes: int, rows: Any, names: dict, returned: Returned, index: int
) -> LabelledHand | None:
    values = np.array(line.split(), np.float64)
    if values.size != 5 + 21 * axes or not np.isfinite(values).all():
        raise InputError(f"has {values.size} numbers, expected class, box and 21 x {axes}, all finite")
    if int(values[0]) not in names:
        raise InputError(f"class {values[0]:g} has no name in data.yaml")
    height, width = image_size(photo)
    size = np.array([width, height], np.float64)
    points = np.column_stack([values[5:].reshape(21, axes), np.full((21, 3 - axes), VISIBLE)])[rows]
    if axes == 2:
        points[(points[:, :2] == 0).all(1), 2] = NONE
    points[:, :2] = points[:, :2] * size - CORNER
    middle, extent = values[1:3] * size - CORNER, values[3:5] * size
    box = np.concatenate([middle - extent / 2, middle + extent / 2]) if (extent > 0).all() else None
    name = photo.relative_to(path.parent).as_posix() if path.parent in photo.parents else photo.name
    hand = ToolHand(f"{photo.stem}-{index}", name, side_of(names[int(values[0])]), points, box)
    return returned.record(hand, photo, "YOLO-pose")
