"""`annotator export PROJECT --format F --out DIR`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from annotator.cli.output import JsonOption, ProjectFolder, emit, progress


def command(
    project: ProjectFolder,
    out: Annotated[Path, typer.Option(help="The folder to make.", show_default=False)],
    format: Annotated[str, typer.Option(help="The data set's layout: freihand.")] = "freihand",
    state: Annotated[
        list[str] | None,
        typer.Option(
            help="Hands in this state (may be repeated). Default: accepted ones only.", show_default=False
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier export.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write accepted hands as a data set."""
    from annotator.errors import InputError
    from annotator.formats import writer
    from annotator.formats.from_project import labelled_hands
    from annotator.project import Project

    module, states = writer(format), state or ["accepted"]
    with Project.open(project) as opened:
        chosen = opened.hands(states, copies=False)
        count = len(chosen)
        if not count:
            raise InputError(f"no {' or '.join(states)} hands in {project}: nothing to export")
        records = progress(labelled_hands(opened, states), "export", count)
        result = module.write(records, out, overwrite)
    unaccepted = sum(entry.state != "accepted" for entry in chosen)
    text = f"{result['hands']} hands written to {out}"
    text += f"; {unaccepted} of them no person accepted (marked in the data set)" if unaccepted else ""
    emit(as_json, {"format": format, "states": states, "unaccepted": unaccepted, **result}, text)
