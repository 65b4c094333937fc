"""`propose` on Ray Data: a pool of model actors reads, hashes, decodes and looks at photos; the answers are stored
here.

Only names travel to the actors, so memory does not grow with photos; each decodes on its own cores while it looks. Ray
holds back what the actors are not ready for, and starts dead ones anew with what they had. Only this process writes the
project: a batch in one transaction as it arrives. What is stored is never looked at again, so a run that was killed
goes on where it stopped, and a batch that Ray computes twice is stored once.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from annotator.cluster import sources
from annotator.cluster.engine import Engine, needed
from annotator.cluster.models import check_digest, content_of, loaded, quiet_data
from annotator.cluster.relay import blocks
from annotator.errors import InputError
from annotator.files.frame_places import frame_place
from annotator.project import Project, Provenance
from annotator.project.entering.intake import Header, Prepared, kept_photo, prepare
from annotator.vision.photos import decode_photo, photo_bytes, photo_hash, read_photo

TRIES = 3  # a worker that cannot be started is tried this often again; one that dies, always


@dataclass(frozen=True)
class Shared:
    """What all actors get once. checkpoint: a file's bytes, None is the embedded model; done: hashes looked at
    before."""

    checkpoint: bytes | None
    done: np.ndarray  # (N,) sorted 'S64'


def propose_photos(
    project: Project,
    engine: Engine,
    found: sources.Found,
    name: str,
    digest: str,
    checkpoint: Path | None = None,
    batch: int = 16,
    quick: bool = False,
) -> Iterator[dict]:
    """Proposes on photos and stores the answers; yields a dict a photo: place, hands (None: was done), error ("").

    digest: of the model, which the actors load from `checkpoint`. batch: photos an actor takes at a time; quick: see
    `Model`.
    """
    with engine.connected() as ray:
        done = np.sort(np.array(project.hashes_looked_at(digest), dtype="S64"))
        shared = Shared(content_of(checkpoint), done)
        provenance, folder = Provenance.of(name, digest, quick), project.folder
        for block in blocks(ray, _pipeline, engine, found, shared, digest, batch, quick):
            yield from _store(project, provenance, folder, block.to_pylist())


def _pipeline(engine: Engine, found: sources.Found, shared: Shared, digest: str, batch: int, quick: bool):
    """The lazy Ray dataset of answers: one row a photo. One block of its input is what an actor takes at a time."""
    ray, data = needed("ray"), quiet_data()
    context = data.DataContext.get_current()
    context.actor_init_retry_on_errors, context.actor_init_max_retries = True, TRIES
    nothing = {"files": [""], "table": "", "column": "", "group": 0}
    work = [nothing | {"files": found.files[at : at + batch]} for at in range(0, len(found.files), batch)]
    for table, column in found.tables:
        work += [nothing | {"table": table, "column": column, "group": g} for g in range(sources.groups(table))]
    return data.from_items(work, override_num_blocks=len(work)).map_batches(
        Proposer,
        fn_constructor_kwargs={
            "shared": [ray.put(shared)],
            "digest": digest,
            "engine": engine,
            "batch": batch,
            "quick": quick,
        },
        batch_size=None,
        batch_format="pyarrow",
        compute=data.ActorPoolStrategy(size=engine.actors(ray), max_tasks_in_flight_per_actor=2),
        num_cpus=engine.cpus,
        num_gpus=engine.gpus or None,
    )


class Proposer:
    """A model actor. Loads the checkpoint once; a photo that breaks spoils no other."""

    def __init__(self, shared: list, digest: str, engine: Engine, batch: int, quick: bool = False):
        given: Shared = needed("ray").get(shared[0])
        self.done, self.batch = given.done, batch
        self.model = loaded(given.checkpoint, engine)
        self.model.quick = quick
        check_digest(self.model, digest)
        self.threads = ThreadPoolExecutor(max(2, int(engine.cpus)), thread_name_prefix="decode")

    def __call__(self, block) -> Iterator:
        """Photo files, or row groups of tables, to batches of answers (Arrow tables)."""
        for work in block.to_pylist():
            if work["table"]:
                rows = sources.rows(work["table"], work["column"], work["group"])
            else:
                rows = ({"place": place, "content": b""} for place in work["files"])
            while some := list(itertools.islice(rows, self.batch)):
                yield self._answered(some)

    def _answered(self, rows: list[dict]):
        looked = [(row, photo) for row, photo in self.threads.map(self._decoded, rows)]
        fresh = [(row, photo) for row, photo in looked if photo is not None]
        photos = [photo for _, photo in fresh]
        try:
            answers = [
                [prepare(mesh).pack() for mesh in hands] for hands in self.model.propose_many(photos, batch=self.batch)
            ]
        except Exception:  # noqa: BLE001  which photo it was is found out one by one
            answers = [self._alone(row, photo) for row, photo in fresh]
        for (row, _), hands in zip(fresh, answers, strict=True):
            row["hands"] = [dict(zip(_PACKED, hand, strict=True)) for hand in hands]
        rows = [row | {"worker": os.getpid(), "looked": photo is not None} for row, photo in looked]
        return needed("pyarrow").Table.from_pylist(rows, _schema())

    def _decoded(self, row: dict) -> tuple[dict, np.ndarray | None]:
        """A photo's row with its hash, and its pixels; None if this model has looked at it, or it cannot be used."""
        place, content = row["place"], row["content"]
        here = not sources.is_url(place) and not content
        frame = here and frame_place(place) is not None  # of a video, which is not read as a whole
        answer = {"place": place, "sha256": "", "content": b"", "height": 0, "width": 0, "bytes": 0, "error": ""}
        try:
            if frame:
                answer |= {"sha256": photo_hash(place), "bytes": photo_bytes(place)}
            else:
                content = content or sources.content_of(place)
                answer |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            key = np.bytes_(answer["sha256"])
            at = np.searchsorted(self.done, key)
            if at < len(self.done) and self.done[at] == key:
                return answer, None
            photo = read_photo(place) if frame else decode_photo(content, place)
        except InputError as error:
            return answer | {"error": str(error)}, None
        answer |= {"height": photo.shape[0], "width": photo.shape[1]}
        # a photo with no file on this file system travels on, to be kept in the project
        return answer if here else answer | {"content": content}, photo

    def _alone(self, row: dict, photo: np.ndarray) -> list:
        try:
            return [prepare(mesh).pack() for mesh in self.model.propose(photo)]
        except Exception as error:  # noqa: BLE001
            row["error"] = f"{row['place']}: {type(error).__name__}: {error}"
            return []


