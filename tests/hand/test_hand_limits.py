"""Anatomical angles: the round trip, what signs mean, ranges and their couplings, the thumb's opposition."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from annotator.hand import KEYPOINT_OF_MANO, MANO_JOINT_NAMES, TIPS, joint_index
from annotator.hand.layer import HandLayer
from annotator.hand.limits import (
    angles_to_rotations,
    clamp_angles,
    coupled_limits,
    limit_excess,
    rotations_to_angles,
)

fractions = arrays(np.float64, (15, 3), elements=st.floats(-1, 1, width=32))


@settings(max_examples=40, deadline=None)
@given(fractions)
def test_angles_survive_the_round_trip(values):
    angles = torch.as_tensor(values) * torch.tensor([3.1, 1.5, 3.1], dtype=torch.float64)
    rotations = angles_to_rotations(angles)
    assert (rotations @ rotations.transpose(-1, -2) - torch.eye(3)).abs().max() < 1e-12
    assert torch.linalg.det(rotations).min() > 0
    assert (rotations_to_angles(rotations) - angles).abs().max() < 1e-9


@settings(max_examples=40, deadline=None)
@given(fractions)
def test_clamped_poses_are_within_limits_and_others_exceed_by_what_is_missing(values):
    angles = torch.as_tensor(values) * 1.5
    inside = clamp_angles(angles)
    assert limit_excess(angles_to_rotations(inside)).max() < 1e-9
    least, most = coupled_limits(angles)
    expected = torch.clamp(torch.maximum(angles - most, least - angles), min=0)
    assert (limit_excess(angles_to_rotations(angles)) - expected).abs().max() < 1e-9


def test_rest_is_within_limits_and_gradients_are_finite(hand):
    rotations = torch.eye(3, dtype=torch.float64).repeat(2, 15, 1, 1).requires_grad_()
    excess = limit_excess(rotations, hand.anatomical_axes, hand.limits)
    assert excess.shape == (2, 15, 3) and excess.max() == 0
    rotations_to_angles(rotations).sum().backward()
    assert rotations.grad.isfinite().all()
    angles = torch.full((15, 3), 0.6, dtype=torch.float64, requires_grad=True)
    limit_excess(angles_to_rotations(angles)).sum().backward()
    assert angles.grad.isfinite().all() and angles.grad.abs().max() > 0


def test_what_positive_means(hand, posed):
    """Flexion brings the tip before the palm; abduction a finger toward the thumb, the thumb off the palm."""
    rest = hand.joints(hand.template)
    palm = np.cross(rest[5] - rest[0], rest[17] - rest[0])
    palm /= np.linalg.norm(palm)
    across = rest[5] - rest[17]
    for joint, name in enumerate(MANO_JOINT_NAMES[1:]):
        tip = [t for t in TIPS if t >= joint_index(name)][0]
        for axis, toward in ((0, palm), (1, across)):
            degrees = np.zeros((15, 3))
            degrees[joint, axis] = 15
            moved = hand.joints(hand.skin(posed(degrees), np.zeros(10)))[tip] - rest[tip] + rest[0]
            if name.startswith("thumb"):
                # Flexion takes the thumb across the palm, toward the little finger; abduction before it.
                toward = -across if axis == 0 else palm
            assert moved @ toward > 0, (name, axis)
        here, bone = rest[KEYPOINT_OF_MANO[joint + 1]], hand.anatomical_axes[joint, 2]
        assert bone @ (rest[KEYPOINT_OF_MANO[joint + 1] + 1] - here) > 0  # twist is about the bone, outward


def test_splay_goes_away_as_the_knuckle_flexes():
    angles = torch.zeros(4, 15, 3, dtype=torch.float64)
    angles[:, 0, 0] = torch.deg2rad(torch.tensor([0.0, 35.0, 70.0, 90.0]))
    angles[:, 0, 1] = np.deg2rad(12)
    excess = torch.rad2deg(limit_excess(angles_to_rotations(angles)))[:, 0, 1]
    np.testing.assert_allclose(excess, [0, 2, 12, 12], atol=1e-6)
    angles[:, 1, 0] = np.deg2rad(-8)  # a PIP joint bends back with a straight DIP joint, not with a bent one
    angles[:, 2, 0] = torch.deg2rad(torch.tensor([0.0, 10.0, 20.0, 60.0]))
    excess = torch.rad2deg(limit_excess(angles_to_rotations(angles)))[:, 1, 0]
    np.testing.assert_allclose(excess, [0, 3, 8, 8], atol=1e-6)


def test_the_thumb_reaches_every_fingertip_and_the_little_fingers_base(hand):
    """Within limits: five hands at once, each a few steps of gradient descent on the gap it has to close."""
    layer = HandLayer(hand)
    goals = torch.tensor([8, 12, 16, 20, 17])
    still = torch.tensor([[0.0, 0, 0]] * 4 + [[0, -0.012, 0]])  # on the skin before the little finger's knuckle
    angles = torch.zeros(5, 15, 3, requires_grad=True)
    optimiser = torch.optim.Adam([angles], 0.04)
    first = torch.eye(3).expand(5, 1, 3, 3)
    for _ in range(250):
        local = angles_to_rotations(clamp_angles(angles))
        joints = layer.keypoints_from_pose(torch.cat([first, local], dim=1), torch.zeros(5, 10))
        gap = (joints[:, 4] - joints[torch.arange(5), goals] - still).norm(dim=1)
        optimiser.zero_grad()
        (gap.sum() * 100 + 0.01 * (angles**2).sum()).backward()
        optimiser.step()
    assert gap.max() < 0.008, gap
    assert limit_excess(local.detach()).max() < 1e-3
