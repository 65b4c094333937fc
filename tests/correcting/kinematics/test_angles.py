"""The numpy angles are the torch ones, and invert and differentiate as they should."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.correcting.kinematics import angles as ours
from annotator.hand import limits as theirs
from annotator.hand.model import load_hand
from annotator.hand.rotations import rotation_matrices, rotation_vectors

MODEL = load_hand()
seeds = st.integers(0, 2**32 - 1)


def draw(seed, spread=0.6):
    return np.random.default_rng(seed).normal(0, spread, (15, 3)) * (1.5, 0.6, 0.6)


@settings(max_examples=30, deadline=None)
@given(seed=seeds)
def test_both_conventions_agree(seed):
    angles = draw(seed)
    rotations = ours.angles_to_rotations(angles, MODEL.anatomical_axes)
    tensor = torch.as_tensor(angles)
    assert np.abs(rotations - theirs.angles_to_rotations(tensor).numpy()).max() < 1e-12
    assert np.abs(ours.rotations_to_angles(rotations, MODEL.anatomical_axes)
                  - theirs.rotations_to_angles(torch.as_tensor(rotations)).numpy()).max() < 1e-9  # fmt: skip
    for mine, other in zip(ours.coupled_limits(angles, MODEL.limits), theirs.coupled_limits(tensor), strict=True):
        assert np.abs(mine - other.numpy()).max() < 1e-12
    read = ours.rotations_to_angles(rotations, MODEL.anatomical_axes)
    excess = theirs.limit_excess(torch.as_tensor(rotations)).numpy()
    assert np.abs(ours.limit_excess(read, MODEL.limits) - excess).max() < 1e-9


@settings(max_examples=30, deadline=None)
@given(seed=seeds)
def test_clamped_angles_are_within_the_limits_and_stay_there(seed):
    clamped = ours.clamp_angles(draw(seed, 1.5), MODEL.limits)
    assert ours.limit_excess(clamped, MODEL.limits).max() < 1e-12
    assert np.array_equal(ours.clamp_angles(clamped, MODEL.limits), clamped)


@settings(max_examples=30, deadline=None)
@given(seed=seeds)
def test_rates_against_finite_differences(seed):
    angles, step = draw(seed), 1e-6
    small = step * np.random.default_rng(seed).normal(size=(15, 3))
    before, after = (ours.angles_to_rotations(angles + s * small, MODEL.anatomical_axes) for s in (-1, 1))
    turn = rotation_vectors(before.transpose(0, 2, 1) @ after) / (2 * step)
    expected = (ours.angle_rates(angles, MODEL.anatomical_axes) @ small[..., None])[..., 0] / step
    assert np.abs(turn - expected).max() < 1e-6


@settings(max_examples=30, deadline=None)
@given(seed=seeds, length=st.sampled_from([0.0, 1e-9, 1e-4, 1e-3, 0.3, 1.5, 3.0]))
def test_rotation_vectors(seed, length):
    random = np.random.default_rng(seed)
    vector = random.normal(size=3)
    vector *= length / np.linalg.norm(vector)
    assert np.abs(ours.rotation_matrix(vector) - rotation_matrices(vector)).max() < 1e-14
    step = 1e-6
    small = step * random.normal(size=3)
    turn = rotation_vectors(rotation_matrices(vector - small).T @ rotation_matrices(vector + small)) / (2 * step)
    assert np.abs(turn - ours.turn_rate(vector) @ small / step).max() < 1e-6


@settings(max_examples=30, deadline=None)
@given(seed=seeds)
def test_slopes_of_coupled_limits_against_finite_differences(seed):
    angles, step = draw(seed, 0.3), 1e-7
    least, most = (np.zeros((45, 45)) for _ in range(2))
    for dependent, driver, slope, both in ours.coupling_slopes(angles):
        constant = MODEL.limits.reshape(45, 2)[dependent]
        least[dependent, driver] = slope * constant[0]
        most[dependent, driver] = slope * constant[1] * both
    for driver in range(45):
        moved = [angles.copy().ravel() for _ in range(2)]
        moved[0][driver] += step
        moved[1][driver] -= step
        up, down = (ours.coupled_limits(m.reshape(15, 3), MODEL.limits) for m in moved)
        for slopes, a, b in zip((least, most), up, down, strict=True):
            assert np.abs(slopes[:, driver] - ((a - b) / (2 * step)).ravel()).max() < 1e-6
