"""Networks recorded as lists of operations: PyTorch and OpenVINO give the same, and broken files are named."""

from __future__ import annotations

import json
from importlib.resources import files

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from torch import nn

from annotator.errors import InputError
from annotator.network.frozen.recorded import RecordedNetwork, exported_recorded
from annotator.network.layers import same_padding

# every kind of operation: a picture of 16 px on its way to a map, to rows and to a flat vector
OPERATIONS = [
    ("conv", [0], {"stride": 2, "groups": 1, "padding": "same"}),  # 1: (8, 8, 8)
    ("relu6", [1], {}),
    ("conv", [2], {"stride": 1, "groups": 8, "padding": [1, 1, 1, 1]}),  # 3: depthwise
    ("add", [2, 3], {}),
    ("max_pool", [4], {}),  # 5: (8, 4, 4)
    ("double", [5], {}),  # 6: (8, 8, 8)
    ("depth_to_space", [5], {"block": 2}),  # 7: (2, 8, 8)
    ("rows", [6], {"width": 2}),  # 8: (256, 2)
    ("rows", [7], {"width": 2}),  # 9: (64, 2)
    ("concat", [8, 9], {}),  # 10: (320, 2)
    ("conv", [5], {"stride": 4, "groups": 1, "padding": [0, 0, 0, 0]}),  # 11: (3, 1, 1)
    ("sigmoid", [11], {}),
    ("flat", [12], {}),
]


@pytest.fixture
def path(tmp_path):
    rng = np.random.default_rng(0)
    shapes = {1: (8, 3, 3, 3), 3: (8, 1, 3, 3), 11: (3, 8, 4, 4)}
    tensors = {f"{k}.weight": rng.normal(0, 0.3, shape).astype(np.float16) for k, shape in shapes.items()}
    tensors |= {f"{k}.bias": rng.normal(0, 0.1, shape[0]).astype(np.float16) for k, shape in shapes.items()}
    about = {"operations": json.dumps(OPERATIONS), "outputs": json.dumps([10, 13])}
    save_file(tensors, tmp_path / "net.safetensors", metadata=about)
    return tmp_path / "net.safetensors"


def test_both_ways_give_the_same(path):
    network = RecordedNetwork.read(path)
    picture = torch.from_numpy(np.random.default_rng(1).random((2, 3, 16, 16), np.float32))
    rows, flat = network(picture)
    assert rows.shape == (2, 320, 2) and flat.shape == (2, 3) and (flat > 0).all() and (flat < 1).all()
    for size in (16, -1):
        for own, other in zip(network(picture), exported_recorded(network, size)(picture), strict=True):
            assert torch.allclose(own, other, atol=1e-5)


def test_a_convolution_is_tensorflows(path):
    """'SAME' of stride 2 on an even side pads one pixel, after; the kernel's middle is at odd places."""
    assert same_padding(16, 3, 2) == (0, 1) and same_padding(15, 3, 2) == (1, 1) and same_padding(8, 1, 1) == (0, 0)
    network = RecordedNetwork.read(path)
    first = RecordedNetwork(
        network.operations[:1], [1], {k.replace("n1_", "1."): v for k, v in network.named_buffers()}
    )
    picture = torch.rand(1, 3, 16, 16)
    weight, bias = network.weights(1)
    by_hand = (picture[0, :, 2:5, 4:7] * weight[5]).sum() + bias[5]
    assert float(first(picture)[0][0, 5, 1, 2]) == pytest.approx(float(by_hand), abs=1e-5)


def test_channels_go_to_space_in_tensorflows_order(path):
    network = RecordedNetwork.read(path)
    network.operations, network.outputs = [network.operations[6].__class__("depth_to_space", (0,), {"block": 2})], [1]
    values = torch.arange(8.0).reshape(1, 8, 1, 1)  # channel = (row * 2 + column) * 2 + own
    assert network(values)[0].tolist() == [[[[0, 2], [4, 6]], [[1, 3], [5, 7]]]]


@pytest.mark.parametrize("name", ["body_detector", "body_landmarks"])
def test_the_networks_of_bodies_run_alike(name):
    network = RecordedNetwork.read(files("annotator.detection") / "weights" / f"{name}.safetensors")
    size = 224 if name == "body_detector" else 256
    picture = torch.from_numpy(np.random.default_rng(2).random((1, 3, size, size), np.float32))
    for own, other in zip(network(picture), exported_recorded(network, size)(picture), strict=True):
        assert own.shape == other.shape and torch.allclose(own, other, rtol=1e-3, atol=5e-3)
    assert isinstance(network, nn.Module) and not list(network.parameters())  # nothing to train


@pytest.mark.parametrize("broken", ["missing", "cut", "no list", "no json"])
def test_broken_files_are_named(path, tmp_path, broken):
    bad = tmp_path / "bad.safetensors"
    if broken == "cut":
        bad.write_bytes(path.read_bytes()[:200])
    elif broken == "no list":
        save_file({"a": np.zeros(1)}, bad)
    elif broken == "no json":
        save_file({"a": np.zeros(1)}, bad, metadata={"operations": "[[", "outputs": "[]"})
    message = "cannot read .*bad.safetensors: " if broken == "missing" else "bad.safetensors is no recorded network"
    with pytest.raises(InputError, match=message):
        RecordedNetwork.read(bad)
