"""`annotator repair PROJECT --out NEW`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from annotator.cli.support.output import JsonOption, ProjectFolder, emit

MOST = 20  # hands that are named one by one


def command(
    project: ProjectFolder,
    out: Annotated[Path, typer.Option(help="The folder of the new project.", show_default=False)],
    as_json: JsonOption = False,
) -> None:
    """Save every hand of a damaged project whose events are whole into a new one, and say which are not."""
    from annotator.project.safety.repairing import repair

    result = repair(project, out)
    lost = [f"lost: hand {hand}: {why}" for hand, why in result["lost"].items()]
    lines = [f"{result['hands']} hands saved in {out}, with {result['events']} events", *lost[:MOST]]
    if len(lost) > MOST:
        lines.append(f"and {len(lost) - MOST} more (--json lists all)")
    if result["events_lost"]:
        lines.append(f"{result['events_lost']} events of the journal are in no whole page, or belong to lost hands")
    emit(as_json, result, "\n".join(lines))
