"""`annotator reject PROJECT HAND...`"""

from __future__ import annotations

from annotator.cli.changing import HandIds, change_state
from annotator.cli.output import JsonOption, ProjectFolder, WhoOption


def command(project: ProjectFolder, hands: HandIds, who: WhoOption = None, as_json: JsonOption = False) -> None:
    """Reject hands: they stay in the project and never leave as labels."""
    change_state(project, hands, "rejected", who, as_json)
