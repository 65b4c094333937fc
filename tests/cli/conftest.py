"""The command line as a function: run(arguments) -> (exit code, stdout, stderr)."""

from __future__ import annotations

import pytest

from annotator.cli import main
from annotator.project import Project, Provenance
from annotator.vision.photos import read_photo


@pytest.fixture
def run(capfd):
    def call(*arguments) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return code, out, err

    return call


@pytest.fixture
def folder(tmp_path, photo_file, make_hand):
    """A project's folder with two proposed hands, signing-0153-1 (right) and signing-0153-2 (left)."""
    with Project.create(tmp_path / "project") as project:
        photo = project.add_photo(photo_file)
        project.add_proposals(photo, [make_hand(1), make_hand(2, "left")], Provenance("test", "d" * 64))
    return tmp_path / "project"


@pytest.fixture
def loaded(model, monkeypatch):
    """Commands take the shipped model that is loaded already, instead of loading it again; checkpoints are read."""
    import annotator.model

    load = annotator.model.load_model
    monkeypatch.setattr(
        annotator.model,
        "load_model",
        lambda checkpoint=None, hand=None, device=None: model if checkpoint is None else load(checkpoint, hand, device),
    )
    return model


@pytest.fixture(scope="session")
def seen(model, photo_file):
    """What the shipped model proposes on the photo: asked once, for what no test changes."""
    return model.propose(read_photo(photo_file))
