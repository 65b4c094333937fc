"""A COCO file on its way out: images and annotations in two lists, written as they grow, then one object of both."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from annotator.files.paths import only_file
from annotator.formats.coco.outline import area_of, outline
from annotator.formats.core.base import LabelledHand
from annotator.formats.core.exporting import export
from annotator.formats.core.photo_files import PhotoFolder
from annotator.formats.core.tool_hands import sent_points
from annotator.formats.core.video_frames import frame_of

FILE = "annotations.json"


def write_set(
    records: Iterable[LabelledHand],
    folder: str | Path,
    name: str,
    category: dict,
    annotation: Callable[[LabelledHand, int, int], dict],
    overwrite: bool = False,
    licence: str = "",
) -> dict:
    """Write the records; {"hands", "folder"}. InputError: see `exporting.export`.

    annotation(record, its id, its image's id): one entry of the list; ids of annotations count from 1, as 0 is
    COCOeval's word for "no match". Photos that are frames of videos have `video_id`, `frame_id` (the frame's number)
    and `time` (s), their annotations `video_id` and, on a track, `track_id`; `videos` lists id, name and sha256.
    """
    with (
        export(records, folder, name, overwrite, licence) as out,
        PhotoFolder(out.folder / "images", out.marks) as photos,
    ):
        lists = {part: out.marks.own(out.folder / f"{part}.part") for part in ("images", "annotations", "videos")}
        known: dict[str, int] = out.marks.part("videos", lambda: known) or {}
        with (
            out.list(lists["images"]) as image,
            out.list(lists["annotations"]) as one,
            out.list(lists["videos"]) as video,
        ):
            for record in out.records:
                number, file, (height, width), new = photos.add(record.photo)
                frame = frame_of(record)
                if frame is not None and frame.video not in known:
                    known[frame.video] = len(known) + 1
                    video({"id": known[frame.video], "name": frame.name, "sha256": frame.video})
                place = {} if frame is None else {"video_id": known[frame.video]}
                if new:
                    shown = {} if frame is None else place | {"frame_id": frame.number, "time": frame.seconds}
                    image({"id": number, "file_name": file, "width": width, "height": height} | shown)
                own = place | ({"track_id": frame.track} if frame is not None and frame.track is not None else {})
                one(annotation(record, out.count + 1, number) | own)
                out.add(record, {"file": f"images/{file}", "points": sent_points(record).tolist()})
        _splice(out.folder / FILE, lists, category, licence)
    return {"hands": out.count, "folder": str(folder)}


def box_and_outline(record: LabelledHand) -> dict:
    """What every annotation has: bbox x, y, width, height; segmentation and area of the mesh's outline, px."""
    x0, y0, x1, y1 = record.box.tolist()
    rings = outline(record)
    area = area_of(rings) or (x1 - x0) * (y1 - y0)
    return {"iscrowd": 0, "bbox": [x0, y0, x1 - x0, y1 - y0], "segmentation": rings, "area": area}


def numbers_of(record: LabelledHand) -> list:
    """63 numbers x, y, v; where a keypoint is out of frame or has no label, v is 0 and its place stays."""
    shown = sent_points(record)[:, 2].astype(int).tolist()
    return [n for (x, y), v in zip(record.keypoints.tolist(), shown, strict=True) for n in (x, y, v)]


def named_file(folder: Path, pattern: str, what: str) -> Path:
    """The annotation file: FOLDER/annotations.json, else the only one of the pattern, or the file itself."""
    return folder / FILE if (folder / FILE).is_file() else only_file(folder, pattern, what)


def _splice(path: Path, lists: dict[str, Path], category: dict, licence: str) -> None:
    """One object of the lists, each copied from its file."""
    info = {"description": "hands labelled with hand-mesh-annotator", "licence": licence}
    with path.open("w", encoding="utf-8") as file:
        file.write(f'{{"info": {json.dumps(info)}, "categories": {json.dumps([category])}')
        for name, part in lists.items():
            file.write(f', "{name}": ')
            with part.open(encoding="utf-8") as rows:
                shutil.copyfileobj(rows, file)
        file.write("}\n")
