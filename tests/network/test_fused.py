"""Networks run by fused calls say what the plain ones say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from annotator.network.checkpoint import load_checkpoint
from annotator.network.fused_hand import FusedHand, fused_encoder, fused_hand
from annotator.network.mediapipe_hand import load_mediapipe_hand
from annotator.vision import fused
from annotator.vision.crops import Crop, brighter_left, extract_all
from annotator.vision.fused_palm import FusedPalmNetwork
from annotator.vision.palm import INPUT, PalmDetector
from annotator.vision.photos import read_photo

needed = pytest.mark.skipif(not fused.available(), reason="this PyTorch has no oneDNN calls of that kind")


@pytest.fixture(scope="module")
def crops(photo_file):
    photo = read_photo(photo_file)
    return extract_all(photo, [Crop(310, 540, 500), Crop(280, 600, 400, 0.5), Crop(310, 540, 900, 2.0, True)])


@needed
@torch.inference_mode()
def test_the_hand_network(crops):
    network = load_mediapipe_hand()
    plain, quick = network(crops), fused_hand(network)(crops)
    assert isinstance(fused_hand(network), FusedHand)
    assert (plain.landmarks - quick.landmarks).abs().max() < 2e-3  # crop px
    for name in ("presence", "right", "world"):
        assert (getattr(plain, name) - getattr(quick, name)).abs().max() < 1e-5
    for stride, plain_map in plain.maps.items():
        assert torch.allclose(fused.turned(quick.maps[stride]), plain_map, atol=1e-3)


@needed
@torch.inference_mode()
def test_the_encoder_of_the_shipped_model(crops):
    encoder = load_checkpoint()[0].encoder
    plain, quick = encoder(crops), fused_encoder(encoder)(crops)
    for a, b in zip((*plain.maps, *tuple(plain)[1:]), (*quick.maps, *tuple(quick)[1:]), strict=True):
        assert torch.allclose(a, b, atol=2e-3, rtol=1e-4)


@needed
@torch.inference_mode()
def test_the_palm_network(photo_file):
    network = PalmDetector().network
    pictures = extract_all(read_photo(photo_file), [Crop(310, 540, 1080), Crop(200, 400, 700, 1.0)], INPUT)
    for a, b in zip(network(pictures), FusedPalmNetwork(network).eval()(pictures), strict=True):
        assert torch.allclose(a, b, atol=2e-3, rtol=1e-4)


def test_without_such_calls_networks_run_as_they_are(monkeypatch):
    monkeypatch.setattr(fused, "_works", lambda: False)
    network = load_mediapipe_hand()
    assert fused_hand(network) is network and not fused.available() and not fused.available("cuda")
    assert fused_encoder(nn.Linear(2, 2)).__class__ is nn.Linear


def test_of_a_picture_and_its_mirror_image_one_is_brighter_left():
    pictures = torch.from_numpy(np.random.default_rng(0).random((20, 3, 30, 31)))
    assert torch.equal(brighter_left(pictures), ~brighter_left(pictures.flip(-1)))
