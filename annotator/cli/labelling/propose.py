"""`annotator propose PHOTOS/VIDEOS... --project DIR`: find hands, propose meshes, store them."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotator.cli.support.engines import CpusOption, EngineOption, GpusOption, WorkersOption, engine_of
from annotator.cli.support.output import JsonOption, ProjectOption, WhoOption, emit, progress
from annotator.files.photo_paths import photo_files, read_ahead

if TYPE_CHECKING:
    import numpy as np

    from annotator.cluster import Engine
    from annotator.cluster.sources import Found
    from annotator.hand.mesh import HandMesh
    from annotator.model import Model
    from annotator.project import Project
    from annotator.proposers import Proposer

ModelOption = Annotated[
    Path | None,
    typer.Option(
        "--model",
        help="A checkpoint; default: what a round of the project promoted, else the shipped.",
        show_default=False,
    ),
]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu or cuda.")]


def command(
    photos: Annotated[
        list[str],
        typer.Argument(
            metavar="PHOTOS...",
            help="Image files and videos, folders of them, patterns, numbered images (walk/%06d.png), TIFF stacks; "
            "with Ray also Parquet files and URLs (s3://...).",
            show_default=False,
        ),
    ],
    project: ProjectOption,
    database: Annotated[
        str | None,
        typer.Option(help="URL of a PostgreSQL database to share the project in.", show_default=False),
    ] = None,
    model: ModelOption = None,
    device: DeviceOption = "auto",
    batch: Annotated[int, typer.Option(help="Hands in one pass of the network.", min=1, max=1024)] = 16,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="One look at each photo: a third of the time, but small hands may be missed."),
    ] = False,
    proposer: Annotated[
        str,
        typer.Option(help="network, files:PREDICTIONS (another network's, .npz or .json), or one that a package adds."),
    ] = "network",
    every: Annotated[
        str | None,
        typer.Option(help="Of videos: time from frame to frame, as 0.5s or 40ms; 0 takes all.", show_default="0.5s"),
    ] = None,
    frames: Annotated[
        str | None,
        typer.Option(
            help="Of videos: these frames alone, as 100:400 (100 to 399), 100:400:5 or 7,120.", show_default="all"
        ),
    ] = None,
    fps: Annotated[
        float | None, typer.Option(help="Of videos: so many frames of each second; instead of --every.")
    ] = None,
    rate: Annotated[
        float, typer.Option(help="Frames a second of numbered images and TIFF stacks, which have no clock.", min=0.001)
    ] = 25.0,
    subject: Annotated[
        str | None,
        typer.Option(help="Whose hands these photos show, see `annotator subject`.", show_default=False),
    ] = None,
    engine: EngineOption = "local",
    workers: WorkersOption = 0,
    worker_cpus: CpusOption = 1.0,
    worker_gpus: GpusOption = 0.0,
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find hands in photos and videos, propose a mesh for each and store them; what is done already is skipped.

    A video is not copied: each frame that was looked at is a photo of the project, with its number and its time.
    """
    from annotator.errors import InputError
    from annotator.vision.video.choosing import Choice
    from annotator.vision.video.expanding import expanded

    start, choice = time.perf_counter(), Choice.of(every, frames, fps)
    elsewhere = engine_of(engine, workers, worker_cpus, worker_gpus)
    if proposer != "network" and (elsewhere is not None or model is not None or quick):
        raise InputError(f"--proposer {proposer} takes no --model, --quick or --engine")
    if subject is not None and (elsewhere is not None or proposer != "network"):
        raise InputError(
            "--subject goes with neither --engine nor --proposer: say it afterwards by `annotator subject`"
        )
    if elsewhere is not None:
        from annotator.cluster import sources

        found = sources.find(photos)
        if not found.files and not found.tables:
            raise InputError("; ".join(f"{name}: {why}" for name, why in found.empty))
        elsewhere_too = [one for one in found.files if sources.is_url(one)]  # a URL is no path: it stays as it is
        here = [one for one in found.files if not sources.is_url(one)]
        found.files = [*elsewhere_too, *(str(file) for file in expanded(here, choice, rate))]
        if model is not None:
            from annotator.network.checkpoint import load_checkpoint

            load_checkpoint(model)  # a wrong name must not leave an empty project behind
        with _opened(project, who, database) as opened:
            done = propose_on_ray(opened, elsewhere, found, model, batch, quick)
        _report(done, found.empty, project, start, as_json)
        return
    files, empty = photo_files(photos)
    if not files:
        raise InputError("; ".join(f"{name}: {why}" for name, why in empty))
    for name, why in empty:
        say_skipped(f"{name}: {why}")
    files = list(expanded(files, choice, rate))

    if proposer != "network":
        from annotator.proposers import build_proposer

        asked = build_proposer(proposer, device)
        with _opened(project, who, database) as opened:
            done = propose_by(opened, asked, files, proposer)
        _report(done, empty, project, start, as_json)
        return

    from annotator.model import load_model

    if model is not None:
        load_model(model, device=device)  # a wrong name must not leave an empty project behind
    with _opened(project, who, database) as opened:
        checkpoint, name = _checkpoint(opened, model)
        loaded = load_model(checkpoint, device=device)
        loaded.quick = quick
        done = propose_photos(opened, loaded, files, name, batch, subject=subject)
    _report(done, empty, project, start, as_json)


