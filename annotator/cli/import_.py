"""`annotator import DATASET --format F --project DIR`"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from annotator.cli.support.output import JsonOption, WhoOption, emit, one_of, progress
from annotator.formats.table import readers


def command(
    dataset: Annotated[Path, typer.Argument(help="The data set's folder or file.", show_default=False)],
    project: Annotated[Path, typer.Option(help="The project's folder; made if it is missing.", show_default=False)],
    format: Annotated[
        str,
        typer.Option(
            help=one_of(readers()),
            show_default=False,
        ),
    ],
    accept: Annotated[bool, typer.Option("--accept", help="Accept hands of which every label is a person's.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at a broken record instead of leaving it out.")
    ] = False,
    limit: Annotated[int, typer.Option(help="At most this many hands (0: all).", min=0)] = 0,
    hand: Annotated[
        str, typer.Option(help="free, or mano: hands with MANO's parameters become hands of your own MANO.")
    ] = "free",
    model: Annotated[
        Path | None,
        typer.Option(help="Checkpoint that fits hands without a mesh; default: the shipped one.", show_default=False),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a data set's hands into a project: photos by reference, keypoints as labels, a mesh fitted to them."""
    import inspect
    from contextlib import AbstractContextManager, nullcontext
    from itertools import islice

    from annotator.errors import InputError
    from annotator.formats import reader
    from annotator.formats.core.details import skipping, whole

    if hand not in ("free", "mano"):
        raise InputError(f"unknown hand model {hand!r}: expected free or mano")
    module = reader(format)
    if not dataset.exists():
        raise InputError(f"there is no {dataset}")
    from annotator.formats.transfer.to_project import import_records, photo_place
    from annotator.hand import load_hand
    from annotator.project import Project

    mano = load_hand("mano") if hand == "mano" else None

    def network():
        from annotator import model as models

        return models.load_model(model, device=device)

    skipped: AbstractContextManager[list[str]] = nullcontext([]) if strict else skipping()
    with Project.open_or_create(project, who) as opened, skipped as broken:
        archive = "photos" in inspect.signature(module.read).parameters
        options = {"photos": photo_place(opened, dataset)} if archive else {}
        records = whole(module.read(dataset, **options))
        records = progress(islice(records, limit or None), "import", limit or None)
        done = import_records(opened, records, f"{format}:{dataset.resolve()}", network, accept, mano)
        left_out = [{"hand": hand, "error": why} for hand, why in done.left_out]
        left_out += [{"hand": "", "error": why} for why in broken]
    for entry in left_out:
        print(f"annotator: left out: {' '.join((entry['hand'] + ' ' + entry['error']).split())}", file=sys.stderr)
    if not done.hands and not done.done_before:
        why = f": {left_out[0]['error']}" if left_out else ""
        raise InputError(f"no hand of {dataset} could be imported{why}")
    result = {
        "project": str(project), "format": format, "hands": done.hands, "own_mesh": done.own_mesh,
        "fitted": done.fitted, "done_before": done.done_before, "left_out": left_out,
    }  # fmt: skip
    text = f"{done.hands} hands imported into {project} ({done.fitted} fitted to their keypoints)"
    text += f"; {done.done_before} were there already" if done.done_before else ""
    text += f"; {len(left_out)} left out" if left_out else ""
    emit(as_json, result, text)
