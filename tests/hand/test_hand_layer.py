"""The torch layer against numpy, smplx's own forward, and its short cuts against the full mesh."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from annotator.errors import InputError
from annotator.hand.layer import HandLayer
from annotator.hand.rotations import rotation_matrices


@pytest.fixture(scope="module", params=["free", "with pose correctives"])
def model(request, hand):
    if request.param == "free":
        return hand
    correctives = np.random.default_rng(0).normal(0, 1e-3, (len(hand.template), 3, 135))  # as a MANO file has them
    return dataclasses.replace(hand, pose_directions=correctives)


@pytest.fixture(scope="module")
def inputs(hand):
    generator = np.random.default_rng(1)
    vectors = generator.normal(0, 0.6, (6, 16, 3))
    return vectors, generator.standard_normal((6, 10)), generator.normal(0, 2e-3, (6, hand.offset_count, 3))


def tensors(*arrays):
    return [torch.as_tensor(a, dtype=torch.float32) for a in arrays]


@pytest.mark.parametrize("with_offsets", [False, True])
def test_layer_agrees_with_numpy_and_its_short_cuts_with_the_mesh(model, inputs, with_offsets):
    vectors, shape, offsets = inputs
    rotations = rotation_matrices(vectors)
    given = tensors(rotations, shape) + (tensors(offsets) if with_offsets else [])
    layer = HandLayer(model)
    vertices = layer(*given)
    for number in range(len(shape)):
        one = model.skin(rotations[number], shape[number], offsets[number] if with_offsets else None)
        np.testing.assert_allclose(vertices[number].numpy(), one, atol=1e-6)
    assert (layer.keypoints_from_pose(*given) - layer.joints(vertices)).abs().max() < 1e-6
    np.testing.assert_allclose(layer.joints(vertices)[0].numpy(), model.joints(vertices[0].numpy()), atol=1e-6)
    for level, coarse in enumerate(model.levels):
        part = layer.vertices_at(level, *given)
        assert part.shape == (6, len(coarse.indices), 3)
        assert (part - vertices[:, torch.tensor(coarse.indices)]).abs().max() < 1e-6


def test_layer_agrees_with_smplx_mano(model, inputs):
    vectors, shape, _ = inputs
    layer = HandLayer(model)
    vectors, shape, rotations = tensors(vectors, shape, rotation_matrices(vectors))
    answer = layer.mano(
        betas=shape,
        global_orient=vectors[:, 0],
        hand_pose=vectors[:, 1:].flatten(1),
        transl=torch.zeros(6, 3),
    )
    expected = answer.vertices - answer.joints[:, :1]  # smplx leaves the wrist where the template has it
    assert (layer(rotations, shape) - expected).abs().max() < 1e-6


def test_gradients_flow_and_match_finite_differences(hand, inputs):
    layer = HandLayer(hand).double()
    vectors, shape, offsets = (torch.as_tensor(a[:1]) for a in inputs)
    rotations = torch.as_tensor(rotation_matrices(vectors.numpy()))
    functions = (layer.keypoints_from_pose, lambda *a: layer.vertices_at(0, *a), layer)
    for function in functions:
        given = [t.clone().requires_grad_() for t in (rotations, shape, offsets)]
        generator = torch.Generator().manual_seed(0)
        weight = torch.randn(function(*given).shape, generator=generator, dtype=torch.float64)
        (function(*given) * weight).sum().backward()
        for place, tensor in enumerate(given):
            step = 1e-6 * torch.randn(tensor.shape, generator=generator, dtype=torch.float64)
            ends = []
            for sign in (1, -1):
                changed = [t.detach() for t in given]
                changed[place] = changed[place] + sign * step
                ends.append((function(*changed) * weight).sum())
            slope = (ends[0] - ends[1]) / 2
            assert slope.item() == pytest.approx((tensor.grad * step).sum().item(), rel=1e-5, abs=1e-12)


def test_layer_adds_nothing_to_a_checkpoint_and_speaks_clearly(hand, capsys):
    layer = HandLayer(hand)
    assert not layer.state_dict() and not list(layer.parameters())
    assert capsys.readouterr().out == ""
    rotations, shape = torch.eye(3).repeat(2, 16, 1, 1), torch.zeros(2, 10)
    with pytest.raises(InputError, match="rotations"):
        layer(rotations[:, :15], shape)
    with pytest.raises(InputError, match="level 7"):
        layer.vertices_at(7, rotations, shape)