def _opened(project: str, who: str | None, database: str | None) -> Project:
    from annotator.project import Project

    return Project.open_or_create(project, who, database)


def _checkpoint(project: Project, model: Path | None) -> tuple[Path | None, str]:
    """(the checkpoint to propose with, None is the shipped one; its name for people)."""
    from annotator.rounds import current_checkpoint

    promoted = current_checkpoint(project)
    name = model.name if model else f"round {int(promoted.parent.name)}" if promoted else "default"
    return model or promoted, name


def _report(done: Done, empty: list[tuple[str, str]], project: str, start: float, as_json: bool) -> None:
    from annotator.errors import InputError

    if not done.photos and not done.skipped:
        others = f" (and {len(done.failed) - 1} more)" if len(done.failed) > 1 else ""
        raise InputError(f"no photo could be read: {done.failed[0][1]}{others}")
    result = {
        "project": str(project),
        "photos": done.photos,
        "photos_with_hand": done.photos_with_hand,
        "hands": done.hands,
        "skipped": done.skipped,
        "failed": [{"photo": name, "error": why} for name, why in [*empty, *done.failed]],
        "seconds": round(time.perf_counter() - start, 2),
    }
    text = f"{done.hands} hands in {done.photos_with_hand} of {done.photos} photos, stored in {project}"
    text = text if done.photos else f"nothing new for {project}"
    text += f"; {done.skipped} photos were done already" if done.skipped else ""
    failed = len(empty) + len(done.failed)
    text += f"; {failed} could not be used" if failed else ""
    emit(as_json, result, text)


@dataclass
class Done:
    """What came of photos: how many were looked at, gave a hand, were skipped; (file, why) of the failed."""

    photos: int = 0
    photos_with_hand: int = 0
    hands: int = 0
    skipped: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)