def _store(project: Project, provenance: Provenance, folder: Path, rows: Sequence[dict]) -> Iterator[dict]:
    """Writes a batch of answers in one transaction; yields what became of each photo."""
    looks, good = [], [row for row in rows if row["looked"] and not row["error"]]
    for row in good:
        path = Path(row["place"])
        if row["content"]:
            path = kept_photo(row["content"], row["sha256"], row["place"], folder)
        header = Header(path, row["sha256"], row["height"], row["width"], row["bytes"])
        if frame_place(path) is not None and not row["content"]:
            header = replace(Header.of(path, (row["height"], row["width"])), sha256=row["sha256"])
        looks.append((header, [Prepared.unpack(tuple(hand[name] for name in _PACKED)) for hand in row["hands"] or []]))
    ids = dict(zip(map(id, good), project.add_looks(looks, provenance), strict=True)) if looks else {}
    for row in rows:
        yield {"place": row["place"], "hands": ids.get(id(row)), "error": row["error"], "worker": row["worker"]}


_PACKED = ("model", "model_digest", "delta", "parametric")


def _schema():
    arrow = needed("pyarrow")
    text, number, blob = arrow.string(), arrow.int64(), arrow.large_binary()
    hand = arrow.struct([(name, text if "model" in name else arrow.binary()) for name in _PACKED])
    fields = [("place", text), ("sha256", text), ("content", blob), ("height", number), ("width", number)]
    fields += [("bytes", number), ("error", text), ("worker", number), ("looked", arrow.bool_())]
    return arrow.schema([*fields, ("hands", arrow.list_(hand))])
