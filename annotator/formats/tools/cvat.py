"""CVAT's XML ("CVAT for images 1.1"): one skeleton a hand, which holds one point a keypoint.

    annotations.xml   images in their order; skeletons of the label `hand` with the attribute `side`, points called as
                      our keypoints, each with the attribute `state`
    labels.json       the label with its points, for CVAT's constructor of labels ("Raw")
    images/           the photos

outside="1": no label; occluded="1": hidden. CVAT measures from the photo's corner, so a pixel's centre is at .5 there:
x CVAT = x px + 0.5; it rounds to hundredths when it exports. Also read: other names of labels and points, a side in the
label's name, points of 21 places in our order in place of a skeleton; files with tracks, see `cvat_video`. CVAT's COCO
export is read by `coco`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from annotator.files.paths import only_file
from annotator.formats.conventions.places import Picture
from annotator.formats.core.base import LabelledHand
from annotator.formats.core.by_photo import Photos, SentHand, export_by_photo
from annotator.formats.core.details import named
from annotator.formats.core.returned import Returned
from annotator.formats.core.tool_hands import HIDDEN, NONE
from annotator.formats.tools import cvat_video
from annotator.formats.tools.cvat_xml import (
    CORNER,
    FILE,
    LABELS,
    attributes,
    hand_of,
    label,
    meta,
    parts,
    photo_of,
    point_of,
    points_in_order,
)
from annotator.hand.joints import JOINT_NAMES

NAME = "cvat"


class Video:
    """The format `cvat-video`: tracks out, either form in."""

    @staticmethod
    def write(records: Iterable[LabelledHand], folder: str | Path, overwrite: bool = False, licence: str = "") -> dict:
        """See `cvat_video.write`."""
        return cvat_video.write(records, folder, overwrite, licence)

    @staticmethod
    def read(folder: str | Path) -> Iterator[LabelledHand]:
        """See `read`."""
        return read(folder)


def write(records: Iterable[LabelledHand], folder: str | Path, overwrite: bool = False, licence: str = "") -> dict:
    """Write the records; {"hands", "folder"}. InputError: see `exporting.export`."""
    return export_by_photo(records, folder, NAME, overwrite, licence, _finish)


def _finish(folder: Path, photos: Photos) -> None:
    (folder / LABELS).write_text(json.dumps([label()], indent=1) + "\n", encoding="utf-8")
    with (folder / FILE).open("w", encoding="utf-8") as file:
        file.write(f'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n{meta()}')
        for photo in photos():
            name = quoteattr(photo.file.rpartition("/")[2])
            size = f'width="{photo.width}" height="{photo.height}"'
            file.write(f'  <image id="{photo.number}" name={name} {size}>\n')
            file.writelines(map(_skeleton, photo.hands))
            file.write("  </image>\n")
        file.write("</annotations>\n")


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


def read(folder: str | Path) -> Iterator[LabelledHand]:
    """The hands of a folder with annotations.xml, or one .xml, or of that file; photos in FOLDER/images or FOLDER. A
    file with tracks (CVAT's video form) is read as `cvat_video` says.

    InputError naming file and hand: no XML, photos that are missing or of another size, names that are not understood,
    values that are no numbers.
    """
    folder = Path(folder)
    path = folder / FILE if (folder / FILE).is_file() else only_file(folder, "*.xml", "file of CVAT's")
    returned, tracks = Returned(path.parent, NAME), cvat_video.Tracks(path)
    index = 0
    for part in parts(path):
        if part.tag == "meta":
            tracks.hear(part)
        elif part.tag == "track":
            yield from tracks.read(part)
            continue
        for element in part:
            if element.tag == "skeleton" or (element.tag == "points" and element.get("points", "").count(";") == 20):
                record = named(path, index, _record, path, part, element, returned, index)
                index += 1
                if record is not None:
                    yield record


def _record(
    path: Path, image: ElementTree.Element, element: ElementTree.Element, returned: Returned, index: int
) -> LabelledHand | None:
    photo = photo_of(path.parent, image.attrib["name"])
    picture = Picture.of(photo, int(image.attrib["height"]), int(image.attrib["width"]))
    if element.tag == "points":
        points = points_in_order(element)
    else:
        points = {one.attrib["label"]: point_of(one) for one in element.findall("points")}
    name, about = f"{Path(image.attrib['name']).stem}-{index}", attributes(element)
    hand = hand_of(name, f"images/{photo.name}", element.attrib["label"], about, points, picture)
    return returned.record(hand, photo, "CVAT")
