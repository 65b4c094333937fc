"""How photos and proposals come into a project. All functions work inside the caller's transaction."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

from sqlalchemy import Connection, func, insert, select

from annotator import __version__
from annotator.errors import InputError
from annotator.files.atomic import put
from annotator.files.frame_places import file_of, frame_place, stem_of
from annotator.files.user_paths import expanded, storable
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.project import journal
from annotator.project.photo_files import pictures
from annotator.project.records.meshes import find_hand_model, pack_parametric, record_of
from annotator.project.records.record import HandRecord, apply, pack
from annotator.project.records.states import PROPOSED
from annotator.project.records.views import Provenance, StoredPhoto
from annotator.project.storage.copying import copy_photo
from annotator.project.storage.schema import hands, looked_at, next_number, photos, sources
from annotator.vision.images.without_metadata import picture_digest
from annotator.vision.photos import frame_of, photo_bytes, photo_hash, read_photo

PHOTOS = "photos"  # in the project's folder: the photos that were copied in


@dataclass(frozen=True)
class Header:
    """What a project keeps of a photo's file; video (SHA-256), frame and seconds: see `StoredPhoto`."""

    path: Path
    sha256: str
    height: int
    width: int
    bytes: int
    video: str | None = None
    frame: int | None = None
    seconds: float | None = None
    picture: str = ""  # digest of what it shows ("": not looked at, or a frame), see `pictures`

    @classmethod
    def of(cls, path: Path, size: tuple[int, int] | None = None) -> Header:
        """Of a photo, which is read if its (height, width) is not given. InputError naming a bad file."""
        height, width = size or read_photo(path).shape[:2]
        frame = frame_of(path)
        known = cls(path, photo_hash(path), int(height), int(width), photo_bytes(path))
        if frame is None:
            return replace(known, picture=picture_digest(path))
        return replace(known, video=frame.video, frame=frame.number, seconds=frame.seconds)


@dataclass(frozen=True)
class Prepared:
    """A proposal ready to be written; `pack` and `unpack` carry it from where it was made to where it is written."""

    name: str
    model: HandModel
    record: HandRecord
    parametric: bytes | None

    @cached_property
    def stored(self) -> tuple[bytes, bytes]:
        """The record's bytes, and those of the event that begins with it: most of the work of storing a hand, done
        where there are many to do it."""
        data = self.record.encode()
        return data, pack(None, data)

    def pack(self) -> tuple[str, str, bytes, bytes]:
        """(hand model's name, its digest, record as its event has it, parametric stage's parameters or nothing)."""
        return self.name, self.model.digest, self.stored[1], self.parametric or b""

    @classmethod
    def unpack(cls, packed: tuple[str, str, bytes, bytes]) -> Prepared:
        """InputError if the hand model is not here, or another one of that name, or the record is none."""
        name, digest, delta, parametric = packed
        data = apply(delta, None)
        made = cls(name, _model(name, digest), HandRecord.decode(data), parametric or None)
        made.__dict__["stored"] = data, delta
        return made


@lru_cache(maxsize=4)
def _model(name: str, digest: str) -> HandModel:
    """Found once: its digest says that it is the same."""
    return find_hand_model(name, digest)


def read_headers(paths: Iterable[str | Path], sizes: Iterable[tuple[int, int]] | None) -> list[Header]:
    """Hash the files, and read those whose (height, width) is not given. InputError naming a bad file."""
    files = [storable(expanded(path).absolute()) for path in paths]
    known: list[tuple[int, int] | None] = list(sizes) if sizes is not None else [None] * len(files)
    return [Header.of(path, size) for path, size in zip(files, known, strict=True)]


def add_photo(connection: Connection, folder: Path, header: Header) -> int:
    """The id of the photo with this content, or of the one that shows the same, added if it is new."""
    sha256 = header.sha256
    known = connection.scalar(select(photos.c.id).where(photos.c.sha256 == sha256))
    if known is None and header.picture:
        other = pictures.photo_showing(connection, header.picture)
        known = other and connection.scalar(select(photos.c.id).where(photos.c.sha256 == other))
    if known is not None:
        return known
    values = photo_row(header, folder, next_number(connection, photos.c.id))
    connection.execute(insert(photos).values(values))
    if header.picture:
        pictures.remember(connection, sha256, header.picture)
    return values["id"]


def photo_row(header: Header, folder: Path, number: int) -> dict:
    """A new photo's row of `photos`; number: its id."""
    values = vars(header) | {"path": str(header.path), "relative": relative(header.path, folder)}
    values |= {"id": number, "added": journal.now()}
    del values["picture"]
    return values


