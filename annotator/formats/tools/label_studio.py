"""Label Studio's JSON: one task a photo; a hand is a rectangle with keypoints below it in the tree of regions.

    tasks.json         tasks with one annotation each, to import into a project
    label-config.xml   the project's labeling interface: rectangles `right hand` and `left hand`, the 21 keypoints, and
                       per keypoint a choice `state`
    images/            the photos; tasks call them `/data/local-files/?d=images/...` (local storage with the export's
                       folder as document root)

Places are percent of width and height from the photo's corner: x % = 100 (x px + 0.5) / width. The choice `occluded`
says that a keypoint is hidden; one without a region has no label. What Label Studio exports as JSON is read: keypoints
belong to the rectangle that is their `parentID` or that a relation joins them to, else to the only one that they lie
in; without rectangles to the one hand of the task. Of several annotations of a task the newest counts. Label Studio
refuses what lies outside the photo: boxes are cut at its edge, keypoints beyond it have no region.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import quoteattr

import numpy as np

from annotator.errors import InputError
from annotator.files.paths import existing, inside, only_file
from annotator.files.serialization.json_lists import ListWriter, iterate
from annotator.formats.conventions.names import side_of
from annotator.formats.conventions.places import Picture
from annotator.formats.conventions.remarks import remark
from annotator.formats.core.base import LabelledHand
from annotator.formats.core.by_photo import Photos, SentHand, SentPhoto, export_by_photo
from annotator.formats.core.details import named
from annotator.formats.core.returned import Returned
from annotator.formats.core.tool_hands import (
    HIDDEN,
    NONE,
    VISIBLE,
    ToolHand,
    points_by_name,
    points_inside,
    sent_points,
)
from annotator.hand.joint_states import JOINT_STATES, OCCLUDED
from annotator.hand.joints import JOINT_NAMES

FILE, CONFIG, NAME = "tasks.json", "label-config.xml", "label-studio"
ADDRESS = "/data/local-files/?d="
CORNER = 0.5  # px between the photo's corner and the first pixel's centre
DOT = 0.5  # percent of the width: a keypoint's size on the screen
_HIDDEN_WORDS = (OCCLUDED, "hidden", "not visible", "invisible")


def write(records: Iterable[LabelledHand], folder: str | Path, overwrite: bool = False, licence: str = "") -> dict:
    """Write the records; {"hands", "folder"}. InputError: see `exporting.export`."""
    return export_by_photo(records, folder, NAME, overwrite, licence, _finish, points=_points)


def _points(record: LabelledHand, size: tuple[int, int]) -> np.ndarray:
    return points_inside(sent_points(record, by_state=True), size)


def _finish(folder: Path, photos: Photos) -> None:
    (folder / CONFIG).write_text(_config(), encoding="utf-8")
    with ListWriter(folder / FILE) as write:
        for photo in photos():
            result = [region for hand in photo.hands for region in _regions(photo, hand)]
            write({"data": {"image": ADDRESS + photo.file}, "annotations": [{"result": result}]})


def _config() -> str:
    dots = "".join(f'    <Label value={quoteattr(name)} model_index="{k}"/>\n' for k, name in enumerate(JOINT_NAMES))
    states = "".join(f'    <Choice value="{state}"/>\n' for state in JOINT_STATES)
    return (
        '<View>\n  <Image name="image" value="$image" zoom="true"/>\n  <RectangleLabels name="hand" toName="image">\n'
        '    <Label value="right hand"/>\n    <Label value="left hand"/>\n'
        f'  </RectangleLabels>\n  <KeyPointLabels name="keypoint" toName="image">\n{dots}  </KeyPointLabels>\n'
        f'  <Choices name="state" toName="image" perRegion="true" choice="single">\n{states}  </Choices>\n</View>\n'
    )


def _regions(photo: SentPhoto, hand: SentHand) -> Iterator[dict]:
    """A hand's rectangle, its keypoints with their states, and relations, which other readers look at."""
    about = {"to_name": "image", "original_width": photo.width, "original_height": photo.height, "image_rotation": 0}
    share = 100.0 / np.array([photo.width, photo.height])
    x0, y0, x1, y1 = np.clip((np.reshape(hand.box, (2, 2)) + CORNER) * share, 0.0, 100.0).ravel()
    whole = f"hand-{hand.number}"
    yield about | {
        "id": whole, "from_name": "hand", "type": "rectanglelabels", "origin": "manual",
        "value": {"x": x0, "y": y0, "width": x1 - x0, "height": y1 - y0, "rotation": 0,
                  "rectanglelabels": [f"{hand.side} hand"]},
    }  # fmt: skip
    for name, point, state in zip(JOINT_NAMES, hand.points, hand.states, strict=True):
        if point[2] == NONE:
            continue
        x, y = (point[:2] + CORNER) * share
        dot = about | {"id": f"{whole}-{name}", "parentID": whole, "origin": "manual"}
        place = {"x": x, "y": y, "width": DOT}
        yield dot | {"from_name": "keypoint", "type": "keypointlabels", "value": place | {"keypointlabels": [name]}}
        yield dot | {"from_name": "state", "type": "choices", "value": place | {"choices": [state]}}
        yield {"type": "relation", "from_id": whole, "to_id": dot["id"], "direction": "right"}


