"""`propose` on Ray Data: photos are read, hashed and decoded by tasks, looked at by a pool of model actors, stored here.

Only this process writes the project. A batch is stored in one transaction as it arrives, and what is stored is never
looked at again, so a run that was killed goes on where it stopped; a batch that Ray computes twice is stored once. Ray
holds back reading while the actors are busy, and starts dead actors anew with their batch.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from annotator.cluster import sources
from annotator.cluster.engine import Engine, needed
from annotator.errors import InputError
from annotator.project import Project, Provenance
from annotator.project.intake import Header, Prepared, kept_photo, prepare

TRIES = 3  # a worker that cannot be started is tried this often again; one that dies, always


@dataclass(frozen=True)
class Shared:
    """What all actors get once. checkpoint: a file's bytes, None is the embedded model; done: hashes looked at before."""

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
) -> Iterator[dict]:
    """Proposes on photos and stores the answers; yields a dict a photo: place, hands (None: was done), error ("").

    digest: of the model, which the actors load from `checkpoint`. batch: photos an actor takes at a time.
    """
    with engine.connected() as ray:
        done = np.sort(np.array(project.hashes_looked_at(digest), dtype="S64"))
        shared = ray.put(Shared(None if checkpoint is None else Path(checkpoint).read_bytes(), done))
        answers = _pipeline(ray, engine, found, shared, digest, batch)
        provenance, folder = Provenance(name, digest), project.folder
        for block in answers.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
            yield from _store(project, provenance, folder, block.to_pylist())


def _pipeline(ray, engine: Engine, found: sources.Found, shared, digest: str, batch: int):
    """The lazy Ray dataset of answers: one row a photo."""
    data = needed("ray.data")
    context = data.DataContext.get_current()
    context.enable_progress_bars = False
    context.actor_init_retry_on_errors, context.actor_init_max_retries = True, TRIES
    parts = []
    if found.files:
        rows = [{"place": file, "content": b""} for file in found.files]
        parts.append(data.from_items(rows, override_num_blocks=-(-len(rows) // batch)))
    if found.tables:
        groups = [{"table": t, "column": c, "group": g} for t, c in found.tables for g in range(sources.groups(t))]
        tables = data.from_items(groups, override_num_blocks=len(groups))
        parts.append(tables.flat_map(_rows))
    photos = parts[0].union(*parts[1:])
    read = photos.map_batches(_read, batch_size=batch, batch_format="pyarrow", fn_kwargs={"shared": shared}, num_cpus=0.25)
    return read.map_batches(
        Proposer,
        fn_constructor_kwargs={"shared": shared, "digest": digest, "cpus": engine.cpus, "gpus": engine.gpus},
        batch_size=None,
        batch_format="pyarrow",
        compute=data.ActorPoolStrategy(size=engine.actors(ray), max_tasks_in_flight_per_actor=2),
        num_cpus=max(engine.cpus - 0.25, 0.5),
        num_gpus=engine.gpus or None,
    )


def _rows(row: dict) -> list[dict]:
    """The photos of one row group of a table."""
    return list(sources.rows(row["table"], row["column"], row["group"]))


def _read(block, shared):
    """Reads, hashes and decodes: adds sha256, height, width, pixels, error; photos that are done keep nothing."""
    arrow = needed("pyarrow")
    done = _value(shared).done
    return arrow.Table.from_pylist([_decoded(row, done) for row in block.to_pylist()], _READ(arrow))


def _decoded(row: dict, done: np.ndarray) -> dict:
    from annotator.vision.photos import decode_photo

    place, content = row["place"], row["content"]
    here = not sources.is_url(place) and not content
    answer = {"place": place, "sha256": "", "content": b"", "height": 0, "width": 0, "pixels": b"", "bytes": 0, "error": ""}
    try:
        content = content or sources.content_of(place)
        answer |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        key = np.bytes_(answer["sha256"])
        at = np.searchsorted(done, key)
        if at < len(done) and done[at] == key:
            return answer
        photo = decode_photo(content, place)
        answer |= {"height": photo.shape[0], "width": photo.shape[1], "pixels": photo.tobytes()}
        # a photo with no file on this file system travels on, to be kept in the project
        return answer if here else answer | {"content": content}
    except InputError as error:
        return answer | {"error": str(error)}


class Proposer:
    """A model actor. Loads the checkpoint once; a batch in, its answers out; a photo that breaks spoils no other."""

    def __init__(self, shared, digest: str, cpus: float, gpus: float):
        import torch

        from annotator.model import load_model

        torch.set_num_threads(max(1, int(cpus)))
        checkpoint = _value(shared).checkpoint
        with tempfile.TemporaryDirectory() as folder:
            path = None
            if checkpoint is not None:
                path = Path(folder) / "model.safetensors"
                path.write_bytes(checkpoint)
            self.model = load_model(path, device="cuda" if gpus else "cpu")
        if self.model.digest != digest:
            raise RuntimeError(f"a worker's model is {self.model.digest}, expected {digest}: other versions are installed")

    def __call__(self, block):
        arrow = needed("pyarrow")
        rows = block.to_pylist()
        fresh = [row for row in rows if row["pixels"]]
        photos = [np.frombuffer(r.pop("pixels"), np.uint8).reshape(r["height"], r["width"], 3) for r in fresh]
        try:
            answers = [[prepare(mesh).pack() for mesh in hands] for hands in self.model.propose_many(photos, batch=len(photos))]
        except Exception:  # noqa: BLE001  which photo it was is found out one by one
            answers = [self._alone(row, photo) for row, photo in zip(fresh, photos, strict=True)]
        for row, hands in zip(fresh, answers, strict=True):
            row["hands"] = [dict(zip(_PACKED, hand, strict=True)) for hand in hands]
        return arrow.Table.from_pylist(
            [{"worker": os.getpid(), "looked": bool(row["height"])} | row for row in rows], _ANSWERED(arrow)
        )

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
        looks.append((header, [Prepared.unpack(tuple(hand[name] for name in _PACKED)) for hand in row["hands"] or []]))
    ids = dict(zip(map(id, good), project.add_looks(looks, provenance), strict=True)) if looks else {}
    for row in rows:
        yield {"place": row["place"], "hands": ids.get(id(row)), "error": row["error"], "worker": row["worker"]}


def _value(shared):
    """What a reference stands for (Ray passes references inside keyword arguments on as they are)."""
    ray = needed("ray")
    return ray.get(shared) if isinstance(shared, ray.ObjectRef) else shared


_PACKED = ("model", "model_digest", "record", "parametric")


def _fields(arrow, *more):
    text, number, blob = arrow.string(), arrow.int64(), arrow.large_binary()
    fields = [("place", text), ("sha256", text), ("content", blob), ("height", number), ("width", number)]
    return arrow.schema([*fields, ("bytes", number), ("error", text), *more])


def _READ(arrow):
    return _fields(arrow, ("pixels", arrow.large_binary()))


def _ANSWERED(arrow):
    hand = arrow.struct([(name, arrow.string() if "model" in name else arrow.binary()) for name in _PACKED])
    return _fields(arrow, ("worker", arrow.int64()), ("looked", arrow.bool_()), ("hands", arrow.list_(hand)))
