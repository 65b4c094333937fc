"""A project with one photo and one proposed hand, on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import postgres
from sqlalchemy import text

from annotator.project import Project, Provenance

SOURCE = Provenance(model="test checkpoint", model_digest="d" * 64)
_numbers = itertools.count()


@pytest.fixture
def source() -> Provenance:
    return SOURCE


@pytest.fixture(scope="session")
def postgres_server():
    """URL of a PostgreSQL database; the test is skipped where there is none to be had."""
    running = postgres.server()
    try:
        url = running.__enter__()
    except postgres.Missing as why:
        pytest.skip(str(why))
    yield url
    running.__exit__(None, None, None)


@pytest.fixture
def new_schema(postgres_server):
    """new_schema() -> the URL of an empty schema of its own."""
    return lambda: postgres.new_schema(postgres_server, f"project_{next(_numbers)}")


@pytest.fixture(params=["sqlite", "postgresql"])
def new_project(request, tmp_path):
    """new_project() -> an empty one, Ada's; on PostgreSQL the folder's project.toml names the database."""
    new_schema = request.getfixturevalue("new_schema") if request.param == "postgresql" else lambda: None
    names = (f"project{number or ''}" for number in itertools.count())
    return lambda: Project.create(tmp_path / next(names), who="Ada", database=new_schema())


@pytest.fixture
def project(new_project):
    """The same tests on both back ends."""
    with new_project() as project:
        yield project


@pytest.fixture
def sqlite_project(tmp_path):
    with Project.create(tmp_path / "project", who="Ada") as project:
        yield project


@pytest.fixture
def hand_id(request, photo_file, make_hand) -> str:
    name = "sqlite_project" if "sqlite_project" in request.fixturenames else "project"
    project = request.getfixturevalue(name)
    return project.add_proposal(project.add_photo(photo_file), make_hand(), SOURCE)


@pytest.fixture
def raw(project):
    """raw(statement, values={}): SQL of an outsider on the project's own database, committed; its rows."""

    def run(statement: str, **values) -> list:
        with project._database.engine.begin() as connection:
            done = connection.execute(text(statement), values)
            return done.all() if done.returns_rows else []

    return run
