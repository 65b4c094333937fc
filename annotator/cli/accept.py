"""`annotator accept PROJECT HAND...`"""

from __future__ import annotations

from annotator.cli.changing import HandIds, change_state
from annotator.cli.output import JsonOption, ProjectFolder, WhoOption


def command(project: ProjectFolder, hands: HandIds, who: WhoOption = None, as_json: JsonOption = False) -> None:
    """Accept hands: they become labels, and leave with the next export."""
    change_state(project, hands, "accepted", who, as_json)
