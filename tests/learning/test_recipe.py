"""A whole run from a configuration file: phases, banks of the encoder's fixed part, sets that only one phase sees."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from annotator.sample_data import photos
from PIL import Image
from small_training import NETWORK

from annotator.errors import InputError
from annotator.learning.data.photos import KeypointTable
from annotator.learning.recipe import Recipe, run
from annotator.network.checkpoint import load_checkpoint
from annotator.network.encoders.registry import build_encoder
from annotator.synthetic.generate import generate

CONFIG = (
    """
[card]
name = "tiny"

[calibration]
folder = "rendered"
count = 8

"""
    + NETWORK
    + """share = 0.7
[[data]]
kind = "photos"
folder = "real"
share = 0.3
bank = 6
joint_trust = 0.5
phases = ["finish"]
[phases.tune]
steps = 2
batch = 4
encoder_learning_rate = 1e-3
mixed_styles = 0.5
drop_landmarks = 0.2
drop_image = 0.2
[phases.finish]
steps = 2
batch = 4
encoder_learning_rate = 1e-3
simulated_real = 0.5
"""
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A few rendered photos, and one real photo with made-up keypoints."""
    folder = tmp_path_factory.mktemp("data")
    generate(folder / "rendered", 8, 3)
    (folder / "real").mkdir()
    photo = photos()[0]
    Image.open(photo).save(folder / "real" / "photo.png")
    rng = np.random.default_rng(0)
    KeypointTable(
        photo=np.array(["photo.png"]), side=np.array(["right"]), K=np.full((1, 3, 3), np.nan),
        keypoints=rng.uniform(20, 80, (1, 21, 2)), weight=np.ones((1, 21)), joints=0.05 * rng.normal(size=(1, 21, 3)),
        joint_weight=np.ones((1, 21)), metric=np.zeros(1), held=np.zeros(1, bool), group=np.array(["a"]),
    ).save(folder / "real")  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    (out / "recipe.toml").write_text(CONFIG)
    said = []
    checkpoint = run(Recipe.read(out / "recipe.toml"), data, out, "cpu", say=said.append)
    return out, checkpoint, said


def test_the_tuned_trunk_learns_and_landmarks_stay(finished):
    out, checkpoint, _ = finished
    network, card = load_checkpoint(checkpoint)
    original = build_encoder("mediapipe-tuned")
    assert card["phase"] == "finish" and "no mesh" in card["supervision"] and card["name"] == "tiny"
    assert card["sigma"].startswith("calibrated on 8 held-out rendered photos")
    assert not torch.equal(network.unsure.calibration, torch.ones(2))
    crops = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        ours, theirs = network.encoder(crops), original(crops)
    assert torch.equal(ours.landmarks, theirs.landmarks) and not torch.equal(ours.pooled, theirs.pooled)


def test_a_set_is_prepared_when_its_phase_comes(finished):
    out, _, said = finished
    assert (out / "banks" / "rendered" / "bank.json").exists() and (out / "banks" / "real" / "bank.json").exists()
    assert [line.split()[-1] for line in said if "features" in line] == ["rendered", "real"]
    labels = np.load(out / "banks" / "real" / "labels.npz")
    assert np.allclose(labels["joint_weight"], 0.5)


def test_a_finished_run_is_not_run_again(finished, data):
    out, checkpoint, _ = finished
    before = load_checkpoint(checkpoint)[0].state_dict()
    said = []
    again = load_checkpoint(run(Recipe.read(out / "recipe.toml"), data, out, "cpu", say=said.append))[0].state_dict()
    assert sum("goes on at step 2 of 2" in line for line in said) == 2 and len(said) == 3  # and sigmas
    assert all(torch.allclose(again[name].float(), value.float(), atol=1e-2) for name, value in before.items())


def test_a_phase_without_data_is_named(data, tmp_path):
    (tmp_path / "recipe.toml").write_text(CONFIG.replace("share = 0.7", 'share = 0.7\nphases = ["finish"]'))
    with pytest.raises(InputError, match="phases.tune. has no data"):
        run(Recipe.read(tmp_path / "recipe.toml"), data, tmp_path, "cpu", say=lambda _: None)


def test_missing_photos_for_the_sigmas_are_said_at_once(data, tmp_path):
    (tmp_path / "recipe.toml").write_text(CONFIG.replace('folder = "rendered"\ncount', 'folder = "nowhere"\ncount'))
    with pytest.raises(InputError, match="nowhere"):
        run(Recipe.read(tmp_path / "recipe.toml"), data, tmp_path / "run", "cpu", say=lambda _: None)
    assert not (tmp_path / "run" / "tune").exists()


@pytest.mark.parametrize(
    "text, words",
    [
        (b"\xff\xfed\0", "is no TOML"),
        (b"x = " + b"9" * 5000, "is no TOML"),
        (b"x = " + b"[" * 5000, "is no TOML"),
        (b"data = 1.5\nphases = {}", "data is no list of tables"),
        (b"data = []\nphases = 3", "phases is '3', expected a table"),
        (b"data = [1.5]\nphases = {}", "data is '1.5', expected a table"),
        (b"data = []\nphases = {a = 'x'}", "phases.a is 'x', expected a table"),
        (b"data = []\n[phases.a]\nsteps = true", "steps is 'True', expected a whole number"),
        (b"data = []\n[phases.a]\nrate = nan", "rate is 'nan', expected a finite number"),
        (b"data = []\n[phases.a]\nprompts = 1", "prompts is '1', expected true or false"),
        (b"phases = {}\n[[data]]\nkind = 'photos'\nfolder = 'x'\nphases = [1]", "phases is .*expected a list of texts"),
        (b"data = []\nphases = {}\ncard = 'x'", "card is 'x', expected a table"),
    ],
)
def test_settings_that_make_no_sense_are_named(tmp_path, text, words):
    (tmp_path / "recipe.toml").write_bytes(text)
    with pytest.raises(InputError, match=f"recipe.toml.*{words}"):
        Recipe.read(tmp_path / "recipe.toml")


OLD_NAMES = {"learning_rate": "rate", "encoder_learning_rate": "encoder_rate", "ema_decay": "average",
             "drop_landmarks": "blind", "drop_image": "unseen"}  # fmt: skip


def test_settings_by_their_old_names_are_read(tmp_path):
    new = tmp_path / "new.toml"
    new.write_text(CONFIG.replace("mixed_styles", "learning_rate = 2e-3\nema_decay = 0.9\nmixed_styles"))
    text = new.read_text()
    for today, once in OLD_NAMES.items():
        text = re.sub(rf"(?m)^{today} =", f"{once} =", text)
    (tmp_path / "old.toml").write_text(text)
    old = Recipe.read(tmp_path / "old.toml")
    assert old.phases == Recipe.read(new).phases
    assert old.phases["tune"].learning_rate == 2e-3 and old.phases["tune"].drop_image == 0.2
    (tmp_path / "both.toml").write_text(text.replace("unseen =", "drop_image = 0.1\nunseen ="))
    with pytest.raises(InputError, match="'unseen' is the old name of 'drop_image', and both are given"):
        Recipe.read(tmp_path / "both.toml")
