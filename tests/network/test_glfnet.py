"""GLFNet through its own doors: shapes, the switches of the ablations, prompts, cached features, checkpoints."""

from __future__ import annotations

import importlib.util
import json
import os

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from annotator.errors import InputError
from annotator.network.checkpoint import checkpoint_digest, load_checkpoint, save_checkpoint
from annotator.network.crop_camera import plain_projection
from annotator.network.glfnet import GLFNet, GLFNetConfig
from annotator.network.parametric import place, rotation_from_6d
from annotator.network.prompts import Prompts, random_prompts, residual
from annotator.network.retrieval import PixelAlignedRetrieval

FOCAL = torch.tensor([700.0, 500.0])


def untrained(**switches) -> GLFNet:
    torch.manual_seed(3)
    network = GLFNet(GLFNetConfig(**switches)).eval()
    with torch.no_grad():  # heads start almost silent: make them speak, so that differences can be seen
        for stage in network.stages:
            stage.move.weight.normal_(std=0.05)
            stage.displace.weight.normal_(std=0.3)
    return network


@pytest.fixture(scope="module")
def crops() -> torch.Tensor:
    return torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))


@torch.inference_mode()
def test_answer_has_an_estimate_for_every_retrieval(crops):
    network = untrained()
    answer, features = network(crops, plain_projection(FOCAL), FOCAL)
    assert len(answer.estimates) == 1 + 3 * 2
    assert [m.shape[-1] for m in features.maps] == [28, 14, 7]
    assert answer.keypoint_sigma.shape == (2, 21) and (answer.keypoint_sigma > 0).all()
    placed = place(network.layer, answer.final, plain_projection(FOCAL), FOCAL)
    vertices = network.layer(answer.final.rotations(), answer.final.shape, answer.final.offsets)
    from_mesh = network.layer.joints(vertices) + placed.translation[:, None]
    assert (from_mesh - placed.joints).abs().max() < 1e-5  # joints are the mesh's, not a second opinion


@pytest.mark.parametrize(
    "switches, estimates",
    [
        ({"levels": (), "strides": ()}, 1),
        ({"levels": (0,), "strides": (32,)}, 3),
        ({"retrievals": 1}, 4),
        ({"aligned": False}, 7),
        ({"prior": False}, 7),
        ({"free_field": False}, 7),
    ],
)
@torch.inference_mode()
def test_every_idea_can_be_switched_off(crops, switches, estimates):
    network = untrained(**switches)
    answer, _ = network(crops, plain_projection(FOCAL), FOCAL)
    assert len(answer.estimates) == estimates
    assert torch.isfinite(answer.final.pose).all() and torch.isfinite(answer.joint_sigma).all()
    if not switches.get("free_field", True):
        assert (answer.final.offsets == 0).all()


@torch.inference_mode()
def test_switches_change_what_is_computed(crops):
    full = untrained()
    plain, _ = full(crops, plain_projection(FOCAL), FOCAL)
    state = full.state_dict()
    for switch in ("aligned", "prior", "free_field"):
        other = GLFNet(GLFNetConfig(**{switch: False})).eval()
        other.load_state_dict(state)
        changed, _ = other(crops, plain_projection(FOCAL), FOCAL)
        moved = (changed.final.pose - plain.final.pose).abs().max() + (
            changed.final.offsets - plain.final.offsets
        ).abs().max()
        assert moved > 1e-6, switch


@torch.inference_mode()
def test_a_prompt_reaches_the_answer_without_the_encoder(crops):
    network = untrained()
    projection = plain_projection(FOCAL)
    answer, features = network(crops, projection, FOCAL)
    prompts = Prompts(torch.full((2, 21, 2), 60.0), torch.zeros(2, 21))
    same = network.refine(features, answer.parametric, projection, FOCAL, prompts)
    assert torch.equal(same.final.pose, answer.final.pose)  # weight 0 is the same as no prompt
    prompts.weights[0, 8] = 1.0
    network.encoder = None  # a correction must not need it
    changed = network.refine(features, answer.parametric, projection, FOCAL, prompts)
    assert not torch.equal(changed.final.pose[0], answer.final.pose[0])
    assert torch.equal(changed.final.pose[1], answer.final.pose[1])


def test_retrieval_reads_the_map_where_the_point_is():
    retrieval = PixelAlignedRetrieval(4, 8)
    prepared = torch.zeros(1, 8, 28, 28)
    prepared[0, :, 10, 20] = 1.0
    centre = torch.tensor([[[20 * 8 + 3.5, 10 * 8 + 3.5], [20 * 8 + 7.5, 10 * 8 + 3.5], [50.0, 50.0]]])
    values = retrieval(prepared, centre)[0, :, 0]
    assert values.tolist() == pytest.approx([1.0, 0.5, 0.0], abs=1e-5)


