"""Ray Train with two workers gives the loss curve of one process with the same global batch."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from small_training import NETWORK, made_up_set

from annotator.cli import main

pytestmark = pytest.mark.usefixtures("ray_cluster")

RECIPE = (
    NETWORK
    + """
[phases.tune]
steps = 4
batch = 8
parts = 2
warmup = 2
encoder_learning_rate = 1e-4
seed = 3
log_every = 1
"""
)


def test_two_workers_train_as_one_process(tmp_path, capsys):
    data = made_up_set(tmp_path, 4)
    (tmp_path / "recipe.toml").write_text(RECIPE)
    given = ["train", "--data", f"freihand:{data}", "--config", str(tmp_path / "recipe.toml"), "--json"]
    curves = []
    for name, engine in (("one", []), ("two", ["--engine", "ray", "--workers", "2"])):
        assert main([*given, "--out", str(tmp_path / name), "--device", "cpu", *engine]) == 0
        assert json.loads(capsys.readouterr().out.strip().splitlines()[-1])["checkpoint"].endswith(
            "checkpoint.safetensors"
        )
        with (tmp_path / name / "tune" / "log.csv").open() as file:
            curves.append([float(row["loss"]) for row in csv.DictReader(file)])
    assert len(curves[0]) == len(curves[1]) == 4
    np.testing.assert_allclose(curves[1], curves[0], rtol=2e-4)
    # what a worker objects to is one clear error here
    (tmp_path / "recipe.toml").write_text(RECIPE.replace("parts = 2", "parts = 3"))
    assert main([*given, "--out", str(tmp_path / "odd"), "--engine", "ray", "--workers", "2"]) == 2
    assert "3 parts cannot be shared by 2 processes" in capsys.readouterr().err