def propose_photos(
    project: Project,
    model: Model,
    files: Sequence[Path],
    name: str,
    batch: int = 16,
    stored: Callable[[Path, list[str], list[HandMesh]], None] | None = None,
    subject: str | None = None,
) -> Done:
    """Propose on photos and store the answers, photo by photo, so that an interrupted run goes on where it
    stopped. files: of photos, or the places of frames (`clip.mp4#frame=120`).

    A photo whose content this very model (its digest) has looked at is skipped; one that cannot be read is
    named on stderr. name: of the model, for its provenance. stored: called with each photo, its new hands'
    ids and the meshes. subject: whose hands all of them show; where the project knows the shape of a photo's subject,
    hands have it.
    """
    from annotator.project import Provenance

    done, provenance, seen = Done(), Provenance.of(name, model.digest, model.quick), set()
    waiting: deque[tuple[Path, tuple[int, int]]] = deque()

    def decoded() -> Iterator[np.ndarray]:
        looks = read_ahead(files, lambda path: _look(project, model.digest, path))
        for path, sha256, photo, why in progress(looks, "propose", len(files)):
            if why:
                done.failed.append((str(path), why))
                say_skipped(why)
            elif photo is None or sha256 in seen:
                done.skipped += 1
            else:
                seen.add(sha256)
                waiting.append((path, photo.shape[:2]))
                yield photo

    for hands in model.propose_many(decoded(), batch=batch):
        path, size = waiting.popleft()
        photo_id = project.add_photo(path, size)
        if subject is not None:
            project.subjects.assign(subject, [photo_id])
        shape = project.subjects.shape_for(photo_id) if hands else None
        if shape is None:
            ids = project.add_proposals(photo_id, hands, provenance)
        else:
            untold, hands = hands, [model.of_subject(hand, shape) for hand in hands]
            ids = project.add_proposals(photo_id, hands, provenance, untold)
        done.photos += 1
        done.photos_with_hand += bool(ids)
        done.hands += len(ids)
        if stored is not None:
            stored(path, ids, hands)
    return done


def propose_by(project: Project, proposer: Proposer, files: Sequence[Path], name: str) -> Done:
    """`propose_photos` by any `Proposer`; name: of it, for the provenance."""
    from annotator.errors import InputError
    from annotator.project import Provenance

    done, provenance = Done(), Provenance(name, proposer.digest)
    for path in progress(files, "propose", len(files)):
        path, _, photo, why = _look(project, proposer.digest, path)
        if not why and photo is not None:
            try:
                hands = proposer.propose(photo, path=path)
            except InputError as error:
                why = str(error)
        if why:
            done.failed.append((str(path), why))
            say_skipped(why)
        elif photo is None:
            done.skipped += 1
        else:
            ids = project.add_proposals(project.add_photo(path, photo.shape[:2]), hands, provenance)
            done.photos += 1
            done.photos_with_hand += bool(ids)
            done.hands += len(ids)
    return done


def propose_on_ray(
    project: Project, engine: Engine, found: Found, model: Path | None, batch: int = 16, quick: bool = False
) -> Done:
    """`propose_photos` by the workers of a Ray cluster."""
    from annotator.cluster.proposing import propose_photos as answers
    from annotator.network.checkpoint import checkpoint_digest, load_checkpoint

    model, name = _checkpoint(project, model)
    digest = checkpoint_digest(load_checkpoint(model)[0])
    for name, why in found.empty:
        say_skipped(f"{name}: {why}")
    done = Done()
    total = None if found.tables else len(found.files)
    for answer in progress(answers(project, engine, found, name, digest, model, batch, quick), "propose", total):
        if answer["error"]:
            done.failed.append((answer["place"], answer["error"]))
            say_skipped(answer["error"])
        elif answer["hands"] is None:
            done.skipped += 1
        else:
            done.photos += 1
            done.photos_with_hand += bool(answer["hands"])
            done.hands += len(answer["hands"])
    return done


def _look(project: Project, digest: str, path: Path) -> tuple[Path, str, np.ndarray | None, str]:
    """(path, content's SHA-256, photo or None if it is done already, why it cannot be used or "")."""
    from annotator.errors import InputError
    from annotator.files.given import storable
    from annotator.vision.photos import photo_there, read_photo

    try:
        if not photo_there(path):
            read_photo(path)  # says what is wrong with it
        storable(path)
        sha256 = project.known_as(path)
        done = project.has_photo(sha256, digest)
        return path, sha256, None if done else read_photo(path), ""
    except InputError as error:
        return path, "", None, str(error)


def say_skipped(why: str) -> None:
    """One line on stderr about a photo that is left out."""
    print(f"annotator: skipped: {' '.join(why.split())}", file=sys.stderr)