def test_random_prompts_cover_none_to_all_and_skip_hidden_joints():
    generator = torch.Generator().manual_seed(0)
    keypoints = torch.rand(4000, 21, 2, generator=generator) * 224
    visible = torch.ones(4000, 21)
    visible[:, 4] = 0
    counts = random_prompts(keypoints, visible, generator).weights.sum(1)
    assert (counts == 0).float().mean() > 0.4
    assert counts.max() == 20 and ((counts > 0) & (counts < 5)).any()
    assert random_prompts(keypoints, visible, generator).weights[:, 4].sum() == 0


def test_residual_is_zero_where_nothing_is_known():
    points = torch.full((1, 21, 2), float("nan"))
    assert torch.equal(residual(points, torch.zeros(1, 21), torch.zeros(1, 21, 2)), torch.zeros(1, 21, 3))


def test_rotations_are_rotations():
    rotation = rotation_from_6d(torch.randn(50, 6))
    eye = rotation @ rotation.transpose(1, 2)
    assert (eye - torch.eye(3)).abs().max() < 1e-5 and (torch.linalg.det(rotation) > 0.99).all()


def test_checkpoint_round_trip_and_its_errors(tmp_path, crops):
    network = untrained()
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, network, {"note": "hello"}, half=False)
    again, card = load_checkpoint(path)
    assert card == {"note": "hello"} and again.config == network.config
    assert checkpoint_digest(again) == checkpoint_digest(network)
    with torch.inference_mode():
        a, _ = network(crops, plain_projection(FOCAL), FOCAL)
        b, _ = again(crops, plain_projection(FOCAL), FOCAL)
    assert torch.equal(a.final.pose, b.final.pose)
    with pytest.raises(InputError, match="no such file"):
        load_checkpoint(tmp_path / "missing.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match="broken.safetensors"):
        load_checkpoint(broken)
    pickled = tmp_path / "evil.safetensors"
    pickled.write_bytes(b"\x80\x04cos\nsystem\n(S'echo hello'\ntR.")
    with pytest.raises(InputError, match="evil"):
        load_checkpoint(pickled)


@pytest.mark.parametrize(
    "wrong",
    [
        {"width": 16.0},
        {"hidden": True},
        {"retrievals": 10**9},
        {"levels": [0, 99]},
        {"levels": 3},
        {"strides": [32, 16.0]},
        {"encoder": 5},
        {"hand": 7},
        {"width": 32},
    ],
)
def test_a_configuration_that_cannot_be_is_refused(tmp_path, wrong):
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, untrained(), {})
    with safe_open(path, "pt") as file:
        metadata, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}
    metadata["config"] = json.dumps(json.loads(metadata["config"]) | wrong)
    save_file(tensors, path, metadata)
    with pytest.raises(InputError):
        load_checkpoint(path)


def test_a_backbone_by_name(crops):
    if importlib.util.find_spec("timm") is None:
        pytest.skip("timm is not installed")
    network = GLFNet(GLFNetConfig(encoder="timm:resnet10t")).eval()
    with torch.inference_mode():
        answer, features = network(crops, plain_projection(FOCAL), FOCAL)
    assert torch.isnan(features.landmarks).all()  # it has none, and the parametric stage is told so
    assert np.isfinite(answer.final.pose.numpy()).all()
    with pytest.raises(InputError, match="nonesuch"):
        GLFNet(GLFNetConfig(encoder="timm:nonesuch"))
    with pytest.raises(InputError, match="unknown encoder"):
        GLFNet(GLFNetConfig(encoder="other"))


def test_a_checkpoint_that_the_disk_refuses_leaves_the_old_one(tmp_path, monkeypatch):
    from annotator.network.checkpoint import write_tensors

    path = tmp_path / "kept.safetensors"
    write_tensors(path, {"a": torch.zeros(3)}, {"of": "before"})
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", lambda _file: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    with pytest.raises(InputError, match="cannot write .*kept.safetensors: Input/output error"):
        write_tensors(path, {"a": torch.ones(3)}, {})
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
    with pytest.raises(InputError, match="cannot write"):  # how the library says that a folder is gone
        write_tensors(tmp_path, {"a": torch.ones(3)}, {})


@pytest.mark.parametrize(
    "setting", [{"hidden": 16384}, {"width": 16384}, {"retrievals": 16384}, {"levels": [0] * 9999}]
)
def test_a_configuration_beyond_its_tensors_is_refused_before_memory_is_taken(tmp_path, setting):
    network = untrained()
    config = network.config.as_dict() | setting | {"strides": [8] * len(setting.get("levels", (0, 1, 2)))}
    state = {name: tensor for name, tensor in network.state_dict().items() if not name.startswith("layer.")}
    save_file({k: v.contiguous() for k, v in state.items()}, tmp_path / "a", {"config": json.dumps(config)})
    with pytest.raises(InputError, match="does not fit its own configuration: its tensors are too few"):
        load_checkpoint(tmp_path / "a")
