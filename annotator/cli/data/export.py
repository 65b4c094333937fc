"""`annotator export PROJECT --format F --out DIR`"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from annotator.cli.support.completing import among
from annotator.cli.support.engines import CpusOption, EngineOption, WorkersOption, engine_of
from annotator.cli.support.output import JsonOption, ProjectFolder, emit, one_of, progress
from annotator.cli.support.stages import Stages
from annotator.formats.table import writers

if TYPE_CHECKING:
    from annotator.cluster.engine import Engine
    from annotator.formats.core.filters import Filter


def command(
    project: ProjectFolder,
    out: Annotated[Path | None, typer.Option(help="The folder to make.", show_default=False)] = None,
    format: Annotated[
        str,
        typer.Option(help=one_of(writers()), autocompletion=among(writers())),
    ] = "freihand",
    state: Annotated[
        list[str] | None,
        typer.Option(help="Hands in this state (may be repeated). Default: accepted ones only.", show_default=False),
    ] = None,
    hand: Annotated[
        str,
        typer.Option(
            help="Fit this hand model (mano, or an .npz) to the hands' joints and surface first.", show_default=False
        ),
    ] = "",
    licence: Annotated[str, typer.Option(help="Of photos and labels, for the data set's card.")] = "",
    min_confidence: Annotated[float, typer.Option(help="The network's, 0..1, at least.", min=0, max=1)] = 0.0,
    min_corrected: Annotated[
        int, typer.Option(help="At least this many keypoints set or confirmed by a person.", min=0, max=21)
    ] = 0,
    max_sigma: Annotated[
        float, typer.Option(help="Median keypoint sigma over the hand's box, at most (0: any).", min=0)
    ] = 0.0,
    part: Annotated[str, typer.Option(help="Of a split: train or held.")] = "",
    held: Annotated[float, typer.Option(help="The held part's share of the split.", min=0, max=0.99)] = 0.2,
    split_by: Annotated[
        str, typer.Option(help="What a split never tears apart: photo, subject or sequence.")
    ] = "photo",
    keep_metadata: Annotated[
        bool,
        typer.Option(
            "--keep-metadata",
            help="Leave in the photos what their files say: GPS places, names, serial numbers, comments.",
        ),
    ] = False,
    skip_changed: Annotated[
        bool, typer.Option("--skip-changed", help="Leave out hands whose photo is gone or shows something else now.")
    ] = False,
    strained: Annotated[
        bool, typer.Option("--strained", help="Also hands with labels that no plausible hand meets.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier export.")] = False,
    overlay: Annotated[
        Path | None,
        typer.Option(
            help="Instead of a data set a video (.mp4, .mov, .mkv) with the meshes drawn into it; hands of all states "
            "but rejected ones.",
            show_default=False,
        ),
    ] = None,
    video: Annotated[
        str | None, typer.Option(help="Of --overlay: which video, where there are several.", show_default=False)
    ] = None,
    engine: EngineOption = "local",
    workers: WorkersOption = 0,
    worker_cpus: CpusOption = 1.0,
    as_json: JsonOption = False,
) -> None:
    """Write accepted hands as a data set. An export that was interrupted goes on when the same command is started
    again."""
    from annotator.errors import InputError
    from annotator.formats.core.filters import Filter

    if overlay is not None:
        return _overlay(project, overlay, video, state, overwrite, as_json)
    if out is None:
        raise InputError("say with --out which folder is to be made, or with --overlay which video")
    if video is not None:
        raise InputError("--video belongs to --overlay")
    states, elsewhere = state or ["accepted"], engine_of(engine, workers, worker_cpus)
    if skip_changed and elsewhere is not None:
        raise InputError("--skip-changed is for the local engine")
    wanted = Filter(min_confidence, 0.0, min_corrected, max_sigma or float("inf"), part, held, split_by, strained)
    export = _Export(project, out, format, states, wanted, hand, licence, keep_metadata, skip_changed, overwrite)
    result, text = _answer(export, *_written(export, elsewhere))
    emit(as_json, {"format": format, "states": states, **result}, text)


@dataclass
class _Export:
    """What is to be written, and `changed`: why hands are left out whose photo is gone or changed."""

    project: str
    out: Path
    format: str
    states: list[str]
    wanted: Filter
    hand: str
    licence: str
    keep_metadata: bool
    skip_changed: bool
    overwrite: bool
    changed: list[str] = field(default_factory=list)

    def said(self, why: str) -> None:
        self.changed.append(why)
        print(f"annotator: left out: {' '.join(why.split())}", file=sys.stderr)


def _written(export: _Export, elsewhere: Engine | None) -> tuple[dict[str, Any], int]:
    """Write the data set: what the writer says of it, and how many hands are left out as strained."""
    from annotator.errors import InputError
    from annotator.files.resuming import Resumable
    from annotator.formats import writer
    from annotator.formats.core.photo_files import keeping_metadata
    from annotator.formats.transfer.from_project import (
        ChangedPhoto,
        entries,
        explained,
        fingerprint,
        left_out,
        numbered_hands,
    )
    from annotator.hand import load_hand
    from annotator.project import Project

    module, states, wanted = writer(export.format), export.states, export.wanted
    with Project.open(export.project) as opened, keeping_metadata(export.keep_metadata):
        opened.check_file()
        digest, count = fingerprint(opened, states)
        if not count:
            raise InputError(f"no {' or '.join(states)} hands in {export.project}: nothing to export")
        strained_out = left_out(opened, wanted, states)
        other = load_hand(export.hand) if export.hand else None
        told = export.said if export.skip_changed else None

        def draw(place: int | None):
            done = 0 if place is None else sum(entry.number <= place for entry in entries(opened, states))
            if elsewhere is not None:
                from annotator.cluster.exporting import numbered

                ready = numbered(elsewhere, export.project, states, wanted, export.hand, place or 0)
            else:
                ready = (_wanted(*pair, wanted, other) for pair in numbered_hands(opened, states, place or 0, told))
            for number, record in progress(ready, "export", count, done):
                if record is not None:
                    yield number, record

        model = other.digest if other else ""
        key = f"{digest} {states} {wanted} {model} {export.keep_metadata} {export.skip_changed}"
        try:
            with explained(strained_out):
                result = module.write(Resumable(key, draw), export.out, export.overwrite, export.licence)
        except ChangedPhoto as error:
            raise InputError(f"{error} (--skip-changed leaves such hands out)") from None
    return result, strained_out


def _answer(export: _Export, result: dict[str, Any], strained_out: int) -> tuple[dict[str, Any], str]:
    """What is said of a written data set, for programs and for people."""
    import json

    from annotator.formats.core.card import CARD
    from annotator.formats.transfer.from_project import left_out_words

    # of all hands, also those that an interrupted start had written
    card = json.loads((export.out / CARD).read_text(encoding="utf-8"))
    unaccepted = card["hands"] - card["by_state"].get("accepted", 0)
    text = f"{result['hands']} hands written to {export.out}"
    if export.hand:
        refit = {
            name.removeprefix("refit_"): value for name, value in card["quality"].items() if name.startswith("refit_")
        }
        result |= {"hand_model": export.hand, "refit": refit}
        if refit:
            text += f"; {export.hand} fitted, mean residual {refit['joints_mm']:.1f} mm at joints, "
            text += f"{refit['surface_mm']:.1f} mm at the surface"
    if export.changed:
        text += f"; {len(export.changed)} left out, whose photo is gone or changed"
    if unaccepted:
        text += f"; {unaccepted} of them no person accepted (marked in the data set)"
    if strained_out:
        text += f"; {left_out_words(strained_out)} (--strained takes them)"
    return {"unaccepted": unaccepted, "strained_left_out": strained_out, "changed": export.changed, **result}, text


def _overlay(
    project: str, out: Path, video: str | None, state: list[str] | None, overwrite: bool, as_json: bool
) -> None:
    from annotator.project import Project
    from annotator.tracking.drawing import SHOWN, overlay_video

    with Project.open(project) as opened, Stages(as_json) as stages:
        done = overlay_video(
            opened, out, video, tuple(state or SHOWN), overwrite, lambda n, all: stages("overlay", n, all)
        )
    emit(
        as_json, done, f"{done['hands']} hands drawn into {done['frames']} frames of {Path(done['video']).name}: {out}"
    )


def _wanted(number: int, record, wanted, other):
    """(number, the record as it leaves), None where it is not wanted."""
    from annotator.formats.mano.refit import refit_or_same

    if record is None or not wanted.keeps(record):
        return number, None
    return number, record if other is None else refit_or_same(record, other)
