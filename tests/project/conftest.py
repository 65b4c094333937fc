"""A project with one photo and one proposed hand."""

from __future__ import annotations

import pytest

from annotator.project import Project, Provenance

SOURCE = Provenance(model="test checkpoint", model_digest="d" * 64)


@pytest.fixture
def source() -> Provenance:
    return SOURCE


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "project", who="Ada") as project:
        yield project


@pytest.fixture
def hand_id(project, photo_file, make_hand) -> str:
    return project.add_proposal(project.add_photo(photo_file), make_hand(), SOURCE)
