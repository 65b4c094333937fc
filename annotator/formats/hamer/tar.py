"""HaMeR's and WiLoR's training shards: tar files of samples for `webdataset` (fields: see `fields`).

    shard-%06d.tar   KEY.jpg: a photo; KEY.data.pyd: a pickled list of one dict a hand: keypoints_2d, keypoints_3d,
                     center (2,) px, scale (2,) px / 200, hand_pose, betas, right, has_hand_pose, has_betas,
                     extra_info: {"annotator": JSON of everything else}

The pickles written here hold only names that every numpy has. Those read are never run, see `safe_pickle`.
"""

from __future__ import annotations

import io
import json
import pickle
import re
import tarfile
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import IO, cast

import numpy as np

from annotator.errors import InputError
from annotator.files.file_errors import reading
from annotator.files.paths import needed, ordinary
from annotator.files.serialization import safe_pickle
from annotator.formats.core.base import LabelledHand
from annotator.formats.core.details import details_of, named, record_of
from annotator.formats.core.exporting import export
from annotator.formats.core.photo_files import portable, unpacked
from annotator.formats.hamer.fields import PER_SCALE, fields_of, record_from

NAME = "hamer-tar"
PHOTOS_A_SHARD, BYTES_A_SHARD = 1000, 1 << 30
LARGEST = 1 << 28  # bytes of a member


def write(records: Iterable[LabelledHand], folder: str | Path, overwrite: bool = False, licence: str = "") -> dict:
    """Write the records; {"hands", "folder", "shards"}. Hands that follow each other in one photo share a sample.

    InputError: see `exporting.export`; webdataset is not installed.
    """
    shards = needed("webdataset").ShardWriter
    with export(records, folder, NAME, overwrite, licence, with_details=False, by_itself=False) as out:
        pattern = str(out.folder / "shard-%06d.tar").replace(out.folder.name, out.folder.name.replace("%", "%%"))
        # a shard cannot be cut back: an interrupted export begins its last one again
        shard, first = out.marks.part("shard", lambda: [sink.shard - 1, number]) or (0, 0)
        with shards(
            pattern, maxcount=float("inf"), maxsize=float("inf"), start_shard=shard, verbose=0, mtime=0
        ) as sink:
            for number, (photo, hands) in enumerate(groupby(out.records, key=lambda record: record.photo), first):
                if sink.count >= PHOTOS_A_SHARD or sink.size >= BYTES_A_SHARD:
                    sink.next_stream()
                    out.mark()
                _, data, _ = portable(photo, jpeg=True)
                labels = []
                for record in hands:
                    labels.append(_label(record))
                    out.add(record)
                sink.write({"__key__": f"{number:08d}", "jpg": data, "data.pyd": dumped(labels)})
    return {"hands": out.count, "folder": str(folder)}


def _label(record: LabelledHand) -> dict:
    fields = fields_of(record)
    fields["scale"] = np.repeat(fields["scale"] / np.float32(PER_SCALE), 2)
    return fields | {"extra_info": {"annotator": json.dumps(details_of(record), allow_nan=False)}}


class _Portable(pickle.Pickler):
    """Arrays as calls of numpy.ndarray: numpy 1 and 2 name their own way of rebuilding them differently."""

    def reducer_override(self, value):
        if isinstance(value, np.generic):
            value = np.asarray(value)
        if isinstance(value, np.ndarray):
            return np.ndarray, (value.shape, value.dtype.str, bytearray(value.tobytes()))
        return NotImplemented


def dumped(value: object) -> bytes:
    """A pickle of plain data and arrays that any numpy reads."""
    buffer = io.BytesIO()
    _Portable(buffer, protocol=4).dump(value)
    return buffer.getvalue()


def read(folder: str | Path, photos: str | Path | None = None) -> Iterator[LabelledHand]:
    """The hands of all *.tar in a folder (or of one tar file), in order.

    photos: the folder that the photos are put in, named SHARD-KEY.jpg; None: a temporary one that goes when the
    iterator is closed. InputError naming shard and sample: a broken tar, a sample without photo or labels, a wrong
    shape, values that are not finite, a pickle of anything but plain data.
    """
    folder = Path(folder)
    files = [folder] if folder.is_file() else sorted(folder.glob("*.tar"))
    if not files:
        raise InputError(f"there are no .tar files in {folder}")
    with unpacked(photos, "hamer-tar-") as kept:
        for file in files:
            for key, members in samples(file):
                yield from _hands(file, key, members, kept)


def samples(file: Path) -> Iterator[tuple[str, dict[str, bytes]]]:
    """(key, {extension: bytes}) of the samples: members that follow each other with one key."""
    key: str | None = None
    members: dict[str, bytes] = {}
    with reading(file, "is a broken tar file", tarfile.TarError, EOFError), \
            tarfile.open(ordinary(file), "r|*") as archive:  # fmt: skip
        for member in archive:
            if not member.isfile():
                continue
            if member.size > LARGEST:
                raise InputError(f"{file}: {member.name} has {member.size} bytes")
            path, _, name = member.name.rpartition("/")
            stem, _, extension = name.partition(".")
            stem = f"{path}/{stem}" if path else stem
            if stem != key and key is not None and members:
                yield key, members
                members = {}
            key = stem
            members[extension.lower()] = cast(IO[bytes], archive.extractfile(member)).read()
        if key is not None and members:
            yield key, members


def _hands(file: Path, key: str, members: dict[str, bytes], kept: Path) -> Iterator[LabelledHand]:
    suffix = next((s for s in ("jpg", "jpeg", "png") if s in members), None)
    labels = named(file, key, _labels, file, key, members, suffix)
    if labels is None or suffix is None:
        return
    photo = kept / (re.sub(r"[^\w.-]+", "-", f"{file.stem}-{key}") + f".{suffix}")  # a key is no path of ours
    photo.write_bytes(members[suffix])
    for number, label in enumerate(labels):
        yield named(file, f"{key}, {number}", _record, label, f"{key}-{number}", photo)


def _labels(file: Path, key: str, members: dict[str, bytes], suffix: str | None) -> list[dict]:
    if suffix is None or "data.pyd" not in members:
        raise InputError(f"{file}, sample {key}: there is no {'photo' if suffix is None else 'data.pyd'}")
    labels = safe_pickle.load(members["data.pyd"], f"{file}, {key}.data.pyd")
    if not isinstance(labels, (list, tuple)) or not all(isinstance(label, dict) for label in labels):
        raise InputError(f"{file}, {key}.data.pyd is not a list of dicts")
    return list(labels)


def _record(label: dict, identity: str, photo: Path) -> LabelledHand:
    extra = label.get("extra_info")
    if isinstance(extra, dict) and "annotator" in extra:
        return record_of(json.loads(extra["annotator"]), photo)
    scaled = label | {"scale": np.asarray(label["scale"], np.float64) * PER_SCALE}
    return record_from(scaled, identity, photo, {"data_set": "HaMeR tar"})
