"""`annotator simulate` on a few rendered photos: numbers, files, and errors on one line."""

from __future__ import annotations

import json

import numpy as np
import pytest

from annotator.cli import main
from annotator.synthetic import generate as synthetic


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    synthetic.generate(folder, 3, 11)
    return folder


def test_exact_pins_the_mesh(shards, capfd):
    arguments = ["simulate", shards, "--hands", 2, "--corrections", 2, "--policy", "worst", "--exact", "--json"]
    assert main([str(a) for a in arguments]) == 0
    worst = json.loads(capfd.readouterr().out.splitlines()[-1])["policies"]["worst"]
    assert max(worst["miss_px"]["p90"]) < 0.5


def test_simulate_writes_numbers_and_a_plot(shards, tmp_path, capfd):
    out = tmp_path / "out"
    arguments = [
        "simulate",
        shards,
        "--out",
        out,
        "--hands",
        3,
        "--corrections",
        4,
        "--policy",
        "worst",
        "--annotator",
        "steady",
        "--json",
    ]
    assert main([str(a) for a in arguments]) == 0
    result = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert result == json.loads((out / "simulate.json").read_text())
    assert (out / "simulate.png").stat().st_size > 5000
    worst = result["policies"]["worst"]
    assert worst["hands"] == 3 and worst["corrections"] == [0, 1, 2, 3, 4]
    for measure in ("vertex_mm", "joint_mm", "photo_px", "miss_px"):
        assert len(worst[measure]["mean"]) == 5 and np.isfinite(worst[measure]["mean"]).all()
    assert worst["miss_px"]["mean"][0] == 0 and result["annotator"] == "steady"
    assert worst["photo_px"]["mean"][4] < worst["photo_px"]["mean"][0]
    assert worst["seconds"]["p95"] > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "meta.json"),
        (["{shards}", "--policy", "best"], "policy"),
        (["{shards}", "--annotator", "nobody"], "annotator"),
        (["{shards}", "--corrections", "22"], "--corrections"),
    ],
)
def test_simulate_says_what_is_wrong_in_one_line(shards, capfd, arguments, words):
    assert main(["simulate", *(a.format(shards=shards) for a in arguments)]) == 2
    error = capfd.readouterr().err
    assert words in error and len(error.strip().splitlines()) == 1
