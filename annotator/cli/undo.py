"""`annotator undo PROJECT [HAND]`"""

from __future__ import annotations

from annotator.cli.changing import OneHand, move
from annotator.cli.output import JsonOption, ProjectFolder, WhoOption


def command(project: ProjectFolder, hand: OneHand = None, who: WhoOption = None, as_json: JsonOption = False) -> None:
    """Take back the last change of a hand; without one, your own last change (see --who), never another person's."""
    move(project, "undo", hand, who, as_json)