def copied_in(header: Header, folder: Path) -> Header:
    """The photo's copy in the project's folder, named by its content; made if it is not there. Of a frame the whole
    video is copied, once for all its frames."""
    file, place = file_of(header.path), frame_place(header.path)
    shared = place if place is not None and file == place.video else None  # else the frame has a file of its own
    sha256 = header.sha256 if shared is None else header.video
    assert sha256 is not None  # a frame's header names its video, see `Header.of`
    target = folder / PHOTOS / sha256[:2] / f"{sha256}{file.suffix.lower()}"
    there = target if shared is None else replace(shared, video=target).as_path()
    if not (target.is_file() and photo_hash(there) == header.sha256):
        copy_photo(file, target)
        if photo_hash(there) != header.sha256:
            raise InputError(f"{file} changed while it was copied")
    return replace(header, path=there)


def kept_photo(content: bytes, sha256: str, name: str, folder: Path) -> Path:
    """The file in the project's folder that keeps a photo which has no place of its own on this machine."""
    suffix = Path(name).suffix.lower()
    target = folder / PHOTOS / sha256[:2] / f"{sha256}{suffix if re.fullmatch(r'[.][a-z]{2,5}', suffix) else ''}"
    if not target.is_file():
        put(target, lambda partial: partial.write_bytes(content))
    return target


def prepare(mesh: HandMesh) -> Prepared:
    """Everything of a proposal that can be checked without the database."""
    model = find_hand_model(mesh.hand_model)
    record = record_of(mesh, model, (PROPOSED,) * 21, PROPOSED)
    return Prepared(mesh.hand_model, model, record, pack_parametric(mesh))


def add_source(connection: Connection, provenance: Provenance) -> int:
    """The id of this provenance, added if it is new."""
    if not provenance.model_digest:
        raise InputError("a proposal needs its model's digest")
    content = asdict(provenance)
    content["code_version"] = provenance.code_version or __version__
    content |= content.pop("extra")
    document = json.dumps(content, sort_keys=True)
    digest = hashlib.sha256(document.encode()).hexdigest()
    known = connection.scalar(select(sources.c.id).where(sources.c.digest == digest))
    if known is not None:
        return known
    number = next_number(connection, sources.c.id)
    values = {"digest": digest, "model_digest": provenance.model_digest, "document": document, "id": number}
    connection.execute(insert(sources).values(values))
    return number


def mark_looked_at(connection: Connection, photo_id: int, model_digest: str) -> None:
    """Remember that this model has looked at this photo."""
    if not was_looked_at(connection, photo_id, model_digest):
        connection.execute(insert(looked_at).values(photo=photo_id, model_digest=model_digest, at=journal.now()))


def was_looked_at(connection: Connection, photo_id: int, model_digest: str) -> bool:
    """Whether this model has looked at this photo."""
    mark = {"photo": photo_id, "model_digest": model_digest}
    return connection.execute(select(looked_at).filter_by(**mark)).first() is not None


def add_hand(
    connection: Connection, photo: StoredPhoto, source: int, hand: Prepared, who: str, note: Mapping | None = None
) -> str:
    """Write one proposed hand; its id."""
    hand_id = new_id(connection, photo)
    row = {
        "id": hand_id,
        "number": next_number(connection, hands.c.number),
        "photo": photo.id,
        "source": source,
        "hand_model": hand.name,
        "hand_model_digest": hand.model.digest,
    }
    journal.propose(connection, row, hand, who, note or {})
    return hand_id


def new_id(connection: Connection, photo: StoredPhoto) -> str:
    """A short id that says where the hand is: the photo's name and a number, e.g. `two-hands-2`, `clip-000120-1`.

    Where another photo of that name took it (cameras count files alike), the photo's own number comes in.
    """
    number = connection.scalar(select(func.count()).where(hands.c.photo == photo.id)) or 0
    while True:
        number += 1
        for hand_id in candidates(photo.path, photo.id, number):
            if connection.scalar(select(hands.c.id).where(hands.c.id == hand_id)) is None:
                return hand_id


def candidates(path: Path, photo: int, number: int) -> tuple[str, str]:
    """The ids that the `number`th hand of a photo may have, the better one first."""
    stem = _stem(path)
    return f"{stem}-{number}", f"{stem}-p{photo}-{number}"


@lru_cache(maxsize=4096)
def _stem(path: Path) -> str:
    return re.sub(r"[^\w.]+", "-", stem_of(path)).strip("-.")[:60] or "hand"


def relative(path: Path, folder: Path) -> str:
    try:
        return os.path.relpath(path, folder)
    except ValueError:  # another drive
        return str(path)
