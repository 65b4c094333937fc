"""The joints' short cut equals the mesh, and its Jacobian equals finite differences."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.correcting.kinematics.chain import Chain, chain_of
from annotator.correcting.solver.coordinates import ANGLES, COUNT, PLACE, POSE_COUNT, SHAPE, TURN, Coordinates
from annotator.hand.mesh import HandParameters
from annotator.hand.model import load_hand
from annotator.hand.rotations import rotation_matrices

STEP = 1e-6
seeds = st.integers(0, 2**32 - 1)


def with_correctives(model):
    """The free hand with made-up pose correctives, as a MANO of a user's has them."""
    random = np.random.default_rng(3)
    directions = 1e-3 * random.normal(size=(len(model.template), 3, 135))
    return dataclasses.replace(model, pose_directions=directions)


MODELS = {"free": load_hand(), "with pose correctives": with_correctives(load_hand())}


def draw(seed, model):
    random = np.random.default_rng(seed)
    rotations = rotation_matrices(random.normal(0, 0.7, (16, 3)))
    return rotations, random.normal(0, 1.5, 10), random.normal(0, 0.004, (model.offset_count, 3)), random


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_keypoints_are_those_of_the_mesh(name, seed):
    model = MODELS[name]
    rotations, shape, offsets, _ = draw(seed, model)
    chain = chain_of(model)
    found = chain.pose(rotations, chain.rest(shape, offsets)).keypoints
    assert np.abs(found - model.joints(model.skin(rotations, shape, offsets))).max() < 1e-12


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_turn_jacobian_against_finite_differences(name, seed):
    model = MODELS[name]
    rotations, shape, offsets, random = draw(seed, model)
    chain = chain_of(model)
    rest = chain.rest(shape, offsets)
    jacobian = chain.turn_jacobian(chain.pose(rotations, rest))
    for joint in range(16):
        small = STEP * random.normal(size=3)
        ends = []
        for sign in (1, -1):
            turned = rotations.copy()
            turned[joint] = rotations[joint] @ rotation_matrices(sign * small)
            ends.append(chain.pose(turned, rest).keypoints)
        expected = (ends[0] - ends[1]) / (2 * STEP)
        assert np.abs(jacobian[:, :, joint] @ small / STEP - expected).max() < 1e-6


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_shape_jacobian_against_finite_differences(name, seed):
    model = MODELS[name]
    rotations, shape, offsets, random = draw(seed, model)
    if model.pose_directions is not None:
        offsets = None
    chain = chain_of(model)
    jacobian = chain.shape_jacobian(chain.pose(rotations, chain.rest(shape, offsets)))
    small = STEP * random.normal(size=10)
    ends = [chain.pose(rotations, chain.rest(shape + s * small, offsets)).keypoints for s in (1, -1)]
    assert np.abs(jacobian @ small / STEP - (ends[0] - ends[1]) / (2 * STEP)).max() < 1e-6


@settings(max_examples=15, deadline=None)
@given(seed=seeds)
def test_solver_coordinates_against_finite_differences(seed):
    """Angles, the whole hand's turn, place and shape, at once and away from the proposal."""
    model = MODELS["free"]
    random = np.random.default_rng(seed)
    pose = random.normal(0, 0.1, (16, 3))
    parameters = HandParameters(
        pose,
        random.normal(size=10),
        np.array([0.1, -0.05, 0.5]),
        random.normal(0, 0.002, (model.offset_count, 3)),
    )
    coordinates = Coordinates(model, parameters, 1.6, 3.0)
    x = coordinates.start + 0
    x[ANGLES] += random.normal(0, 0.3, 45)
    x[TURN] += random.normal(0, 0.6, 3)
    x[PLACE] += random.normal(0, 0.1, 3)
    x[SHAPE] += random.normal(0, 0.5, 10)
    jacobian = coordinates.jacobian(coordinates.place(x), with_shape=True)
    assert jacobian.shape == (21, 3, COUNT)
    for column in range(COUNT):
        ends = []
        for sign in (1, -1):
            moved = x.copy()
            moved[column] += sign * STEP
            ends.append(coordinates.place(moved).keypoints)
        assert np.abs(jacobian[..., column] - (ends[0] - ends[1]) / (2 * STEP)).max() < 1e-6, column
    without = coordinates.jacobian(coordinates.place(x), with_shape=False)
    assert np.array_equal(without, jacobian[..., :POSE_COUNT])


@pytest.mark.parametrize("seed", range(5))
def test_coordinates_give_the_parameters_back(seed, make_truth, hand_model):
    truth = make_truth(seed)
    coordinates = Coordinates(hand_model, truth.parameters, 1.6, 3.0)
    placed = coordinates.place(coordinates.start)
    assert np.abs(placed.keypoints - truth.joints).max() < 1e-9
    back = coordinates.parameters(placed)
    assert np.abs(hand_model.vertices(back) - truth.vertices).max() < 1e-9


def test_a_chain_is_made_once_for_each_model(hand_model):
    assert chain_of(hand_model) is chain_of(hand_model)
    assert isinstance(chain_of(hand_model), Chain)
