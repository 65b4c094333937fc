"""`annotator track VIDEOS... --project DIR`: hands with one identity through videos; a project's tracks."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotator.cli.proposing.propose import DeviceOption, ModelOption
from annotator.cli.support.engines import CpusOption, EngineOption, GpusOption, WorkersOption, engine_of
from annotator.cli.support.output import JsonOption, WhoOption, emit
from annotator.cli.support.stages import Stages

if TYPE_CHECKING:
    from annotator.cluster import Engine
    from annotator.project import Project
    from annotator.tracking.storing import Stored


def command(
    videos: Annotated[
        list[str],
        typer.Argument(
            metavar="VIDEOS... | PROJECT",
            help="Videos, numbered images (walk/%06d.png), TIFF stacks. A project's folder alone: its tracks are "
            "listed, or labels are carried through them (--propagate, --next).",
            show_default=False,
        ),
    ],
    project: Annotated[
        str | None,
        typer.Option(
            "--project", metavar="PROJECT", help="Where hands are stored; made if missing.", show_default=False
        ),
    ] = None,
    model: ModelOption = None,
    device: DeviceOption = "auto",
    every: Annotated[
        str | None, typer.Option(help="Time from frame to frame, as 0.1s; default: every frame.", show_default="0")
    ] = None,
    frames: Annotated[
        str | None, typer.Option(help="These frames alone, as 100:400 (100 to 399) or 100:400:2.", show_default="all")
    ] = None,
    fps: Annotated[float | None, typer.Option(help="So many frames of each second; instead of --every.")] = None,
    rate: Annotated[
        float, typer.Option(help="Frames a second of numbered images and TIFF stacks, which have no clock.", min=0.001)
    ] = 25.0,
    again: Annotated[float, typer.Option(help="Seconds between searches for hands that came.", min=0.0)] = 1.0,
    propagate: Annotated[
        str,
        typer.Option(
            metavar="HAND",
            help="Carry this hand's labels through its track, until they say nothing.",
            show_default=False,
        ),
    ] = "",
    direction: Annotated[str, typer.Option(help="Of --propagate: forward, backward or both.")] = "both",
    undo: Annotated[str, typer.Option(metavar="BATCH", help="Take a propagation back.", show_default=False)] = "",
    next_frames: Annotated[
        int, typer.Option("--next", help="List so many hands whose correction helps their tracks most.", min=0)
    ] = 0,
    engine: EngineOption = "local",
    stretch: Annotated[
        float, typer.Option(help="On Ray: seconds of a long video that one worker follows; 0: all of it.", min=0.0)
    ] = 60.0,
    workers: WorkersOption = 0,
    worker_cpus: CpusOption = 1.0,
    worker_gpus: GpusOption = 0.0,
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Follow the hands of videos through their frames and store them, smoothed, with who is who and what is doubtful.

    Run again, it goes on where it stopped. Hands that a person touched are never changed; they join their track. On Ray
    several videos are followed at once, and a long one in stretches that are joined.
    """
    from annotator.errors import InputError

    if project is None:
        from annotator.vision.video import is_video

        if len(videos) != 1 or is_video(videos[0]):
            raise InputError("say with --project where the hands of these videos are to be stored")
        return _of_project(videos[0], propagate, direction, undo, next_frames, who, as_json)
    if propagate or undo or next_frames:
        raise InputError("--propagate, --undo and --next take a project alone, without videos")
    elsewhere = engine_of(engine, workers, worker_cpus, worker_gpus)
    _track(videos, project, model, device, (every, frames, fps, rate, again), elsewhere, stretch, who, as_json)


def _track(videos, project, model, device, chosen, engine, stretch, who, as_json) -> None:
    from annotator.cli.support.proposing import checkpoint_of
    from annotator.errors import InputError
    from annotator.files.photo_paths import photo_files
    from annotator.model import load_model
    from annotator.project import Project
    from annotator.tracking.following import Following
    from annotator.tracking.storing import store_tracks
    from annotator.vision.video import Choice, is_video, open_video

    every, frames, fps, rate, again = chosen
    choice = Choice.of("0" if every is None and fps is None else every, frames, fps)
    start = time.perf_counter()
    files, empty = photo_files(videos)
    sources = [open_video(file, rate) for file in files if is_video(file)]
    if not sources:
        raise InputError("; ".join(f"{name}: {why}" for name, why in empty) or f"{videos[0]} is no video")
    for source in sources:  # what is wrong must not leave an empty project behind
        if not len(choice.rows(source)):
            raise InputError(f"no frame of {source.path} is chosen")
    if model is not None:
        load_model(model, device=device)
    with Project.open_or_create(project, who) as opened:
        checkpoint, name = checkpoint_of(opened, model)
        follow = Following(again=again)
        if engine is None:
            loaded = load_model(checkpoint, device=device)
            done = []
            for source in sources:
                with Stages(as_json) as stages:
                    told = lambda n, all: stages("track", n, all)  # noqa: E731, B023 (used up within the turn)
                    done.append(store_tracks(opened, loaded, source, choice, name, None, follow, progress=told))
        else:
            given = [(source, rate) for source in sources]
            done = _on_ray(opened, engine, given, choice, name, checkpoint, follow, stretch)
    results = [
        {
            "video": str(source.path), "frames": one.frames, "skipped": one.skipped, "hands": one.hands,
            "bridged": one.bridged, "searched": one.searched, "tracks": sorted(one.tracks), "failed": one.failed,
        }
        for source, one in zip(sources, done, strict=True)
    ]  # fmt: skip
    lines = [
        f"{Path(source.path).name}: {one.hands} hands on {len(one.tracks)} tracks in {one.frames} frames "
        f"({one.bridged} bridged, {one.searched} frames searched"
        + (f"; {one.skipped} were done already" if one.skipped else "")
        + (f"; {len(one.failed)} could not be used" if one.failed else "")
        + ")"
        for source, one in zip(sources, done, strict=True)
    ]
    seconds = round(time.perf_counter() - start, 2)
    emit(as_json, {"project": str(project), "videos": results, "seconds": seconds}, "\n".join(lines))


