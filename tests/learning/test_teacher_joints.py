"""Simulated landmarks mean the joints as MediaPipe does."""

from __future__ import annotations

import numpy as np
import torch

from annotator.hand.definitions import MEDIAPIPE
from annotator.learning.data.teacher_joints import as_teacher, joint_frames


def test_joints_move_as_the_bones_turn(make_hand):
    """By joints alone, as by the rotations of the bones."""
    hands = [make_hand(seed) for seed in range(30)]
    joints = torch.from_numpy(np.array([hand.joints for hand in hands]))
    keypoints = torch.from_numpy(np.array([hand.keypoints for hand in hands]))
    moved_keypoints, moved = as_teacher(keypoints, joints)
    expected = np.array([MEDIAPIPE.joints(hand) for hand in hands])
    assert np.median(np.linalg.norm(moved.numpy() - expected, axis=-1), axis=0).max() < 0.0015
    size = np.ptp(keypoints.numpy(), axis=1).max(-1)
    seen = np.array([MEDIAPIPE.keypoints(hand) for hand in hands])
    off = np.linalg.norm(moved_keypoints.numpy() - seen, axis=-1) / size[:, None]
    assert np.median(off, axis=0).max() < 0.015
    shift = np.linalg.norm(seen - keypoints.numpy(), axis=-1) / size[:, None]
    assert np.median(off) < 0.2 * np.median(shift)


def test_frames_are_rotations_and_turn_with_the_hand(make_hand):
    joints = torch.from_numpy(np.array(make_hand(1).joints))[None]
    frames = joint_frames(joints)
    eye = torch.eye(3, dtype=joints.dtype)
    torch.testing.assert_close(frames @ frames.transpose(-1, -2), eye.expand(1, 21, 3, 3))
    turn = torch.linalg.qr(torch.randn(3, 3, dtype=joints.dtype, generator=torch.Generator().manual_seed(0)))[0]
    turn = turn * torch.linalg.det(turn)
    torch.testing.assert_close(joint_frames(joints @ turn.T), frames @ turn.T)
