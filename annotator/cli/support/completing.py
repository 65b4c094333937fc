"""What a shell completes beyond the names of commands and options: ids of a project's hands, an option's words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

MOST = 200


def among(words: Sequence[str]) -> Callable[[str], list[str]]:
    """What completes an option that takes one of these words."""
    return lambda incomplete: [word for word in words if word.startswith(incomplete)]


def hand_ids(ctx: Any, incomplete: str) -> list[str]:
    """Ids of the project named before on the line that begin so; none where that is no project. A shell must not be
    told of errors."""
    from itertools import islice

    place = ctx.params.get("project")
    if not place or "://" in str(place):  # a server may take its time
        return []
    try:
        from annotator.project import Project

        with Project.open(place) as project:
            found = (entry.id for entry in project.each_hand())
            return list(islice((one for one in found if one.startswith(incomplete)), MOST))
    except Exception:  # noqa: BLE001 - whatever it is, pressing Tab is no time to say so
        return []
