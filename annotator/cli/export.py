"""`annotator export PROJECT --format F --out DIR`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from annotator.cli.output import JsonOption, ProjectFolder, emit, progress


def command(
    project: ProjectFolder,
    out: Annotated[Path, typer.Option(help="The folder to make.", show_default=False)],
    format: Annotated[
        str,
        typer.Option(
            help="freihand, ho3d, coco-wholebody, hamer-npz, hamer-tar, parquet, gltf, obj or ply."
        ),
    ] = "freihand",
    state: Annotated[
        list[str] | None,
        typer.Option(
            help="Hands in this state (may be repeated). Default: accepted ones only.", show_default=False
        ),
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
    split_by: Annotated[str, typer.Option(help="What a split never tears apart: photo, subject or sequence.")] = "photo",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier export.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write accepted hands as a data set."""
    from annotator.errors import InputError
    from annotator.formats import writer
    from annotator.formats.filters import Filter
    from annotator.formats.from_project import labelled_hands
    from annotator.formats.refit import Residuals, refitted
    from annotator.hand import load_hand
    from annotator.project import Project

    module, states = writer(format), state or ["accepted"]
    wanted = Filter(min_confidence, 0.0, min_corrected, max_sigma or float("inf"), part, held, split_by)
    with Project.open(project) as opened:
        count = len(opened.hands(states, copies=False))
        if not count:
            raise InputError(f"no {' or '.join(states)} hands in {project}: nothing to export")
        records = wanted(progress(labelled_hands(opened, states), "export", count))
        records = counted(records, unaccepted := [])
        if hand:
            left_over = Residuals()
            records = refitted(records, load_hand(hand), left_over)
        result = module.write(records, out, overwrite, licence)
    text = f"{result['hands']} hands written to {out}"
    if hand:
        result |= {"hand_model": hand, "refit": left_over.as_dict()}
        text += f"; {hand} fitted, mean residual {result['refit']['joints_mm']:.1f} mm at joints, "
        text += f"{result['refit']['surface_mm']:.1f} mm at the surface"
    if unaccepted:
        text += f"; {len(unaccepted)} of them no person accepted (marked in the data set)"
    emit(as_json, {"format": format, "states": states, "unaccepted": len(unaccepted), **result}, text)


def counted(records, unaccepted: list[str]):
    """The records as they are; ids of those that no person accepted go to the list."""
    for record in records:
        if record.state != "accepted":
            unaccepted.append(record.id)
        yield record
