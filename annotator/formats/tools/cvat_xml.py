"""What CVAT's two XML forms have in common: labels, attributes, places, photos, and how a file is gone through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np

from annotator import __version__
from annotator.errors import InputError
from annotator.files.file_errors import reading
from annotator.files.paths import existing, inside, ordinary
from annotator.formats.conventions.names import one_side, side_of, sides_said
from annotator.formats.conventions.places import Picture
from annotator.formats.core.tool_hands import HIDDEN, NONE, VISIBLE, ToolHand, points_by_name
from annotator.hand.joint_states import CONFIRMED, JOINT_STATES
from annotator.hand.joints import BONES, JOINT_NAMES

FILE, LABELS = "annotations.xml", "labels.json"
CORNER = 0.5  # px between the photo's corner and the first pixel's centre


def meta(mutable: bool = False, size: int | None = None) -> str:
    """The element <meta>. mutable: a keypoint's state may be another one in each frame; size: frames of the task, of
    which each can have its own state."""
    frames = "" if size is None else f"      <size>{size}</size>\n      <mode>interpolation</mode>\n"
    states = "".join(f"{state}\n" for state in JOINT_STATES).rstrip()
    points = "".join(
        f"        <label><name>{name}</name><type>points</type><parent>hand</parent><attributes><attribute>"
        f"<name>state</name><mutable>{mutable}</mutable><input_type>select</input_type>"
        f"<default_value>{CONFIRMED}</default_value><values>{states}</values></attribute></attributes></label>\n"
        for name in JOINT_NAMES
    )
    side = (
        "<attribute><name>side</name><mutable>False</mutable><input_type>select</input_type>"
        "<default_value>right</default_value><values>right\nleft</values></attribute>"
    )
    return (
        f"  <meta>\n    <task>\n      <name>hand-mesh-annotator {__version__}</name>\n{frames}      <labels>\n"
        f"        <label><name>hand</name><type>skeleton</type><attributes>{side}</attributes></label>\n{points}"
        "      </labels>\n    </task>\n  </meta>\n"
    )


def label(mutable: bool = False) -> dict:
    """The label `hand` for CVAT's constructor, its points laid out as an open right hand; mutable: see `meta`."""
    places = _layout()
    lines = "".join(
        f'<line x1="{places[a][0]}" y1="{places[a][1]}" x2="{places[b][0]}" y2="{places[b][1]}" data-type="edge" '
        f'data-node-from="{a + 1}" data-node-to="{b + 1}"></line>'
        for a, b in BONES
    )
    dots = "".join(
        f'<circle r="0.75" cx="{x}" cy="{y}" data-type="element node" data-element-id="{k + 1}" '
        f'data-node-id="{k + 1}" data-label-name="{JOINT_NAMES[k]}"></circle>'
        for k, (x, y) in enumerate(places)
    )
    state = {"name": "state", "input_type": "select", "mutable": mutable, "values": list(JOINT_STATES),
             "default_value": CONFIRMED}  # fmt: skip
    side = {"name": "side", "input_type": "select", "mutable": False, "values": ["right", "left"],
            "default_value": "right"}  # fmt: skip
    sublabels = [{"name": name, "type": "points", "attributes": [state]} for name in JOINT_NAMES]
    return {"name": "hand", "type": "skeleton", "attributes": [side], "sublabels": sublabels, "svg": lines + dots}


def _layout() -> list[tuple[float, float]]:
    """Per keypoint x, y in percent of the drawing: fingers as rays from the wrist, the thumb at the left."""
    places = [(50.0, 92.0)]
    for finger, angle in enumerate(np.radians([-50, -20, -4, 11, 27])):
        for reach in (26, 42, 54, 64) if finger == 0 else (44, 60, 71, 80):
            places.append((round(50 + reach * float(np.sin(angle)), 1), round(92 - reach * float(np.cos(angle)), 1)))
    return places


def parts(path: Path) -> Iterator[ElementTree.Element]:
    """The file's meta, images and tracks (with the tracks of their points inside), one at a time."""
    # LookupError: an encoding that nobody knows
    with reading(path, "is not XML", ElementTree.ParseError, LookupError, ValueError), \
            ordinary(path).open("rb") as file:  # fmt: skip
        if b"<!" in file.read(1 << 16).split(b"<annotations", 1)[0].replace(b"<!--", b""):
            raise InputError(f"{path} has a document type, as no file of CVAT's has: it is not read")
        file.seek(0)
        root, deep = None, 0
        for event, element in ElementTree.iterparse(file, ("start", "end")):
            if root is None:
                root = element
                if root.tag != "annotations":
                    raise InputError(f"{path} is not a file of CVAT's: it begins with <{root.tag}>")
            elif element.tag == "track" and event == "start":
                deep += 1
            elif element.tag in ("meta", "image", "track") and event == "end":
                deep -= element.tag == "track"
                if not deep:
                    yield element
                    root.clear()


def attributes(element: ElementTree.Element) -> dict[str, str]:
    return {one.get("name", ""): one.text or "" for one in element.findall("attribute")}


def pair(text: str) -> tuple[float, float]:
    x, y = text.split(",")
    return float(x), float(y)


class Point(NamedTuple):
    """A keypoint: x, y px as CVAT counts them; NONE, HIDDEN or VISIBLE; its state's name, "" if the file has none."""

    x: float
    y: float
    shown: int
    state: str = ""


def point_of(element: ElementTree.Element) -> Point:
    """Of a skeleton's element <points>."""
    shown = NONE if element.get("outside") == "1" else HIDDEN if element.get("occluded") == "1" else VISIBLE
    return Point(*pair(element.attrib["points"]), shown, attributes(element).get("state", ""))


def points_in_order(element: ElementTree.Element) -> dict[str, Point]:
    """Of one element <points> with 21 places, in our order."""
    shown = HIDDEN if element.get("occluded") == "1" else VISIBLE
    places = element.attrib["points"].split(";")
    return {name: Point(*pair(place), shown) for name, place in zip(JOINT_NAMES, places, strict=True)}


def hand_of(
    name: str, file: str, label: str, about: Mapping[str, str], found: Mapping[str, Point], picture: Picture
) -> ToolHand:
    """A hand of CVAT's. label, about: its label's name and its attributes; found: its points by their labels."""
    points = points_by_name({key: (one.x, one.y, one.shown) for key, one in found.items()})
    numbers = points_by_name({key: (n + 1, 0, 0) for n, key in enumerate(found)})[:, 0].astype(int)
    said = ["", *(one.state for one in found.values())]  # 0: the skeleton has no such point
    points[:, :2], _ = picture.places(points[:, :2] - CORNER, np.zeros(21, bool))
    side = sides_said(about)
    if (word := side_of(label)) is not None:
        side["label"] = word
    states = [said[n] if said[n] in JOINT_STATES else "" for n in numbers]
    return ToolHand(name, file, one_side(side), points, states=states)


def photo_of(folder: Path, name: str) -> Path:
    """CVAT calls a photo by its path in the task, with or without the folder that was uploaded."""
    last = name.replace("\\", "/").rpartition("/")[2]
    for one in (name, last):
        for place in (folder / "images", folder, folder.parent / "images", folder.parent):
            if inside(place, one).is_file():
                return inside(place, one)
    return existing(inside(folder / "images", last))
