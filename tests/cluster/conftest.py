"""One small Ray cluster for all tests of this folder: starting it takes longer than most of them."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(scope="session")
def ray_cluster():
    """Ray with two cores on this machine; what runs on it joins it."""
    ray = pytest.importorskip("ray", reason="needs the extra [cluster]: pip install 'hand-mesh-annotator[cluster]'")
    os.environ["RAY_worker_niceness"] = "0"
    try:
        ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    except Exception as error:  # noqa: BLE001
        pytest.skip(f"no Ray cluster starts on this machine: {error}")
    yield ray
    ray.shutdown()
