"""`annotator propose PHOTOS/VIDEOS... --project DIR`: find hands, propose meshes, store them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotator.cli.support.engines import CpusOption, EngineOption, GpusOption, WorkersOption, engine_of
from annotator.cli.support.instants import propose_instants
from annotator.cli.support.output import JsonOption, ProjectOption, WhoOption, emit, progress
from annotator.cli.support.proposing import (
    Done,
    checkpoint_of,
    propose_by,
    propose_on_ray,
    propose_photos,
    say_skipped,
)
from annotator.files.photo_paths import photo_files

if TYPE_CHECKING:
    from annotator.cluster.engine import Engine
    from annotator.project import Project
    from annotator.vision.video.choosing import Choice

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
    project: ProjectOption = "",
    as_csv: Annotated[
        str | None,
        typer.Option(
            "--csv", metavar="FILE", help="Without a project: a table of keypoints; - is stdout.", show_default=False
        ),
    ] = None,
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
    rig: Annotated[
        Path | None,
        typer.Option(
            help="Calibrated cameras of these photos: a hand is one mesh in all of an instant's.", show_default=False
        ),
    ] = None,
    pattern: Annotated[
        str | None, typer.Option(help="With --rig: instants by names, as '{instant}-{camera}.jpg'.", show_default=False)
    ] = None,
    engine: EngineOption = "local",
    workers: WorkersOption = 0,
    worker_cpus: CpusOption = 1.0,
    worker_gpus: GpusOption = 0.0,
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find hands in photos and videos, propose a mesh for each and store them; what is done already is skipped.

    Without --project nothing is stored: --json prints the hands, --csv writes a table of their keypoints.

    A video is not copied: each frame that was looked at is a photo of the project, with its number and its time.
    """
    from annotator.vision.video.choosing import Choice

    _check_output(project, as_csv, as_json)
    start, choice = time.perf_counter(), Choice.of(every, frames, fps)
    elsewhere = engine_of(engine, workers, worker_cpus, worker_gpus)
    _check_together(project, elsewhere is not None, proposer, model, quick, subject, rig, pattern)
    if elsewhere is not None:
        done, empty = _on_ray(project, who, database, elsewhere, photos, choice, rate, model, batch, quick, subject)
        return _report(done, empty, project, start, as_json)
    files, empty = _files(photos, choice, rate)
    if not project:
        return _answer(files, empty, model, device, batch, quick, proposer, as_csv, as_json)
    if proposer != "network":
        from annotator.proposers import build_proposer

        asked = build_proposer(proposer, device)
        with _opened(project, who, database) as opened:
            done = propose_by(opened, asked, files, proposer)
        return _report(done, empty, project, start, as_json)

    from annotator.model import load_model

    if model is not None:
        load_model(model, device=device)  # a wrong name must not leave an empty project behind
    with _opened(project, who, database) as opened:
        checkpoint, name = checkpoint_of(opened, model)
        loaded = load_model(checkpoint, device=device)
        loaded.quick = quick
        first = Done()
        if rig is not None and pattern is not None:
            first = propose_instants(opened, loaded, rig, pattern, photos, name, progress)
        done = propose_photos(opened, loaded, files, name, batch, subject=subject).with_those(first)
    _report(done, empty, project, start, as_json)


def _check_output(project: str, as_csv: str | None, as_json: bool) -> None:
    """InputError where nothing says where hands go, or two things do."""
    from annotator.errors import InputError

    if not project and not as_json and as_csv is None:
        raise InputError("propose needs --project, or, to store nothing, --json or --csv FILE")
    if as_csv is not None and project:
        raise InputError("--csv is for hands that are not stored: leave out --project, or export the project")
    if as_csv == "-" and as_json:
        raise InputError("--csv - and --json both want stdout: give the table a file")


def _check_together(
    project: str,
    elsewhere: bool,
    proposer: str,
    model: Path | None,
    quick: bool,
    subject: str | None,
    rig: Path | None,
    pattern: str | None,
) -> None:
    """InputError for options that do not go together."""
    from annotator.errors import InputError

    if proposer != "network" and (elsewhere or model is not None or quick):
        raise InputError(f"--proposer {proposer} takes no --model, --quick or --engine")
    if subject is not None and proposer != "network":
        raise InputError("--subject does not go with --proposer: say it afterwards by `annotator subject`")
    if (rig is None) != (pattern is None):
        raise InputError("--rig and --pattern go together: which cameras, and which photos are one instant")
    if rig is not None and (elsewhere or proposer != "network" or not project):
        raise InputError("--rig stores what it finds: it needs --project, and takes no --engine and no --proposer")
    if elsewhere and not project:
        raise InputError("--engine ray stores what it finds: it needs --project")


def _files(photos: list[str], choice: Choice, rate: float) -> tuple[list[Path], list[tuple[str, str]]]:
    """Photos and frames of videos, and (name, why) of what names none. InputError where none is left."""
    from annotator.errors import InputError
    from annotator.vision.video.expanding import expanded

    files, empty = photo_files(photos)
    if not files:
        raise InputError("; ".join(f"{name}: {why}" for name, why in empty))
    for name, why in empty:
        say_skipped(f"{name}: {why}")
    return list(expanded(files, choice, rate)), empty


def _on_ray(
    project: str,
    who: str | None,
    database: str | None,
    engine: Engine,
    photos: list[str],
    choice: Choice,
    rate: float,
    model: Path | None,
    batch: int,
    quick: bool,
    subject: str | None,
) -> tuple[Done, list[tuple[str, str]]]:
    """Propose by Ray's workers: what was done, and (name, why) of what names no photo."""
    from annotator.cluster import sources
    from annotator.errors import InputError
    from annotator.vision.video.expanding import expanded

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
        return propose_on_ray(opened, engine, found, model, batch, quick, subject), found.empty


def _answer(files, empty, model, device, batch: int, quick: bool, proposer: str, as_csv, as_json: bool) -> None:
    """The hands of photos as JSON or as a table; nothing is stored."""
    from contextlib import nullcontext

    from annotator.cli.support.answers import by_model, by_proposer, row_of, table

    done, rows = Done(), []
    if proposer != "network":
        from annotator.proposers import build_proposer

        other = build_proposer(proposer, device)
        found, digest, hand_model = by_proposer(other, files, done), other.digest, ""
    else:
        from annotator.model import load_model

        network = load_model(model, device=device)
        network.quick = quick
        found, digest, hand_model = by_model(network, files, done, batch), network.digest, network.hand.name
    with table(as_csv) if as_csv is not None else nullcontext() as into:
        for path, hands in found:
            for hand in hands:
                hand_model = hand_model or hand.hand_model
                rows.extend([row_of(path, hand)] if as_json else [])
                if into is not None:
                    into.add(path, hand)
        done.finish()
    failed = [{"photo": name, "error": why} for name, why in [*empty, *done.failed]]
    result = {"hand_model": hand_model, "model_digest": digest, "photos": done.photos,
              "photos_with_hand": done.photos_with_hand, "failed": failed, "hands": rows}  # fmt: skip
    if as_json:
        emit(True, result, "")
    elif as_csv != "-":
        typer.echo(f"{done.hands} hands in {done.photos_with_hand} of {done.photos} photos, written to {as_csv}")


def _opened(project: str, who: str | None, database: str | None) -> Project:
    from annotator.project import Project

    return Project.open_or_create(project, who, database)


def _report(done: Done, empty: list[tuple[str, str]], project: str, start: float, as_json: bool) -> None:
    done.finish()
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
