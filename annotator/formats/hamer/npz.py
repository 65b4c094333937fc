"""HaMeR's evaluation files: one .npz of N hands beside its photos (fields: see `fields`).

    annotations.npz   imgname (N,), center (N,2) px, scale (N,) px (loaders divide by 200), right (N,),
                      hand_pose (N,48), has_hand_pose (N,), betas (N,10), has_betas (N,),
                      hand_keypoints_2d (N,21,3), hand_keypoints_3d (N,21,4), personid (N,), extra_info (N,) JSON
    video (N,)        of frames of videos what the video contains (SHA-256), else ""; frame (N,), time (N,) s,
                      track (N,): -1 where there is none; `numpy.lexsort((frame, track, video))` orders by track
    images/%08d.jpg   the photos; imgname is relative to `images`

extra_info is text here, so the file holds no pickle and loads with `allow_pickle=False`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.files.paths import existing, inside, only_file
from annotator.files.serialization.npz_arrays import Arrays
from annotator.files.serialization.npz_stream import NpzWriter
from annotator.formats.core.base import LabelledHand
from annotator.formats.core.details import Sidecar, beside, named, record_of
from annotator.formats.core.exporting import export
from annotator.formats.core.photo_files import PhotoFolder
from annotator.formats.core.video_frames import VideoFrame, frame_of
from annotator.formats.hamer.fields import fields_of, record_from

FILE, NAME = "annotations.npz", "hamer-npz"
COLUMNS = {
    "imgname": ("U", ()), "center": ("<f4", (2,)), "scale": ("<f4", ()), "right": ("<f4", ()),
    "hand_pose": ("<f4", (48,)), "has_hand_pose": ("<f4", ()), "betas": ("<f4", (10,)), "has_betas": ("<f4", ()),
    "hand_keypoints_2d": ("<f4", (21, 3)), "hand_keypoints_3d": ("<f4", (21, 4)), "personid": ("<i8", ()),
    "extra_info": ("U", ()), "video": ("U", ()), "frame": ("<i8", ()), "time": ("<f8", ()), "track": ("<i8", ()),
}  # fmt: skip
NO_FRAME = VideoFrame("", "", -1, -1.0, None)
_OURS = ("personid", "extra_info", "video", "frame", "time", "track")  # that nothing is read from
_FIELDS = ("center", "scale", "right", "hand_pose", "has_hand_pose", "betas", "has_betas")


def write(records: Iterable[LabelledHand], folder: str | Path, overwrite: bool = False, licence: str = "") -> dict:
    """Write the records; {"hands", "folder"}. InputError: see `exporting.export`."""
    with (
        export(records, folder, NAME, overwrite, licence) as out,
        PhotoFolder(out.folder / "images", out.marks) as photos,
    ):
        with NpzWriter(out.folder / FILE, COLUMNS, out.marks) as row:
            for record in out.records:
                number, name, *_ = photos.add(record.photo)
                fields = fields_of(record)
                extra = {"id": record.id, "states": list(record.states), "state": record.state}
                frame = frame_of(record)
                shown = NO_FRAME if frame is None else frame
                row(
                    video=shown.video, frame=shown.number, time=shown.seconds,
                    track=-1 if shown.track is None else shown.track,
                    imgname=name, personid=number, extra_info=json.dumps(extra),
                    hand_keypoints_2d=fields["keypoints_2d"], hand_keypoints_3d=fields["keypoints_3d"],
                    **{key: fields[key] for key in _FIELDS},
                )  # fmt: skip
                out.add(record)
    return {"hands": out.count, "folder": str(folder)}


def read(folder: str | Path) -> Iterator[LabelledHand]:
    """The hands of an .npz: a folder with one (or that file), photos in FOLDER/images or FOLDER.

    Keypoints with a confidence of 1 count as confirmed, less as proposed, 0 as no label. InputError naming file and
    index: a field or photo missing, a wrong shape, values that are not finite.
    """
    path = only_file(Path(folder), "*.npz", "file of HaMeR's")
    sidecar = Sidecar.of(path.parent, NAME)
    arrays = Arrays(path)
    missing = {"imgname", "center", "scale", "right", "hand_keypoints_2d"} - set(arrays)
    if missing:
        raise InputError(f"{path} is not a HaMeR file: there is no {', '.join(sorted(missing))}")
    columns = {name: arrays[name] for name in COLUMNS if name in arrays and name not in _OURS}
    single = [name for name, column in columns.items() if not np.ndim(column)]
    if single:
        raise InputError(f"{path}: {single[0]} is one value, expected a row a hand")
    count = len(columns["imgname"])
    for name, column in columns.items():
        if len(column) != count:
            raise InputError(f"{path}: {name} has {len(column)} rows, imgname {count}")
    images = path.parent / "images" if (path.parent / "images").is_dir() else path.parent
    rows = ({name: column[n] for name, column in columns.items()} for n in range(count))
    for index, row, details in beside(rows, sidecar, path):
        yield named(path, index, _record, images, index, row, details)


def _record(images: Path, index: int, row: dict, details: dict | None) -> LabelledHand:
    name = row.pop("imgname")
    photo = existing(inside(images, name.decode("utf-8") if isinstance(name, bytes) else str(name)))
    if details is not None:
        return record_of(details, photo)
    fields = {key.removeprefix("hand_") if "keypoints" in key else key: value for key, value in row.items()}
    return record_from(fields, f"{index:08d}", photo, {"data_set": "HaMeR npz"})
