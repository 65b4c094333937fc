"""The trainer: an interrupted run ends where an uninterrupted one does; broken batches and foreign states are
survived."""

from __future__ import annotations

import csv

import pytest
import torch

from annotator.errors import InputError
from annotator.hand.limits import angles_to_rotations
from annotator.learning.data.bank import FeatureBank
from annotator.learning.data.noise import simulate_landmarks
from annotator.learning.data.samples import Labels
from annotator.learning.data.sources import BankSource, split_batch
from annotator.learning.data.teacher_joints import as_teacher
from annotator.learning.losses import Supervision, joint_error
from annotator.learning.recipe import Recipe
from annotator.learning.trainer import Trainer, TrainSettings
from annotator.network.checkpoint import load_checkpoint
from annotator.network.crop_camera import plain_projection, project
from annotator.network.features import Features
from annotator.network.glfnet import GLFNet, GLFNetConfig

SETTINGS = TrainSettings(steps=6, batch=4, warmup=2)


def labels_of(network: GLFNet, count: int) -> Labels:
    """Hands in random small bends, seen by plain cameras."""
    generator = torch.Generator().manual_seed(5)
    bends = 0.3 * torch.rand(count, 15, 3, generator=generator)
    rotations = torch.cat([torch.eye(3).expand(count, 1, 3, 3), angles_to_rotations(bends)], 1)
    joints = network.layer.keypoints_from_pose(rotations, torch.zeros(count, 10), None)
    joints = joints - joints.mean(1, keepdim=True) + torch.tensor([0, 0, 0.7])
    focal = torch.full((count,), 650.0)
    one = torch.ones(count)
    keypoints = project(joints, plain_projection(focal))
    full = torch.ones(count, 21)
    return Labels(keypoints, full, full, joints, full, one, plain_projection(focal), focal, one)


class Encoded(torch.nn.Module):
    """Stands for an encoder in bank building: fixed random features of the right shapes."""

    def forward(self, crops):
        g = torch.Generator().manual_seed(int(crops.sum()) % 1000)
        b = len(crops)
        maps = tuple(torch.randn(b, c, s, s, generator=g) for c, s in ((40, 28), (112, 14), (192, 7)))
        return Features(
            maps,
            torch.randn(b, 1152, generator=g),
            torch.rand(b, 21, 2) * 224,
            torch.zeros(b, 21, 3),
            torch.ones(b),
            torch.ones(b),
        )


@pytest.fixture(scope="module")
def bank(tmp_path_factory) -> FeatureBank:
    labels = labels_of(GLFNet(), 12)
    batches = [(torch.full((6, 3, 224, 224), 0.1 * k), labels.select(slice(6 * k, 6 * k + 6))) for k in range(2)]
    return FeatureBank.build(tmp_path_factory.mktemp("bank"), Encoded(), batches, 12)


def network() -> GLFNet:
    torch.manual_seed(1)
    return GLFNet(GLFNetConfig(levels=(0,), strides=(32,)))


def test_a_resumed_run_equals_an_uninterrupted_one(bank, tmp_path):
    straight = Trainer(network(), BankSource([bank], [1.0]), tmp_path / "a", SETTINGS)
    straight.run()
    first = Trainer(network(), BankSource([bank], [1.0]), tmp_path / "b", SETTINGS)

    def stop(step, *_):
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        first.run(stop)
    second = Trainer(network(), BankSource([bank], [1.0]), tmp_path / "b", SETTINGS)
    assert second.resume() and second.step == 3
    second.run()
    for name, value in straight.average.items():
        torch.testing.assert_close(second.average[name], value, rtol=1e-5, atol=1e-6)
    loaded, card = load_checkpoint(tmp_path / "b" / "checkpoint.safetensors")
    assert card["steps"] == 6 and loaded.config.levels == (0,)


