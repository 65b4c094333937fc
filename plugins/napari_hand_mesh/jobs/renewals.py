"""Renewed meshes of a person's hands, in threads beside the window; without Qt and napari."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from annotator.errors import InputError
from annotator.project import Project
from annotator.project.records.views import Renewal


def offered(folder: Path, name: str) -> tuple[list[Renewal], list[Renewal]]:
    """See `Subjects.renewals`."""
    with Project.open(folder) as project:
        return project.subjects.renewals(name)


def renew(folder: Path, hands: Sequence[str], who: str) -> tuple[int, list[str]]:
    """Give these hands their subject's shape, as `who`; how many have it now, and why others do not."""
    done, left = 0, []
    with Project.open(folder, who) as project:
        for hand in hands:
            try:
                project.subjects.renew(hand)
                done += 1
            except InputError as error:
                left.append(str(error))
    return done, left