def read(folder: str | Path) -> Iterator[LabelledHand]:
    """The hands of a folder with tasks.json, or one .json, or of that file; photos in FOLDER/images or FOLDER.

    InputError naming file and task: another kind of export (JSON-MIN, CSV), photos that are missing or of another size,
    keypoints that could be of several hands, names that are not understood.
    """
    folder = Path(folder)
    path = folder / FILE if (folder / FILE).is_file() else only_file(folder, "*.json", "file of Label Studio's")
    returned = Returned(path.parent, NAME)
    for index, task in enumerate(iterate(path)):
        for number, hand in enumerate(named(path, index, _hands, path, task) or ()):
            record = named(path, index, _record, path, task, hand, f"{index}-{number}", returned)
            if record is not None:
                yield record


def _hands(path: Path, task: Any) -> list[dict]:
    """The hands of a task: {"rectangle", "dots": {name: region}, "states": {region's id: choice}}."""
    if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
        raise InputError("is no task of Label Studio's JSON (export it as JSON, not as JSON-MIN or CSV)")
    said = task["annotations"] if "annotations" in task else task["completions"]
    said = [one for one in said if not one.get("was_cancelled")]
    if len(said) > 1:
        remark("task with several annotations: the newest was taken")
    if not said:
        return []
    result = max(said, key=lambda one: str(one.get("updated_at", "")))["result"]
    boxes = {one["id"]: one for one in result if one.get("type") == "rectanglelabels"}
    dots = {one["id"]: one for one in result if one.get("type") == "keypointlabels"}
    states = {one["id"]: one["value"]["choices"] for one in result if one.get("type") == "choices"}
    joined: dict[str, str] = {}
    for one in result:
        if one.get("type") == "relation":
            joined |= {b: a for a, b in ((one["from_id"], one["to_id"]), (one["to_id"], one["from_id"])) if a in boxes}
    hands: dict[str, dict] = {name: {"rectangle": box, "dots": {}} for name, box in boxes.items()}
    for name, dot in dots.items():
        owner = next((o for o in (dot.get("parentID"), joined.get(name)) if o in boxes), None)
        if owner is None and boxes:
            owner = _around(dot, boxes)
        hand = hands.setdefault("" if owner is None else owner, {"rectangle": None, "dots": {}})
        (label,) = dot["value"]["keypointlabels"]
        if label in hand["dots"]:
            raise InputError(f"a hand has two keypoints {label!r}: put each below its hand's rectangle")
        hand["dots"][label] = dot
    return [hand | {"states": states} for hand in hands.values() if hand["dots"] or hand["rectangle"] is not None]


def _around(dot: dict, boxes: dict[str, dict]) -> str:
    """The one rectangle that a keypoint lies in."""
    x, y = dot["value"]["x"], dot["value"]["y"]
    found = [
        name
        for name, box in boxes.items()
        if box["value"]["x"] <= x <= box["value"]["x"] + box["value"]["width"]
        and box["value"]["y"] <= y <= box["value"]["y"] + box["value"]["height"]
    ]
    if len(found) != 1:
        raise InputError(f"keypoint {dot['id']!r} lies in {len(found)} rectangles and belongs to none: say to which")
    return found[0]


def _record(path: Path, task: dict, hand: dict, number: str, returned: Returned) -> LabelledHand | None:
    photo = _photo(path.parent, task["data"])
    found: dict[str, tuple[float, float, int]] = {}
    states: dict[str, str] = {}
    for label, dot in hand["dots"].items():
        said = [str(word).lower() for word in hand["states"].get(dot["id"], ())]
        point = _place(dot, photo, dot["value"]["x"], dot["value"]["y"])
        hidden = any(word in _HIDDEN_WORDS for word in said)
        found[label] = (*point, HIDDEN if hidden else VISIBLE)
        states[label] = next((word for word in said if word in JOINT_STATES), "")
    numbers = points_by_name({label: (n + 1, 0, 0) for n, label in enumerate(found)})[:, 0].astype(int)
    words = ["", *states.values()]
    side, box = None, None
    if hand["rectangle"] is not None:
        value = hand["rectangle"]["value"]
        side = side_of(" ".join(map(str, value["rectanglelabels"])))
        low = _place(hand["rectangle"], photo, value["x"], value["y"])
        high = _place(hand["rectangle"], photo, value["x"] + value["width"], value["y"] + value["height"])
        box = np.array([*low, *high])
    one = ToolHand(number, f"images/{photo.name}", side, points_by_name(found), box, [words[n] for n in numbers])
    return returned.record(one, photo, "Label Studio")


def _place(region: dict, photo: Path, x: float, y: float) -> tuple[float, float]:
    """Percent as px. InputError where the region is of a photo of another size."""
    height, width = int(region["original_height"]), int(region["original_width"])
    if region.get("image_rotation"):
        raise InputError("the photo was turned in Label Studio: turn it back, then export")
    Picture.of(photo, height, width)
    return float(x) * width / 100 - CORNER, float(y) * height / 100 - CORNER


def _photo(folder: Path, data: dict) -> Path:
    """The photo of a task: by the path behind `?d=`, else by the address's last part, an upload's prefix taken off."""
    address = next((str(data[key]) for key in ("image", "img", "photo") if key in data), None)
    if address is None:
        raise InputError("the task's data has no image")
    parts = urlsplit(address)
    name = parse_qs(parts.query)["d"][0] if "d" in parse_qs(parts.query) else unquote(parts.path)
    last = name.replace("\\", "/").rpartition("/")[2]
    tries = [name.lstrip("/"), last, re.sub(r"^[0-9a-f]{8}-", "", last)]
    for place in (folder, folder / "images"):
        for one in tries:
            if ".." not in Path(one).parts and one and inside(place, one).is_file():
                return inside(place, one)
    return existing(inside(folder / "images", last))
