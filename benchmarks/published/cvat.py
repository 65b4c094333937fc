"""CVAT's own importer and exporter of XML, on ours."""

from __future__ import annotations

import dataclasses
import io
import json
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from annotator.formats import reader, writer
from annotator.hand.joints import JOINT_NAMES
from published.stand_ins import loaded
from published.tools import compared

Attribute = namedtuple("Attribute", "name value")


class _Task:
    """What CVAT's importer and exporter of XML ask of a task: frames by number, shapes, attributes."""

    def __init__(self, photos: list[str]):
        self.photos, self.shapes, self.tracks, self.meta = photos, [], [], {"task": {"name": "hands"}}

    Attribute = staticmethod(lambda name, value: Attribute(name, value))

    Track = staticmethod(lambda **values: SimpleNamespace(**values))
    TrackedShape = staticmethod(lambda **values: SimpleNamespace(**values))

    def add_track(self, track: Any) -> None:
        self.tracks.append(track)

    @staticmethod
    def LabeledShape(**values: Any) -> Any:  # noqa: N802  (CVAT's name)
        return SimpleNamespace(**({"group": 0, "rotation": 0, "z_order": 0, "attributes": []} | values))

    def abs_frame_id(self, frame: int) -> int:
        return frame

    def add_shape(self, shape: Any) -> None:
        self.shapes.append(shape)

    def group_by_frame(self, include_empty: bool) -> list:
        return [
            SimpleNamespace(frame=n, name=name, width=size[0], height=size[1], tags=[],
                            labeled_shapes=[one for one in self.shapes if one.frame == n])
            for n, (name, size) in enumerate(self.photos)
        ]  # fmt: skip


def check(code: Path, records: list, folder: Path) -> tuple[str, str]:
    """(what its importer makes of our XML, what we make of the XML that its exporter writes of that)."""
    module: Any = loaded(code / "cvat" / "apps" / "dataset_manager" / "formats" / "cvat.py", "cvat_formats.cvat")
    module.ElementTree = ElementTree  # defusedxml's is the same with guards
    module.DatasetItem = lambda id, attributes, media: int(attributes["frame"])
    module.match_dm_item = lambda item, instance_data: item
    out = folder / "cvat"
    writer("cvat").write(records, out)
    photos = []
    for path in sorted((out / "images").iterdir()):
        with Image.open(path) as picture:
            photos.append((path.name, picture.size))
    task = _Task(photos)
    with (out / "annotations.xml").open("rb") as file:
        module.load_anno(file, task)
    hands = []
    for shape in task.shapes:
        elements = {one.label: one for one in shape.elements}
        points = [None if elements[name].outside else [n - 0.5 for n in elements[name].points] for name in JOINT_NAMES]
        side = next(one.value for one in shape.attributes if one.name == "side")
        hands.append({"photo": photos[shape.frame][0], "side": side, "points": points})
    rows = json.loads((out / "details.json").read_text())
    sent = [{"photo": Path(row["sent"]["file"]).name, "side": row["side"], "points": np.array(row["sent"]["points"])}
            for row in rows]  # fmt: skip
    read = compared(sent, hands)
    text = io.StringIO()
    dumper = module.create_xml_dumper(text)
    dumper.open_document()
    for shape in task.shapes:
        shape.type = "skeleton"
    task.meta = {"task": {"name": "hands"}}
    module.ProjectData = type("ProjectData", (), {})
    module.dump_as_cvat_annotation(dumper, task)
    dumper.close_document()
    (out / "annotations.xml").write_text(text.getvalue(), encoding="utf-8")
    again = {record.id: record for record in reader("cvat").read(out)}  # as it left: CVAT rounds to hundredths
    assert len(again) == len(records)
    for record in records:
        np.testing.assert_array_equal(again[record.id].keypoints, record.keypoints)
        assert again[record.id].states == record.states and again[record.id].side == record.side
    (out / "details.json").unlink()
    alone = [
        {"photo": record.photo.name, "side": record.side,
         "points": [p if w > 0 else None for p, w in zip(record.keypoints.tolist(), record.weights, strict=True)]}
        for record in reader("cvat").read(out)
    ]  # fmt: skip
    return read, f"{compared(sent, alone)}; with our details beside: untouched hands to the last bit, with their states"


def check_video(code: Path, records: list, folder: Path) -> tuple[str, str]:
    """As `check`, for tracks: the records as one hand through the frames of a video."""
    module: Any = loaded(code / "cvat" / "apps" / "dataset_manager" / "formats" / "cvat.py", "cvat_formats.cvat")
    module.ElementTree = ElementTree
    out = folder / "cvat-video"
    said = {"video_sha256": "0" * 64, "time": 0.0}
    writer("cvat-video").write(
        [dataclasses.replace(record, provenance=said | {"frame": n, "track": 5 + (record.side == "left")})
         for n, record in enumerate(records)], out)  # fmt: skip
    names = sorted(path.name for path in (out / "images").iterdir())
    task = _Task([])
    with (out / "annotations.xml").open("rb") as file:
        module.load_anno(file, task)
    hands = []
    for track in task.tracks:
        points = {one.label: {int(shape.frame): shape for shape in one.shapes} for one in track.elements}
        for shape in track.shapes:
            if not shape.outside:
                frame = int(shape.frame)
                places = [None if points[name][frame].outside else [n - 0.5 for n in points[name][frame].points]
                          for name in JOINT_NAMES]  # fmt: skip
                side = next(one.value for one in shape.attributes if one.name == "side")
                hands.append({"photo": names[frame], "side": side, "points": places})
    sent = [{"photo": Path(row["sent"]["file"]).name, "side": row["side"], "points": np.array(row["sent"]["points"])}
            for row in json.loads((out / "details.json").read_text())]  # fmt: skip
    read = f"{len(task.tracks)} tracks, {compared(sent, hands)}"
    text = io.StringIO()
    dumper = module.create_xml_dumper(text)
    dumper.open_document()
    task.meta = {"task": {"name": "hands"}}
    module.ProjectData = type("ProjectData", (), {})
    module.dump_as_cvat_interpolation(dumper, task)
    dumper.close_document()
    (out / "annotations.xml").write_text(text.getvalue(), encoding="utf-8")
    (out / "details.json").unlink()
    back = list(reader("cvat-video").read(out))
    alone = [{"photo": one.photo.name, "side": one.side,
              "points": [p if w > 0 else None for p, w in zip(one.keypoints.tolist(), one.weights, strict=True)]}
             for one in back]  # fmt: skip
    return read, f"{len({one.provenance['track'] for one in back})} tracks, {compared(sent, alone)}"
