"""CVAT's XML ("CVAT for images 1.1"): one skeleton a hand, which holds one point a keypoint.

    annotations.xml   images in their order; skeletons of the label `hand` with the attribute `side`, points called as
                      our keypoints, each with the attribute `state`
    labels.json       the label with its points, for CVAT's constructor of labels ("Raw")
    images/           the photos

outside="1": no label; occluded="1": hidden. CVAT measures from the photo's corner, so a pixel's centre is at .5 there:
x CVAT = x px + 0.5; it rounds to hundredths when it exports. Also read: other names of labels and points, a side in the
label's name, points of 21 places in our order in place of a skeleton. CVAT's COCO export is read by `coco`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

import numpy as np

from annotator import __version__
from annotator.errors import InputError
from annotator.files.paths import existing, inside, only_file, ordinary
from annotator.formats.core.base import LabelledHand
from annotator.formats.core.by_photo import Photos, SentHand, export_by_photo
from annotator.formats.core.details import named
from annotator.formats.core.names import one_side, side_of, sides_said
from annotator.formats.core.places import Picture
from annotator.formats.core.returned import Returned
from annotator.formats.core.tool_hands import HIDDEN, NONE, VISIBLE, ToolHand, points_by_name
from annotator.hand.joint_states import CONFIRMED, JOINT_STATES
from annotator.hand.joints import BONES, JOINT_NAMES

FILE, LABELS, NAME = "annotations.xml", "labels.json", "cvat"
CORNER = 0.5  # px between the photo's corner and the first pixel's centre


def write(records: Iterable[LabelledHand], folder: str | Path, overwrite: bool = False, licence: str = "") -> dict:
    """Write the records; {"hands", "folder"}. InputError: see `exporting.export`."""
    return export_by_photo(records, folder, NAME, overwrite, licence, _finish)


def _finish(folder: Path, photos: Photos) -> None:
    (folder / LABELS).write_text(json.dumps([_label()], indent=1) + "\n", encoding="utf-8")
    with (folder / FILE).open("w", encoding="utf-8") as file:
        file.write(f'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n{_meta()}')
        for photo in photos():
            name = quoteattr(photo.file.rpartition("/")[2])
            size = f'width="{photo.width}" height="{photo.height}"'
            file.write(f'  <image id="{photo.number}" name={name} {size}>\n')
            file.writelines(map(_skeleton, photo.hands))
            file.write("  </image>\n")
        file.write("</annotations>\n")


def _meta() -> str:
    states = "".join(f"{state}\n" for state in JOINT_STATES).rstrip()
    points = "".join(
        f"        <label><name>{name}</name><type>points</type><parent>hand</parent><attributes><attribute>"
        f"<name>state</name><mutable>False</mutable><input_type>select</input_type>"
        f"<default_value>{CONFIRMED}</default_value><values>{states}</values></attribute></attributes></label>\n"
        for name in JOINT_NAMES
    )
    side = (
        "<attribute><name>side</name><mutable>False</mutable><input_type>select</input_type>"
        "<default_value>right</default_value><values>right\nleft</values></attribute>"
    )
    return (
        f"  <meta>\n    <task>\n      <name>hand-mesh-annotator {__version__}</name>\n      <labels>\n"
        f"        <label><name>hand</name><type>skeleton</type><attributes>{side}</attributes></label>\n{points}"
        "      </labels>\n    </task>\n  </meta>\n"
    )


def _skeleton(hand: SentHand) -> str:
    lines = [f'    <skeleton label="hand" source="manual" z_order="0" group_id="{hand.number + 1}">\n']
    for name, (x, y, v), state in zip(JOINT_NAMES, hand.points.tolist(), hand.states, strict=True):
        place = f"{x + CORNER!r},{y + CORNER!r}"
        lines.append(
            f'      <points label="{name}" source="manual" outside="{int(v == NONE)}" occluded="{int(v == HIDDEN)}" '
            f'points="{place}"><attribute name="state">{state}</attribute></points>\n'
        )
    lines.append(f'      <attribute name="side">{hand.side}</attribute>\n    </skeleton>\n')
    return "".join(lines)


def _label() -> dict:
    """The label `hand` as CVAT's constructor takes it, its points laid out as an open right hand."""
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
    state = {"name": "state", "input_type": "select", "mutable": False, "values": list(JOINT_STATES),
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


def read(folder: str | Path) -> Iterator[LabelledHand]:
    """The hands of a folder with annotations.xml, or one .xml, or of that file; photos in FOLDER/images or FOLDER.

    InputError naming file and hand: no XML, tracks (CVAT's video format), photos that are missing or of another size,
    names that are not understood, values that are no numbers.
    """
    folder = Path(folder)
    path = folder / FILE if (folder / FILE).is_file() else only_file(folder, "*.xml", "file of CVAT's")
    returned = Returned(path.parent, NAME)
    index = 0
    for image in _images(path):
        for element in image:
            if element.tag == "skeleton" or (element.tag == "points" and element.get("points", "").count(";") == 20):
                record = named(path, index, _record, path, image, element, returned, index)
                index += 1
                if record is not None:
                    yield record


def _images(path: Path) -> Iterator[ElementTree.Element]:
    """The file's images, one at a time."""
    try:
        with ordinary(path).open("rb") as file:
            if b"<!" in file.read(1 << 16).split(b"<annotations", 1)[0].replace(b"<!--", b""):
                raise InputError(f"{path} has a document type, as no file of CVAT's has: it is not read")
            file.seek(0)
            root = None
            for event, element in ElementTree.iterparse(file, ("start", "end")):
                if root is None:
                    root = element
                    if root.tag != "annotations":
                        raise InputError(f"{path} is not a file of CVAT's: it begins with <{root.tag}>")
                elif event == "start" and element.tag == "track":
                    raise InputError(f"{path} holds tracks: export it as 'CVAT for images 1.1'")
                elif event == "end" and element.tag == "image":
                    yield element
                    root.clear()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except (ElementTree.ParseError, UnicodeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is not XML: {error}") from error


def _record(
    path: Path, image: ElementTree.Element, element: ElementTree.Element, returned: Returned, index: int
) -> LabelledHand | None:
    photo = _photo(path.parent, image.attrib["name"])
    picture = Picture.of(photo, int(image.attrib["height"]), int(image.attrib["width"]))
    found: dict[str, tuple[float, float, int]] = {}
    states: dict[str, str] = {}
    if element.tag == "points":
        pairs = element.attrib["points"].split(";")
        shown = HIDDEN if element.get("occluded") == "1" else VISIBLE
        found = {name: (*_pair(pair), shown) for name, pair in zip(JOINT_NAMES, pairs, strict=True)}
    for point in element.findall("points"):
        name = point.attrib["label"]
        shown = NONE if point.get("outside") == "1" else HIDDEN if point.get("occluded") == "1" else VISIBLE
        found[name] = (*_pair(point.attrib["points"]), shown)
        states[name] = _attributes(point).get("state", "")
    points = points_by_name(found)
    numbers = points_by_name({name: (n + 1, 0, 0) for n, name in enumerate(found)})[:, 0].astype(int)
    said = ["", *(states.get(name, "") for name in found)]  # 0: the skeleton has no such point
    points[:, :2], _ = picture.places(points[:, :2] - CORNER, np.zeros(21, bool))
    side = sides_said(_attributes(element))
    if (word := side_of(element.attrib["label"])) is not None:
        side["label"] = word
    hand = ToolHand(
        f"{Path(image.attrib['name']).stem}-{index}", f"images/{photo.name}", one_side(side), points,
        states=[said[n] if said[n] in JOINT_STATES else "" for n in numbers],
    )  # fmt: skip
    return returned.record(hand, photo, "CVAT")


def _attributes(element: ElementTree.Element) -> dict[str, str]:
    return {one.get("name", ""): one.text or "" for one in element.findall("attribute")}


def _pair(text: str) -> tuple[float, float]:
    x, y = text.split(",")
    return float(x), float(y)


def _photo(folder: Path, name: str) -> Path:
    """CVAT calls a photo by its path in the task, with or without the folder that was uploaded."""
    last = name.replace("\\", "/").rpartition("/")[2]
    for one in (name, last):
        for place in (folder / "images", folder, folder.parent / "images", folder.parent):
            if inside(place, one).is_file():
                return inside(place, one)
    return existing(inside(folder / "images", last))
