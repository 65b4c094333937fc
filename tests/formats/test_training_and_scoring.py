"""One command from a data set to a training run's data, and one to official scores."""

from __future__ import annotations

import json

import numpy as np
import pytest

from annotator.cli import main
from annotator.evaluation.metrics import aligned
from annotator.formats import reader, writer
from annotator.formats.transfer.keypoint_tables import make_table, parse, table_of
from annotator.hand.joints import KEYPOINT_OF_MANO, TIPS
from annotator.learning.data.photos import KeypointPhotos, KeypointTable


@pytest.mark.parametrize("name", ["freihand", "hamer-tar", "coco-wholebody", "ho3d"])
def test_tables(records, tmp_path, name):
    writer(name).write(records, tmp_path / "set")
    folder = make_table(name, tmp_path / "set", tmp_path / "run")
    table = KeypointTable.load(folder)
    assert len(table) == 3 and (table.weight[np.array([r.weights for r in records]) < 1] <= 0.5).all()
    assert (table.metric == 1).all() and (table.joint_weight <= 1).all() and table.joint_weight.any()
    assert set(table.side) == ({"right"} if name in ("freihand", "ho3d") else {"left", "right"})
    crops = KeypointPhotos(folder, held=None, jitter=False)
    for index in range(3):
        pixels, labels = crops.sample(index, np.random.default_rng(0))
        assert pixels.shape == (224, 224, 3) and labels.keypoint_weight.shape == (1, 21)
    assert make_table(name, tmp_path / "set", tmp_path / "run") == folder  # read once


def test_proposals_count_less(records):
    table = table_of(records)
    proposed = np.array([r.states for r in records]) == "proposed"
    assert (table.weight[proposed] <= 0.5).all() and (table.joint_weight[proposed] <= 0.5).all()


def test_train_command(records, tmp_path, monkeypatch, capsys):
    import annotator.learning.recipe as recipe

    seen = {}

    def run(made, root, out, *_):
        seen.update(recipe=made, root=root)
        return out / "checkpoint.safetensors"

    monkeypatch.setattr(recipe, "run", run)
    writer("freihand").write(records, tmp_path / "set")
    data = f"freihand:{tmp_path / 'set'}"
    for supervision, trust in (("keypoints", 1.0), ("keypoints-2d", 0.0)):
        arguments = ["train", "--data", data, "--supervision", supervision, "--out", str(tmp_path / "run"), "--json"]
        assert main(arguments) == 0
        (part,) = seen["recipe"].data
        assert part.kind == "photos" and part.joint_trust == trust and len(part.crops(seen["root"])) == 3
    capsys.readouterr()
    for wrong in (["--data", data, "--supervision", "mesh"], ["--data", data, "--data", str(tmp_path)],
                  ["--data", str(tmp_path / "none")], ["--data", f"freihand:{tmp_path}"]):  # fmt: skip
        assert main(["train", *wrong, "--out", str(tmp_path / "other")]) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert parse("C:/data") is None and parse("data/rendered") is None


@pytest.mark.parametrize("protocol", ["freihand", "ho3d"])
def test_evaluate_command(records, model, tmp_path, monkeypatch, capsys, protocol):
    import annotator.model

    monkeypatch.setattr(annotator.model, "load_model", lambda *_a, **_k: model)
    writer(protocol).write(records, tmp_path / "set")
    arguments = ["evaluate", str(tmp_path / "set"), "--protocol", protocol, "--out", str(tmp_path / "out"), "--json"]
    assert main(arguments) == 0
    result = json.loads(capsys.readouterr().out)
    (row,) = result["rows"]
    assert row["n"] == 3 and row["protocol"] == protocol and row["pa_mpvpe_mm"] > 0
    xyz, verts = json.loads((tmp_path / "out" / "pred.json").read_text())
    assert len(xyz) == len(verts) == 3 and np.shape(xyz[0]) == (21, 3)
    truth = np.array([sample.joints for sample in reader(protocol).read(tmp_path / "set")])
    if protocol == "ho3d":
        truth = truth[:, [*KEYPOINT_OF_MANO, *TIPS]] * (1, -1, -1)
    left = {reflect: aligned(np.array(xyz), truth, reflect) - truth for reflect in (True, False)}
    assert row["pa_mpjpe_mm"] == pytest.approx(1000 * np.linalg.norm(left[True], axis=-1).mean())
    assert row["pa_mpjpe_rotation_only_mm"] == pytest.approx(1000 * np.linalg.norm(left[False], axis=-1).mean())
    # a reflection as well can but lessen the squares, which are what alignment makes small
    assert ((left[True] ** 2).sum((1, 2)) <= (left[False] ** 2).sum((1, 2)) + 1e-12).all()
    assert json.loads((tmp_path / "out" / "scores.json").read_text()) == row
    assert main(["evaluate", str(tmp_path / "set"), "--protocol", "other"]) == 2
    assert "expected one of freihand, ho3d" in capsys.readouterr().err
    assert main(["evaluate", str(tmp_path), "--protocol", protocol]) == 2
