"""Parquet (Apache Arrow), as Hugging Face `datasets` loads it: one row a hand, the photo in it.

    data/train-%05d.parquet    image {bytes, path}; id, side, state, hand_model (text); K (9), box (4), keypoints (42),
                               joints (63), vertices (3 V), faces (3 F): flat lists, row by row; visible (21), states
                               (21), weights (21), keypoint_sigma (21), joint_weights (21); parameters, mano,
                               provenance: JSON text; of frames of videos: video (SHA-256), frame, time (s), track;
                               null = absent

Nothing is mirrored: left hands are left, in their own photo. `datasets.load_dataset(FOLDER)` gives `image` as a
picture.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from annotator.errors import InputError
from annotator.files.file_errors import reading
from annotator.files.frame_places import stem_of
from annotator.files.paths import needed, ordinary
from annotator.formats.core.base import LabelledHand
from annotator.formats.core.details import details_of, named, record_of
from annotator.formats.core.exporting import Export, export
from annotator.formats.core.photo_files import portable, unpacked
from annotator.formats.core.video_frames import frame_of

NAME, ROWS_A_GROUP = "parquet", 64
ROWS_A_FILE, BYTES_A_FILE = 4096, 1 << 28
_TEXT = ("id", "side", "state", "hand_model", "parameters", "mano", "provenance")
_FRAME = {"video": "string", "frame": "int64", "time": "float64", "track": "int64"}  # of frames of videos
_DOUBLES = {"K": (3, 3), "box": (4,), "keypoints": (21, 2), "joints": (21, 3), "vertices": (-1, 3), "weights": (21,),
            "keypoint_sigma": (21,), "joint_weights": (21,)}  # fmt: skip
# what `datasets` reads: configurations by file, so that a further file of the folder is no split
HEAD = "configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: data/train-*.parquet"


def write(records: Iterable[LabelledHand], folder: str | Path, overwrite: bool = False, licence: str = "") -> dict:
    """Write the records; {"hands", "folder"}. InputError: see `exporting.export`; pyarrow is not installed."""
    arrow, parquet = needed("pyarrow"), needed("pyarrow.parquet")
    schema = _schema(arrow)
    with export(records, folder, NAME, overwrite, licence, with_details=False, by_itself=False) as out:
        out.head = HEAD
        (out.folder / "data").mkdir(exist_ok=True)
        rows = _rows(out)
        number = out.marks.part("files", lambda: number) or 0
        row = next(rows, None)
        while row is not None:
            path = out.folder / "data" / f"train-{number:05d}.parquet"
            with parquet.ParquetWriter(path, schema, compression="zstd") as file:
                row = _fill(out, row, rows, partial(_put, arrow, file, schema))
            number += 1
            if row is not None:
                out.mark()  # a file cannot be cut back: an interrupted export begins its last one again
    return {"hands": out.count, "folder": str(folder)}


def _rows(out: Export) -> Iterator[tuple[LabelledHand, dict]]:
    photo: tuple = (None, None)
    for record in out.records:
        if photo[0] != record.photo:
            suffix, data, _ = portable(record.photo)
            photo = (record.photo, {"bytes": data, "path": stem_of(record.photo) + suffix})
        yield record, _row(record) | {"image": photo[1]}


def _put(arrow: ModuleType, file: Any, schema: Any, group: list[dict]) -> None:
    file.write_table(arrow.Table.from_pylist(group, schema))


def _fill(out: Export, row: tuple | None, rows: Iterator, put: Callable[[list[dict]], None]) -> tuple | None:
    """One file's rows, the first of them drawn already, in groups; the next file's first, None at the end."""
    group, count, size = [], 0, 0
    while row is not None and count < ROWS_A_FILE and size < BYTES_A_FILE:
        record, values = row
        group.append(values)
        count, size = count + 1, size + len(values["image"]["bytes"])
        if len(group) == ROWS_A_GROUP:
            put(group)
            group = []
        out.add(record)
        row = next(rows, None)
    if group:
        put(group)
    return row


def _schema(arrow):
    double, text = arrow.list_(arrow.float64()), arrow.string()
    fields = [("image", arrow.struct([("bytes", arrow.binary()), ("path", text)]))]
    fields += [(name, text) for name in _TEXT] + [(name, double) for name in _DOUBLES]
    fields += [("faces", arrow.list_(arrow.int32())), ("visible", arrow.list_(arrow.bool_()))]
    fields += [("states", arrow.list_(text))]
    fields += [(name, arrow.type_for_alias(kind)) for name, kind in _FRAME.items()]
    features: dict = {name: {"dtype": "string", "_type": "Value"} for name in _TEXT}
    features = {"image": {"_type": "Image"}} | features
    features |= {name: {"dtype": kind, "_type": "Value"} for name, kind in _FRAME.items()}
    lists = dict.fromkeys(_DOUBLES, "float64") | {"faces": "int32", "visible": "bool", "states": "string"}
    for name, kind in lists.items():
        features[name] = {"feature": {"dtype": kind, "_type": "Value"}, "_type": "List"}
    return arrow.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})


def _row(record: LabelledHand) -> dict:
    details = details_of(record)
    row: dict = {name: details[name] for name in ("id", "side", "state", "hand_model", "visible", "states")}
    for name in ("parameters", "mano", "provenance"):
        row[name] = None if details[name] is None else json.dumps(details[name], allow_nan=False)
    for name in (*_DOUBLES, "faces"):
        value = getattr(record, name)
        row[name] = None if value is None else value.ravel()
    frame = frame_of(record)
    values = (None,) * 4 if frame is None else (frame.video, frame.number, frame.seconds, frame.track)
    return row | dict(zip(_FRAME, values, strict=True))


def read(folder: str | Path, photos: str | Path | None = None) -> Iterator[LabelledHand]:
    """The hands of our Parquet files in FOLDER or FOLDER/data (or of one file).

    photos: the folder that the photos are put in; None: a temporary one that goes when the iterator is closed.
    InputError naming file and row: no file, other columns, a wrong shape, values that are not finite.
    """
    parquet = needed("pyarrow.parquet")
    folder = Path(folder)
    files = [folder] if folder.is_file() else sorted([*folder.glob("data/*.parquet"), *folder.glob("*.parquet")])
    if not files:
        raise InputError(f"there are no .parquet files in {folder}")
    with unpacked(photos, "parquet-") as kept:
        for file in files:
            index = 0
            for batch in _batches(parquet, file):
                for row in batch.to_pylist():
                    yield named(file, index, _record, row, kept, f"{file.stem}-{index:08d}")
                    index += 1


def _batches(parquet, file: Path):
    # pyarrow's own errors are kinds of ValueError, or an OSError without a number
    with reading(file, "is not a readable Parquet file", ValueError), parquet.ParquetFile(ordinary(file)) as table:
        missing = {"image", *_TEXT, *_DOUBLES, "faces", "visible", "states"} - set(table.schema_arrow.names)
        if missing:
            raise InputError(f"{file} is not our layout: there is no column {', '.join(sorted(missing))}")
        yield from table.iter_batches(ROWS_A_GROUP)


def _record(row: dict, kept: Path, name: str) -> LabelledHand:
    suffix = re.sub(r"[^\w.]", "", Path(row["image"]["path"] or "").suffix) or ".jpg"
    photo = kept / (name + suffix)
    photo.write_bytes(row["image"]["bytes"])
    values = {key: row[key] for key in ("id", "side", "state", "hand_model", "visible", "states")}
    for key, shape in _DOUBLES.items():
        values[key] = None if row[key] is None else np.array(row[key], np.float64).reshape(shape)
    for key in ("parameters", "mano"):
        values[key] = None if row[key] is None else json.loads(row[key])
    values["provenance"] = json.loads(row["provenance"] or "{}")
    faces = None if row["faces"] is None else np.array(row["faces"]).reshape(-1, 3)
    if values["vertices"] is None:
        return record_of(values, photo)
    return record_of(values, photo, vertices=values.pop("vertices"), faces=faces)
