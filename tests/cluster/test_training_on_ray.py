"""Ray Train with two workers gives the loss curve of one process with the same global batch."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from annotator.cli import main
from annotator.formats import writer
from annotator.formats.base import LabelledHand, box_of

pytestmark = pytest.mark.usefixtures("ray_cluster")

RECIPE = """
[network]
encoder = "mediapipe-tuned"
levels = [0]
strides = [32]
hidden = 64
width = 16
[[data]]
kind = "rendered"
folder = "rendered"
[phases.tune]
steps = 4
batch = 8
parts = 2
warmup = 2
encoder_rate = 1e-4
seed = 3
log_every = 1
"""


def test_two_workers_train_as_one_process(tmp_path, capsys):
    rng, records = np.random.default_rng(4), []
    for index in range(4):
        photo = tmp_path / f"{index}.png"
        Image.fromarray(rng.integers(0, 255, (64, 64, 3), np.uint8)).save(photo)
        joints = rng.normal(0, 0.03, (21, 3)) + (0, 0, 0.5)
        K = np.array([[120.0, 0, 32], [0, 120, 32], [0, 0, 1]])
        keypoints = (joints @ K.T)[:, :2] / joints[:, 2:]
        records.append(LabelledHand(
            id=str(index), photo=photo, side="right", box=box_of(keypoints), K=K, keypoints=keypoints,
            visible=np.ones(21, bool), states=("confirmed",) * 21, weights=np.ones(21), joints=joints,
            vertices=joints, faces=[[0, 1, 2]], hand_model="made up",
        ))  # fmt: skip
    writer("freihand").write(records, tmp_path / "set")
    (tmp_path / "recipe.toml").write_text(RECIPE)
    given = ["train", "--data", f"freihand:{tmp_path / 'set'}", "--config", str(tmp_path / "recipe.toml"), "--json"]
    curves = []
    for name, engine in (("one", []), ("two", ["--engine", "ray", "--workers", "2"])):
        assert main([*given, "--out", str(tmp_path / name), "--device", "cpu", *engine]) == 0
        assert json.loads(capsys.readouterr().out.strip().splitlines()[-1])["checkpoint"].endswith("checkpoint.safetensors")
        with (tmp_path / name / "tune" / "log.csv").open() as file:
            curves.append([float(row["loss"]) for row in csv.DictReader(file)])
    assert len(curves[0]) == len(curves[1]) == 4
    np.testing.assert_allclose(curves[1], curves[0], rtol=2e-4)
    # what a worker objects to is one clear error here
    (tmp_path / "recipe.toml").write_text(RECIPE.replace("parts = 2", "parts = 3"))
    assert main([*given, "--out", str(tmp_path / "odd"), "--engine", "ray", "--workers", "2"]) == 2
    assert "3 parts cannot be shared by 2 processes" in capsys.readouterr().err
