"""A small project of rendered hands at another place than the model knows, answered by a simulated person."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from annotator.model import load_model
from annotator.project import Project
from annotator.rounds import round
from annotator.rounds.selection import ranking
from annotator.rounds.trials.trial_projects import add_rendered, answer
from annotator.synthetic.generate import generate
from annotator.synthetic.shards import SyntheticShards

TAUGHT, GOLD, OPEN = 6, 4, 3


@pytest.fixture(autouse=True)
def loaded(monkeypatch, model):
    """Rounds and rankings that begin with the shipped model take the one that is loaded already, with its graphs;
    checkpoints are read."""

    def load(checkpoint=None, hand=None, device=None):
        return model if checkpoint is None else load_model(checkpoint, hand, device)

    monkeypatch.setattr(round, "load_model", load)
    monkeypatch.setattr(ranking, "load_model", load)


@pytest.fixture(scope="session")
def workshop(tmp_path_factory) -> SyntheticShards:
    folder = tmp_path_factory.mktemp("workshop")
    generate(folder, TAUGHT + GOLD + OPEN, 31, domain="workshop")
    return SyntheticShards(folder)


@pytest.fixture(scope="session")
def replay(tmp_path_factory):
    folder = tmp_path_factory.mktemp("replay")
    generate(folder, 12, 32)
    return folder


@pytest.fixture(scope="session")
def answered(tmp_path_factory, model, workshop):
    """The project's folder (read it only): the first six hands accepted with three keypoints each, four gold with all
    visible ones, three open."""
    folder = tmp_path_factory.mktemp("project") / "answered"
    random = np.random.default_rng(0)
    with Project.create(folder, who="Ada") as project:
        ids = add_rendered(project, model, workshop, range(TAUGHT + GOLD + OPEN))
        for number, hand_id in enumerate(ids[: TAUGHT + GOLD]):
            visible = np.flatnonzero(workshop.labels["visible"][number])
            joints = visible[:3] if number < TAUGHT else visible
            answer(project, hand_id, workshop.labels["keypoints"][number], joints, model, random)
            if number >= TAUGHT:
                project.make_gold(hand_id)
    return folder


@pytest.fixture
def project(answered, tmp_path):
    """A copy to change."""
    shutil.copytree(answered, tmp_path / "project")
    with Project.open(tmp_path / "project", who="Ada") as opened:
        yield opened
