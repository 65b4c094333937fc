"""`annotator accept PROJECT HAND... [--side right|left] [--force]`"""

from __future__ import annotations

from typing import Annotated

import typer

from annotator.cli.changing import HandIds, change_state
from annotator.cli.output import JsonOption, ProjectFolder, WhoOption


def command(
    project: ProjectFolder,
    hands: HandIds,
    side: Annotated[
        str | None,
        typer.Option(
            help="Say that these are right, or left, hands: needed where the side was only guessed.", show_default=False
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Accept hands with guessed sides as they are.")] = False,
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Accept hands: they become labels, and leave with the next export."""
    change_state(project, hands, "accepted", who, as_json, side, force)