def test_the_log_is_readable_and_the_error_falls(bank, tmp_path):
    settings = TrainSettings(steps=100, batch=6, warmup=5, learning_rate=2e-3, prompts=False, tensorboard=True)
    Trainer(network(), BankSource([bank], [1.0]), tmp_path, settings).run()
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    assert [int(r["step"]) for r in rows] == [50, 100]
    assert float(rows[1]["pixels"]) < float(rows[0]["pixels"])
    (events,) = (tmp_path / "tensorboard").glob("events.*")
    assert b"joints_mm" in events.read_bytes()


def test_state_of_another_network_is_refused(bank, tmp_path):
    trainer = Trainer(network(), BankSource([bank], [1.0]), tmp_path, SETTINGS)
    trainer.save()
    with pytest.raises(InputError, match="another network"):
        Trainer(GLFNet(), BankSource([bank], [1.0]), tmp_path, SETTINGS).resume()


def test_losses_are_zero_gradient_at_the_truth_and_scale_is_forgiven():
    net = network()
    labels = labels_of(net, 3)
    assert joint_error(labels.joints, labels).max() < 1e-3
    bigger = labels._replace(joints=labels.joints * 2)
    assert joint_error(labels.joints, bigger).mean() > 0.02
    assert joint_error(labels.joints, bigger._replace(metric=torch.zeros(3))).max() < 1e-3


def test_sparser_labels_leave_the_other_keypoints_free():
    net = network()
    labels = labels_of(net, 2)
    keep = torch.zeros(21, dtype=torch.bool)
    keep[[0, 4, 8, 12, 16, 20]] = True
    supervise = Supervision(net)
    features = Encoded()(torch.rand(2, 3, 8, 8))
    answer = net.answer(features, labels.projection, labels.focal)
    moved = labels._replace(
        keypoints=labels.keypoints + (~keep)[:, None] * 50.0, joints=labels.joints + (~keep)[:, None] * 0.1
    )
    with torch.no_grad():
        a, _ = supervise(answer, labels.sparser(keep))
        b, _ = supervise(answer, moved.sparser(keep))
    assert float(a) == pytest.approx(float(b), rel=1e-5)


def test_simulated_landmarks_err_like_a_landmark_network():
    labels = labels_of(GLFNet(), 12)
    many = Labels(*(f.repeat(60, *([1] * (f.ndim - 1))) for f in labels))
    points, world = simulate_landmarks(many, torch.Generator().manual_seed(0))
    meant_points, meant = as_teacher(many.keypoints, many.joints)
    error = (points - meant_points).norm(dim=-1)
    assert 2 < error.median() < 6 and error.quantile(0.95) > 10  # px of 224, with a heavy tail
    assert error[:, 4].mean() > error[:, 1].mean()  # tips are worse than bases
    centred = meant - meant.mean(1, keepdim=True)
    assert 0.005 < (world - centred).norm(dim=-1).median() < 0.02


def test_batches_are_shared_out_whole():
    counts = split_batch(96, [0.72, 0.16, 0.09, 0.03])
    assert sum(counts) == 96 and counts[0] > counts[1] > counts[2] > counts[3] >= 1
    assert min(split_batch(8, [100, 1, 1])) == 1
    with pytest.raises(InputError):
        split_batch(2, [1, 1, 1])


def test_the_shipped_recipe_reads_and_mistakes_are_named(tmp_path):
    assert list(Recipe.read(None).phases) == ["tune", "finish"]
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('[[data]]\nkind="rendered"\nfolder="x"\n[phases.a]\nstepz=3\n')
    with pytest.raises(InputError, match="stepz"):
        Recipe.read(wrong)
    wrong.write_text("not toml at all [")
    with pytest.raises(InputError, match="no TOML"):
        Recipe.read(wrong)
    with pytest.raises(InputError, match="missing.toml"):
        Recipe.read(tmp_path / "missing.toml")


def test_a_folder_that_is_no_bank(tmp_path):
    with pytest.raises(InputError, match="no complete feature bank"):
        FeatureBank(tmp_path)
