"""`annotator next PROJECT`: the hand to look at next, taken so that nobody else gets it."""

from __future__ import annotations

from typing import Annotated

import typer

from annotator.cli.support.output import JsonOption, ProjectFolder, WhoOption, emit


def command(
    project: ProjectFolder,
    take: Annotated[bool, typer.Option("--take/--look", help="Lease it for ten minutes, or only say which.")] = True,
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Name the open hand that the network is least sure of and that nobody else works on."""
    from annotator.project import Project

    with Project.open(project, who) as opened:
        hand = opened.next_hand(lease=take)
    emit(as_json, {"id": hand, "leased": take and hand is not None}, hand or "no open hand is left")
