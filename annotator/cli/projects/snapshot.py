"""`annotator snapshot PROJECT [--out FILE]`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from annotator.cli.support.output import JsonOption, ProjectFolder, emit


def command(
    project: ProjectFolder,
    out: Annotated[Path | None, typer.Option(help="Default: PROJECT/snapshots/TIME.db.", show_default=False)] = None,
    as_json: JsonOption = False,
) -> None:
    """Copy all hands and the whole journal into one file, while others go on working."""
    from annotator.project import Project

    with Project.open(project) as opened:
        path = opened.snapshot(out)
    size = path.stat().st_size
    emit(as_json, {"file": str(path), "bytes": size}, f"{path} ({size / 1e6:.1f} MB)")
