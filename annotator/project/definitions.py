"""A project's joint definition: a file that each round leaves beside its checkpoint, the newest adopted one in
force."""

from __future__ import annotations

import json
from pathlib import Path

from annotator.files.file_errors import reading
from annotator.hand.definitions import ANATOMICAL, JointDefinition

FILE = "definition.json"
ROUNDS = "rounds"


def definition_files(folder: Path) -> list[Path]:
    """The definitions of a project's rounds, oldest first."""
    found = (folder / ROUNDS).glob(f"[0-9][0-9][0-9]*/{FILE}")
    return sorted(found, key=lambda path: int(path.parent.name))


def definition_of_project(folder: Path) -> JointDefinition:
    """The newest definition that a round adopted; anatomical where there is none. InputError if its file is damaged."""
    for path in reversed(definition_files(folder)):
        values = read(path)
        if values.get("adopted"):
            return JointDefinition.from_dict(values["definition"])
    return ANATOMICAL


def read(path: Path) -> dict:
    """What a round wrote: definition (see `JointDefinition.as_dict`), adopted, and from what it was learned."""
    with reading(path, "is damaged", ValueError):
        values = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(values, dict) or not isinstance(values.get("definition"), dict):
            raise ValueError("it holds no definition")
        return values
