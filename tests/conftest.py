"""Shared fixtures: real sample photos, the real hand model, hands of random but possible parameters."""

from __future__ import annotations

import os
from pathlib import Path

# The tests make many small forward passes: one thread is as fast as two, and does not wait for neighbours' work.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# What tests start is not measured: its own files would meet the failures and kills that are tried on it.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.pop("COVERAGE_PROCESS_CONFIG", None)
# Whoever runs them may have settings of their own.
os.environ["ANNOTATOR_SETTINGS"] = ""

import numpy as np
import pytest
from hypothesis import settings

from annotator.hand.mesh import HandMesh, HandParameters, ParametricEstimate
from annotator.hand.model import HandModel, load_hand
from annotator.vision.camera import default_camera, project

# How long one example takes says how busy the machine is, not whether the law holds.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

ROOT = Path(__file__).resolve().parents[1]

# Folders whose tests share something that takes long to make: side by side (pytest -n), one process has them all. They
# begin first, so that none is left to run alone at the end. Every other file goes, whole, to whoever is free.
TOGETHER = ("cluster", "rounds", "cli", "serving", "correcting")
ONE_PROCESS = ("cluster", "rounds")
LONGEST = "test_layout.py"  # of the GUI's, which are run by themselves


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def turn(item: pytest.Item) -> int:
        if item.path.name == LONGEST:
            return 0
        room = item.path.relative_to(ROOT / "tests").parts[0]
        return TOGETHER.index(room) if room in TOGETHER else len(TOGETHER)

    items.sort(key=turn)


@pytest.hookimpl(optionalhook=True)  # pytest-xdist's
def pytest_xdist_make_scheduler(config: pytest.Config, log):
    """With `--dist loadfile`, what goes to one process is a file, or a folder of ONE_PROCESS."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            room = next((room for room in ONE_PROCESS if file.startswith(f"tests/{room}/")), None)
            return room or file

    return Scheduling(config, log)


@pytest.fixture(scope="session")
def hand_model() -> HandModel:
    return load_hand()


@pytest.fixture(scope="session")
def sample_photos() -> list[Path]:
    return sorted((ROOT / "sample_data" / "photos").glob("*.jpg"))


@pytest.fixture(scope="session")
def photo_file(sample_photos) -> Path:
    """One real photo of one hand, 620 x 1080 px."""
    return next(path for path in sample_photos if path.name == "signing-0153.jpg")


@pytest.fixture(scope="session")
def make_hand(hand_model):
    """make_hand(seed, side="right", size=(1080, 620), corrections={}) -> HandMesh with exact projections."""

    def make(seed=0, side="right", size=(1080, 620), corrections=None, move=(0.0, 0.0)) -> HandMesh:
        random = np.random.default_rng(seed)
        K = default_camera(*size)
        pose = random.normal(0, 0.15, (16, 3))
        pose[0] = random.normal(0, 1.0, 3)
        sign = -1 if side == "left" else 1
        centre = np.array([sign * (random.uniform(-0.03, 0.03) + move[0]), random.uniform(-0.03, 0.03) + move[1], 0.8])
        count = hand_model.offset_count
        first = HandParameters(pose, random.normal(0, 0.5, 10), centre, np.zeros((count, 3)))
        parameters = first.replace(offsets=random.normal(0, 0.001, (count, 3)))

        def built(values):
            vertices = hand_model.vertices(values, side)
            joints = hand_model.joints(vertices)
            return vertices, joints, project(joints, K)

        vertices, joints, keypoints = built(parameters)
        middle = keypoints.mean(axis=0)
        return HandMesh(
            side=side,
            camera=K,
            crop_center=middle,
            crop_size=float(2.2 * np.ptp(keypoints, axis=0).max()),
            crop_angle=float(random.uniform(-1, 1)),
            vertices=vertices,
            faces=hand_model.faces_of(side),
            joints=joints,
            keypoints=keypoints,
            keypoint_sigma=random.uniform(1, 6, 21),
            vertex_sigma=random.uniform(0.002, 0.01, len(vertices)),
            confidence=float(random.uniform(0.3, 1)),
            parameters=parameters,
            hand_model=hand_model.name,
            parametric=ParametricEstimate(*built(first)),
            corrections=corrections or {},
        )

    return make


@pytest.fixture(scope="session")
def model():
    """The shipped model on the CPU, loaded once."""
    import annotator

    return annotator.load_model(device="cpu")


@pytest.fixture
def own_cache(tmp_path_factory, monkeypatch):
    """What is found out of videos is kept in a folder of the test's own, not in the user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
