"""`annotator redo PROJECT [HAND]`"""

from __future__ import annotations

from annotator.cli.changing import OneHand, move
from annotator.cli.output import JsonOption, ProjectFolder, WhoOption


def command(project: ProjectFolder, hand: OneHand = None, who: WhoOption = None, as_json: JsonOption = False) -> None:
    """Put what was undone last in force again, of one hand; without one, what you undid."""
    move(project, "redo", hand, who, as_json)
