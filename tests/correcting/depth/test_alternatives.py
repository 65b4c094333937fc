"""Other hands with the same keypoints: the picture stays, the depth does not, limits hold."""

from __future__ import annotations

import numpy as np
import pytest

from annotator.correcting import solve
from annotator.correcting.depth.alternatives import DIFFERENT, alternatives
from annotator.correcting.depth.mirroring import Mirroring, bend_and_tilt
from annotator.correcting.kinematics.angles import angles_to_rotations, limit_excess, rotations_to_angles
from annotator.hand.mesh import HandParameters
from annotator.hand.rotations import rotation_matrices, rotation_vectors


@pytest.fixture
def flat_hands(hand_model, build_hand, draw_angles):
    """Hands that are nearly flat and seen nearly from the front or back: the ambiguous ones."""

    def make(seed, side="right"):
        random = np.random.default_rng(seed)
        angles = 0.3 * draw_angles(random)
        turn = rotation_matrices(np.array([np.pi / 2, 0, 0])) @ rotation_matrices(random.normal(0, 0.4, 3))
        rotations = np.concatenate([turn[None], angles_to_rotations(angles, hand_model.anatomical_axes)])
        parameters = HandParameters(
            rotation_vectors(rotations),
            random.normal(0, 0.5, 10),
            np.array([0.02, 0.03, 0.6]),
            np.zeros((hand_model.offset_count, 3)),
        )
        return build_hand(parameters, side)

    return make


@pytest.mark.parametrize("side", ["right", "left"])
def test_alternatives_keep_the_picture_and_change_the_depth(flat_hands, hand_model, side):
    found = 0
    for seed in range(6):
        hand = flat_hands(seed, side)
        others = alternatives(hand, hand_model)
        assert len(others) <= 3
        assert [a.strain for a in others] == sorted(a.strain for a in others)
        for one in others:
            found += 1
            off = np.linalg.norm(one.hand.keypoints - hand.keypoints, axis=1).max() * 224 / hand.crop_size
            assert off <= 2.0 and one.picture_px == pytest.approx(off, abs=1e-6)
            depth = (one.hand.joints - one.hand.joints[0])[:, 2] - (hand.joints - hand.joints[0])[:, 2]
            assert np.abs(depth).max() > DIFFERENT
            assert one.moved_mm == pytest.approx(1000 * np.abs(depth).max(), abs=1e-6)
            rotations = rotation_matrices(one.hand.parameters.pose)[1:]
            angles = rotations_to_angles(rotations, hand_model.anatomical_axes)
            assert np.rad2deg(limit_excess(angles, hand_model.limits).max()) < 5
            assert np.abs(one.hand.vertices - hand_model.vertices(one.hand.parameters, side)).max() < 1e-9
            assert one.words
    assert found >= 6


def test_corrected_keypoints_stay_corrected(flat_hands, hand_model):
    hand = flat_hands(2)
    target = hand.keypoints[8] + 6 * hand.crop_size / 224
    corrected = solve(hand, hand_model, {8: target}).hand
    others = alternatives(corrected, hand_model)
    assert others
    for one in others:
        assert np.linalg.norm(one.hand.keypoints[8] - corrected.keypoints[8]) * 224 / hand.crop_size < 0.5
        assert one.hand.corrections == corrected.corrections


def test_a_fist_seen_from_the_side_has_no_other_reading(hand_model, build_hand, make_truth):
    angles = np.zeros((15, 3))
    angles[[0, 3, 6, 9], 0], angles[[1, 4, 7, 10], 0], angles[[2, 5, 8, 11], 0] = 1.2, 1.5, 0.8
    rotations = np.concatenate(
        [
            rotation_matrices(np.array([0.1, 0.2, 0.1]))[None],
            angles_to_rotations(angles, hand_model.anatomical_axes),
        ]
    )
    parameters = make_truth(0).parameters.replace(pose=rotation_vectors(rotations), shape=np.zeros(10))
    fingers = [a.words for a in alternatives(build_hand(parameters), hand_model)]
    assert not [words for words in fingers if "palm" in words]


@pytest.mark.parametrize("seed", range(8))
def test_bend_and_tilt_turn_a_bone_where_they_should(seed):
    random = np.random.default_rng(seed)
    bone = random.normal(size=3)
    bone /= np.linalg.norm(bone)
    bend, tilt = random.uniform(-1, 1), random.uniform(-0.4, 0.4)
    turn = angles_to_rotations(np.array([[bend, tilt, 0.0]]), np.eye(3)[None])[0]
    found = bend_and_tilt(bone, turn @ bone)
    again = angles_to_rotations(np.array([[*found, 0.0]]), np.eye(3)[None])[0]
    assert np.abs(again @ bone - turn @ bone).max() < 1e-9
    assert abs(found[1]) <= abs(tilt) + 1e-9  # of the two ways, the one with less tilt


def test_mirroring_the_palm_twice_is_where_it_was(flat_hands, build_hand, hand_model):
    hand = flat_hands(1)
    once = Mirroring(hand, hand_model).turned_palm()
    assert np.linalg.det(once) == pytest.approx(1)
    pose = hand.parameters.pose.copy()
    pose[0] = rotation_vectors(once)
    turned = build_hand(hand.parameters.replace(pose=pose))
    twice = Mirroring(turned, hand_model).turned_palm()
    back = rotation_vectors(twice.T @ rotation_matrices(hand.parameters.pose[0]))
    # not exactly: the line of sight to the palm's middle has moved a little with the palm
    assert np.linalg.norm(back) < 0.15
