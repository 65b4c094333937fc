"""Two processes under `torchrun` train as one does with the same global batch; what cannot be shared out is refused."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_training import NETWORK, made_up_set

from annotator.cli import main
from annotator.errors import InputError
from annotator.learning.distributed import Processes, launched, processes
from annotator.network.checkpoint import load_checkpoint

CONFIG = (
    NETWORK
    + """
[phases.tune]
steps = 6
batch = 8
parts = 2
warmup = 2
encoder_learning_rate = 1e-4
mixed_styles = 0.5
drop_landmarks = 0.2
drop_image = 0.1
seed = 3
log_every = 1
"""
)
STEPS = 6


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    """Six hands of made-up keypoints in FreiHAND's layout; some keypoints have no label, so that weights differ."""
    folder = tmp_path_factory.mktemp("set")

    def labels(rng, index):
        states = tuple("confirmed" if rng.random() < 0.7 else "proposed" for _ in range(21))
        return states, np.array([1.0 if state == "confirmed" else 0.1 * index for state in states])

    return made_up_set(folder, 6, labels)


def command(dataset: Path, folder: Path) -> list[str]:
    folder.mkdir()
    (folder / "recipe.toml").write_text(CONFIG)
    given = ["--data", f"freihand:{dataset}", "--supervision", "keypoints", "--device", "cpu", "--json"]
    return ["train", *given, "--config", str(folder / "recipe.toml"), "--out", str(folder / "run")]


def curve(folder: Path) -> np.ndarray:
    """(steps, numbers): what every step said, out of the log's running means."""
    with (folder / "run" / "tune" / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == list(range(1, STEPS + 1))
    running = np.array([[float(v) for k, v in row.items() if k not in ("step", "seconds", "rate")] for row in rows])
    return np.concatenate([running[:1], (running[1:] - 0.98 * running[:-1]) / 0.02])


def test_two_processes_train_as_one(dataset, tmp_path, capsys):
    assert main(command(dataset, tmp_path / "one")) == 0
    capsys.readouterr()
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    launcher = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc_per_node=2",
        "-m",
        "annotator.cli",
    ]
    done = subprocess.run(
        [*launcher, *command(dataset, tmp_path / "two")], capture_output=True, text=True, timeout=300, env=environment
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (said,) = done.stdout.strip().splitlines()  # the first process alone speaks
    assert json.loads(said)["phases"] == ["tune"]
    one, two = curve(tmp_path / "one"), curve(tmp_path / "two")
    assert one[0, 0] != pytest.approx(one[-1, 0], rel=1e-3)  # it learns
    np.testing.assert_allclose(two, one, rtol=2e-3, atol=2e-4)  # the log rounds to 1e-6, of which a step is a fiftieth
    ours, card = load_checkpoint(tmp_path / "one" / "run" / "checkpoint.safetensors")
    theirs, other = load_checkpoint(tmp_path / "two" / "run" / "checkpoint.safetensors")
    assert card["steps"] == other["steps"] == STEPS


def test_one_process_is_rank_0_of_1():
    with launched() as here:
        assert here == processes() == Processes(0, 1, 0) and here.first


def test_parts_are_shared_out_evenly(dataset, tmp_path, capsys):
    assert list(Processes(1, 2).shares(6)) == [3, 4, 5]
    with pytest.raises(InputError, match="5 parts cannot be shared by 2 processes"):
        Processes(0, 2).shares(5)
    arguments = command(dataset, tmp_path / "odd")
    (tmp_path / "odd" / "recipe.toml").write_text(CONFIG.replace("parts = 2", "parts = 3"))
    assert main(arguments) == 2
    assert "a batch of 8 cannot be drawn in 3 equal parts" in capsys.readouterr().err
