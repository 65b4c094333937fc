"""What `annotator` offers by name has numpydoc sections: every parameter, what comes back, what is raised."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator

import pytest

import annotator
from annotator.hand.mesh import HandMesh, HandParameters
from annotator.model import Model
from annotator.project import Project
from annotator.project.editing import Editing
from annotator.project.entering.labels import LabelIntake
from annotator.project.entering.proposing import Proposing
from annotator.project.entering.renewing import Renewing
from annotator.project.instants.hands import InstantHands
from annotator.project.instants.moments import Instants
from annotator.project.listing import Listing
from annotator.project.photo_files.pictures import Pictures
from annotator.project.safety.safekeeping import Safekeeping
from annotator.project.subjects.service import Subjects
from annotator.project.teamwork.shared import Shared
from annotator.project.tracks import Tracks


def methods(kind: type) -> Iterator[Callable]:
    for name, member in inspect.getmembers(kind, inspect.isfunction):
        if not name.startswith("_"):
            yield member


FUNCTIONS = [getattr(annotator, name) for name in annotator.__all__]
FUNCTIONS = [one for one in FUNCTIONS if inspect.isfunction(one)]
PLACES = [Project.create, Project.open, Project.open_or_create]
RECORDS = [HandMesh, HandParameters]
SERVICES = [
    Listing, Editing, Proposing, LabelIntake, Renewing, Shared, Safekeeping, Pictures, Tracks, Instants, InstantHands,
    Subjects,
]  # of a `Project` # fmt: skip
KINDS = [Model, HandMesh, *SERVICES]
OFFERED = [*FUNCTIONS, *PLACES, *(method for kind in KINDS for method in methods(kind))]


def sections(text: str | None) -> dict[str, str]:
    """Section -> its text; what stands before the first is ""."""
    parts = re.split(r"(?m)^([A-Z][A-Za-z ]+)\n-{3,}\n", inspect.cleandoc(text or ""))
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def named(section: str) -> set[str]:
    """The names that a section of parameters explains."""
    return {name.strip() for line in re.findall(r"(?m)^\S.*$", section) for name in line.split(",")}


@pytest.mark.parametrize("function", OFFERED, ids=lambda one: one.__qualname__)
def test_functions_name_every_parameter_and_what_comes_back(function):
    said = sections(function.__doc__)
    assert said[""].strip(), "what it does comes first"
    parameters = list(inspect.signature(function).parameters)[0 if function in FUNCTIONS + PLACES else 1 :]
    assert named(said.get("Parameters", "")) == set(parameters)
    returns = inspect.signature(function).return_annotation
    assert returns in ("None", None) or "Returns" in said or "Yields" in said


@pytest.mark.parametrize("record", RECORDS, ids=lambda one: one.__name__)
def test_records_name_every_field(record):
    said = sections(record.__doc__)
    assert named(said["Parameters"]) == {field.name for field in dataclasses.fields(record)} and "Raises" in said