def _on_ray(project: Project, engine: Engine, videos, choice, name, checkpoint, following, stretch) -> list[Stored]:
    """What came of each video: the short ones many at once, then each long one in stretches."""
    from annotator.cluster.stretches import is_long, track_long
    from annotator.cluster.tracking import track_videos
    from annotator.model import load_model

    model = load_model(checkpoint, device="cpu")  # the workers' digest must be its own
    long = [n for n, (source, _) in enumerate(videos) if is_long(source, choice, stretch)]
    short = [n for n in range(len(videos)) if n not in long]
    found: dict[int, Stored] = {}
    told: dict[int, tuple[int, int]] = {}
    with Stages(False) as stages, engine.connected():

        def hear(went, numbers) -> None:
            for one in went:
                told[numbers[one.number]] = one.done, one.all
                stages("track", sum(done for done, _ in told.values()), sum(all for _, all in told.values()))
                if one.stored is not None:
                    found[numbers[one.number]] = one.stored

        if short:
            given = [videos[n] for n in short]
            hear(
                track_videos(
                    project, engine, given, choice, name, model.digest, checkpoint, following, lambda: model
                ),
                short,
            )  # fmt: skip
        for n in long:
            hear(track_long(project, engine, videos[n], choice, name, model, checkpoint, following, stretch), [n])
    return [found[number] for number in range(len(videos))]


def _of_project(place, propagate, direction, undo, next_frames, who, as_json) -> None:
    from annotator.errors import InputError
    from annotator.project import Project

    if sum((bool(propagate), bool(undo), bool(next_frames))) > 1:
        raise InputError("--propagate, --undo and --next are said one at a time")
    with Project.open(place, who) as opened:
        if propagate:
            return _carry(opened, propagate, direction, as_json)
        if undo:
            from annotator.tracking.labelling.labels import take_back

            hands = take_back(opened, undo)
            return emit(as_json, {"batch": undo, "hands": hands}, f"{len(hands)} hands are as they were before {undo}")
        if next_frames:
            return _needed(opened, next_frames, as_json)
        tracks = opened.tracks()
    lines = [
        f"track {one.track}: {one.side} hand, {Path(one.video).name} frames {one.first[0]} to {one.last[0]}, "
        f"{one.seen} of {one.hands} seen, {one.doubtful} doubtful, {one.corrected} corrected, {one.accepted} accepted"
        for one in tracks
    ]
    result = {"project": str(place), "tracks": [one.as_dict() for one in tracks]}
    emit(as_json, result, "\n".join(lines) or f"no tracks in {place} (annotator track VIDEO --project {place})")


def _carry(project: Project, hand: str, direction: str, as_json: bool) -> None:
    from annotator.tracking.labelling.labels import propagate

    done = propagate(project, hand, direction)
    ended = ", ".join(f"{way} to {why}" if why == "end" else f"{way} until {why}" for way, why in done.ended.items())
    text = f"{len(done.hands)} hands follow {hand}"
    text += f" (frames {done.first} to {done.last}; {ended})" if done.hands else f" ({ended})"
    text += f"; take it back: annotator track {project.folder} --undo {done.batch}" if done.hands else ""
    emit(as_json, asdict(done) | {"hands": list(done.hands)}, text)


def _needed(project: Project, count: int, as_json: bool) -> None:
    from annotator.tracking.labelling.labels import needed_next

    found = needed_next(project, count)
    lines = [f"{one.id}: {one.joint} (track {one.track}, frame {one.frame}; {one.why})" for one in found]
    emit(as_json, {"hands": [asdict(one) for one in found]}, "\n".join(lines) or "no open hand is left on a track")
