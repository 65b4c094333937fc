"""Bone lengths are coordinates like others, and what they make of a hand fits into its parameters."""

from __future__ import annotations

import numpy as np
import pytest
from small_rigs import SIZES, proposal, rig_of

from annotator.correcting.solver.stretching import FORM, STRETCH, Stretched, baked, directions
from annotator.correcting.views import join
from annotator.hand.building.proportions import random_bone_lengths, with_bone_lengths
from annotator.hand.mesh import HandParameters
from annotator.hand.rotations import rotation_matrices


def bent(model, seed):
    random = np.random.default_rng(seed)
    pose = random.normal(0, 0.2, (16, 3))
    pose[0] = random.normal(0, 1, 3)
    place = np.array([0.02, -0.03, 0.6])
    return HandParameters(pose, random.normal(0, 0.5, 10), place, np.zeros((model.offset_count, 3)))


def test_the_template_is_linear_in_the_lengths(hand_model):
    factors = random_bone_lengths(np.random.default_rng(0), 0.2)
    there = hand_model.template + directions(hand_model) @ (factors - 1)
    np.testing.assert_allclose(with_bone_lengths(hand_model, factors).template, there, atol=1e-12)


def test_its_joints_are_the_stretched_models(hand_model):
    parameters = bent(hand_model, 1)
    coordinates = Stretched(hand_model, parameters, 4.0, 3.0)
    x = coordinates.start.copy()
    x[STRETCH] = np.random.default_rng(2).uniform(-0.15, 0.15, 20)
    placed = coordinates.place(x)
    longer = with_bone_lengths(hand_model, 1 + x[STRETCH])
    vertices = longer.skin(placed.rotations, x[FORM][:10]) + coordinates.translation(x)
    np.testing.assert_allclose(placed.keypoints, hand_model.joints(vertices), atol=1e-9)


def test_the_jacobian_is_that_of_differences(hand_model):
    coordinates = Stretched(hand_model, bent(hand_model, 3), 4.0, 3.0)
    x = coordinates.start.copy()
    x[STRETCH] = np.random.default_rng(4).uniform(-0.1, 0.1, 20)
    jacobian = coordinates.jacobian(coordinates.place(x))
    for k in range(len(x)):
        step = np.zeros(len(x))
        step[k] = 1e-6
        difference = coordinates.place(x + step).keypoints - coordinates.place(x - step).keypoints
        np.testing.assert_allclose(jacobian[..., k], difference / 2e-6, atol=1e-7)


@pytest.mark.parametrize("seed", range(3))
def test_the_lengths_go_into_the_surface(hand_model, seed):
    parameters = bent(hand_model, seed)
    stretch = np.random.default_rng(seed).uniform(-0.15, 0.15, 20)
    rotations = rotation_matrices(parameters.pose)
    wanted = with_bone_lengths(hand_model, 1 + stretch).skin(rotations, parameters.shape)
    found = hand_model.skin(rotations, parameters.shape, baked(hand_model, rotations, parameters.shape, stretch))
    plain = hand_model.skin(rotations, parameters.shape)
    off, before = (np.linalg.norm(one - wanted, axis=1).mean() for one in (found, plain))
    assert off < 0.001 and off < 0.3 * before


def test_hands_beyond_the_shape_space_are_found(hand_model):
    """Four photos, exact keypoints: what is left is what the network's proportions would have left."""
    rig, errors = rig_of(4), []
    for seed in range(3):
        random = np.random.default_rng(seed)
        parameters = bent(hand_model, seed)
        longer = with_bone_lengths(hand_model, random_bone_lengths(random, 0.15))
        vertices = longer.skin(rotation_matrices(parameters.pose), parameters.shape)
        world = hand_model.joints(vertices)
        vertices = vertices - world.mean(axis=0)
        world = world - world.mean(axis=0)
        pose = np.array(parameters.pose)
        there = {n: [proposal(rig[n], hand_model, world, pose, parameters.shape, "right", random, 0.3)] for n in rig}
        (hand,) = join(there, rig, hand_model, SIZES)
        errors.append(1000 * np.linalg.norm(hand.vertices - vertices, axis=1).mean())
    assert np.mean(errors) < 2.5
