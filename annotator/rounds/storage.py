"""Where rounds are kept: PROJECT/rounds/001, 002, ... each with its samples, checkpoint, report and state.

A round's `state.json` says what it began with and which of its steps are done, so that an interrupted one goes on. No
checkpoint is ever removed; each names its parent.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from annotator.errors import InputError
from annotator.files.atomic import put_text
from annotator.files.file_errors import reading, writing
from annotator.project import Project
from annotator.project.definitions import ROUNDS

CHECKPOINT = "checkpoint.safetensors"
STATE = "state.json"
HELD = "held.json"  # errors of the held-out hands, one by one


@contextlib.contextmanager
def opened_project(project: Project | str | Path, who: str | None = None) -> Iterator[Project]:
    """The project itself, or the one in this place, closed afterwards."""
    if isinstance(project, Project):
        yield project
        return
    with Project.open(project, who) as found:
        yield found


def rounds_folder(project: Project) -> Path:
    return project.folder / ROUNDS


def round_folders(project: Project) -> list[Path]:
    """The rounds that were begun, oldest first."""
    found = rounds_folder(project).glob("[0-9][0-9][0-9]*/" + STATE)
    return sorted((path.parent for path in found), key=lambda path: int(path.name))


def read_state(folder: Path) -> dict:
    """A round's state. InputError if the file is damaged."""
    with reading(folder / STATE, "is damaged", ValueError, RecursionError):
        state = json.loads((folder / STATE).read_text())
        if not isinstance(state, dict) or not isinstance(state.get("done"), list):
            raise ValueError("no state")
        return state


def write_json(path: Path, value: dict) -> None:
    """Whole and on disk, or as it was. InputError if it cannot be written."""
    put_text(path, json.dumps(value, indent=1) + "\n")


def current_checkpoint(project: Project | str | Path) -> Path | None:
    """The checkpoint that the project's last promoted round left; None: no round was promoted, the shipped model
    holds."""
    with opened_project(project) as project:
        for folder in reversed(round_folders(project)):
            if read_state(folder).get("promoted") and (folder / CHECKPOINT).is_file():
                return folder / CHECKPOINT
    return None


@contextlib.contextmanager
def one_at_a_time(project: Project) -> Iterator[None]:
    """InputError if another process makes a round of this project just now; a killed one's hold ends with it."""
    folder = rounds_folder(project)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / ".lock").open("a")
    with file:
        try:
            import fcntl
        except ImportError:  # no such locks on Windows
            fcntl = None  # type: ignore[assignment]
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise InputError(f"another round of {project.folder} is running: wait for it") from error
        yield
