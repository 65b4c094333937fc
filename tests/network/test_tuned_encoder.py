"""The encoder with a fixed and a tuned trunk: begins as MediaPipe's, keeps its landmarks, fits in a checkpoint."""

from __future__ import annotations

import pytest
import torch
from safetensors import safe_open

from annotator.network.checkpoint import load_checkpoint, save_checkpoint
from annotator.network.encoders.mediapipe import MediaPipeEncoder
from annotator.network.encoders.registry import build_encoder
from annotator.network.glfnet import GLFNet, GLFNetConfig


@pytest.fixture(scope="module")
def crops():
    return torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(3))


def spoil(encoder) -> None:
    with torch.no_grad():
        for parameter in encoder.learned().parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)))


def test_it_begins_as_the_original(crops):
    with torch.inference_mode():
        ours, original = build_encoder("mediapipe-tuned")(crops), MediaPipeEncoder()(crops)
    for mine, its in zip(ours.maps, original.maps, strict=True):
        assert torch.equal(mine, its)
    assert original.outline is None and ours.outline.shape == (2, 1, 112, 112)
    assert torch.equal(ours.pooled, torch.cat([original.pooled, original.pooled], dim=1))


def test_learning_moves_features_and_never_landmarks(crops):
    encoder = build_encoder("mediapipe-tuned")
    with torch.inference_mode():
        before = encoder(crops)
        spoil(encoder)
        after = encoder(crops)
    assert torch.equal(after.landmarks, before.landmarks) and torch.equal(after.world, before.world)
    assert not torch.allclose(after.maps[1], before.maps[1]) and torch.equal(after.maps[0], before.maps[0])


def test_two_steps_are_the_whole_and_gradients_reach_the_tuned_trunk_alone(crops):
    encoder = build_encoder("mediapipe-tuned")
    stem = encoder.stem(crops)
    assert len(stem.maps) == 1 and not stem.maps[0].requires_grad
    features = encoder.complete(stem)
    assert torch.allclose(features.pooled, encoder(crops).pooled)
    features.pooled.sum().backward()
    assert all(p.grad is not None for p in encoder.learned().parameters())
    assert all(p.grad is None for p in encoder.network.parameters())


def test_a_checkpoint_holds_only_what_was_learned(crops, tmp_path):
    network = GLFNet(GLFNetConfig(encoder="mediapipe-tuned", levels=(0,), strides=(32,), hidden=64, width=16))
    spoil(network.encoder)
    save_checkpoint(tmp_path / "net.safetensors", network, half=False)
    with safe_open(tmp_path / "net.safetensors", "pt") as file:
        names = list(file.keys())
    assert not [name for name in names if name.startswith("encoder.network.")]
    again, _ = load_checkpoint(tmp_path / "net.safetensors")
    with torch.inference_mode():
        assert torch.equal(again.encoder(crops).pooled, network.encoder(crops).pooled)
