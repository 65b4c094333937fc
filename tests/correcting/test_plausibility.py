"""Each reason is found where it is, named, and not found where it is not."""

from __future__ import annotations

import numpy as np
import pytest

from annotator.correcting.accuracy import label_sigma
from annotator.correcting.kinematics.angles import angles_to_rotations, rotations_to_angles
from annotator.correcting.penetration import self_penetration, solid_angles
from annotator.correcting.plausibility import THRESHOLDS, measures, reasons, remembered_right
from annotator.hand.definitions import ANATOMICAL
from annotator.hand.mesh import HandParameters
from annotator.hand.rotations import rotation_matrices, rotation_vectors


@pytest.fixture
def posed(hand_model, build_hand):
    """posed(angles, side, **changes): a hand with these joint angles (15,3), its palm to the camera."""

    def make(angles=None, side="right", shape=None, offsets=None):
        angles = np.zeros((15, 3)) if angles is None else angles
        rotations = np.concatenate(
            [
                rotation_matrices(np.array([-1.4, 0.2, 0.1]))[None],
                angles_to_rotations(angles, hand_model.anatomical_axes),
            ]
        )
        parameters = HandParameters(
            rotation_vectors(rotations),
            np.zeros(10) if shape is None else shape,
            np.array([0.05, 0.02, 0.5]),
            np.zeros((hand_model.offset_count, 3)) if offsets is None else offsets,
        )
        return build_hand(parameters, side)

    return make


def kinds(hand, model, **more):
    return [reason.kind for reason in reasons(hand, model, **more)]


@pytest.mark.parametrize("side", ["right", "left"])
def test_an_open_hand_is_plausible(posed, hand_model, side):
    hand = posed(side=side)
    assert kinds(hand, hand_model) == []
    found = measures(hand, hand_model)
    assert {reason.kind for reason in found} == set(THRESHOLDS) - {"side"}  # nobody was asked about the side
    assert [reason.severity for reason in found] == sorted((reason.severity for reason in found), reverse=True)
    for reason in found:
        assert np.isfinite(reason.value) and reason.words and reason.threshold == THRESHOLDS[reason.kind]
        assert reason.as_dict()["flagged"] is False


def test_a_joint_beyond_its_limit(posed, hand_model):
    angles = np.zeros((15, 3))
    angles[4, 0] = np.deg2rad(110 + 20)  # the middle finger's PIP joint
    (reason,) = [r for r in reasons(posed(angles), hand_model) if r.kind == "limit"]
    assert reason.value == pytest.approx(20, abs=0.1) and reason.joints == ("middle_pip",)
    assert "middle_pip" in reason.words and "20 degrees" in reason.words


def test_a_bone_of_unusual_length(posed, hand_model):
    assert "bone" in kinds(posed(shape=np.array([8.0, *np.zeros(9)])), hand_model)
    offsets = np.zeros((hand_model.offset_count, 3))
    tip = np.argmax(hand_model.weights[hand_model.levels[1].indices, 3])
    offsets[hand_model.weights[hand_model.levels[1].indices, 3] > 0.9] = (-0.03, 0, 0)
    assert tip >= 0
    (reason,) = [r for r in reasons(posed(offsets=offsets), hand_model) if r.kind == "bone"]
    assert set(reason.joints) & {"index_dip", "index_tip"}


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_finger_inside_another(posed, hand_model, side):
    angles = np.zeros((15, 3))
    angles[0, 1] = -0.4  # the index finger swings through the middle finger
    hand = posed(angles, side)
    found = self_penetration(hand, hand_model)
    assert 0.004 < found.deepest < 0.015 and len(found.inside) > 5
    # of the two fingers alone, and none of it on the others
    bones = hand_model.weights[found.inside].argmax(axis=1)
    assert set(bones) <= {1, 2, 3, 4, 5, 6} and set(found.into) <= {1, 2, 3, 4, 5, 6}
    (reason,) = [r for r in reasons(hand, hand_model) if r.kind == "penetration"]
    assert reason.value == pytest.approx(1000 * found.deepest)


def test_a_loose_fist_does_not_penetrate_much(posed, hand_model):
    angles = np.zeros((15, 3))
    angles[[0, 3, 6, 9], 0], angles[[1, 4, 7, 10], 0], angles[[2, 5, 8, 11], 0] = 1.1, 1.4, 0.7
    assert self_penetration(posed(angles), hand_model).deepest < 0.004


def test_solid_angles_of_a_closed_surface_are_one_inside_and_nothing_outside(hand_model):
    triangles = hand_model.template[hand_model.faces]
    bones = hand_model.rest_joints(np.zeros(10)) + hand_model.joint_regressor[0] @ hand_model.template
    inside = 0.5 * (bones[1] + bones[2])
    outside = inside + (0, 0.05, 0)
    assert solid_angles(np.stack([inside, outside]), triangles).sum(axis=1) == pytest.approx([1, 0], abs=1e-9)


def test_the_wrong_side(posed, hand_model):
    assert "side" in kinds(posed(side="left"), hand_model, right_probability=0.9)
    assert "side" not in kinds(posed(side="right"), hand_model, right_probability=0.9)
    hand = posed()
    assert remembered_right(hand) is None


def test_a_turned_palm_and_a_missed_correction(posed, build_hand, hand_model):
    hand = posed()
    turned = hand.parameters.pose.copy()
    turned[0] = rotation_vectors(rotation_matrices(turned[0]) @ rotation_matrices(np.array([2.0, 0, 0])))
    first = build_hand(hand.parameters.replace(pose=turned), crop=(hand.crop_center, hand.crop_size))
    doubted = hand.replace(parametric=first.parametric)
    (reason,) = [r for r in reasons(doubted, hand_model) if r.kind == "palm"]
    assert reason.value == pytest.approx(np.rad2deg(2.0), abs=3)
    assert "stages" in kinds(doubted, hand_model)

    missed = hand.replace(corrections={8: tuple(hand.keypoints[8] + (120, 0))})
    (reason,) = [r for r in reasons(missed, hand_model) if r.kind == "strain"]
    off = label_sigma(hand, ANATOMICAL)[8] * hand.crop_size / 224
    assert reason.joints == ("index_tip",) and reason.value == pytest.approx(120 / off) and "index tip" in reason.words
    near = hand.replace(corrections={8: tuple(hand.keypoints[8] + (3 * off, 0))})
    assert "strain" not in kinds(near, hand_model)


def test_low_confidence_and_large_sigmas(posed, hand_model):
    hand = posed()
    assert "unsure" in kinds(hand.replace(confidence=0.2), hand_model)
    assert "sigma" in kinds(hand.replace(keypoint_sigma=np.full(21, 15 * hand.crop_size / 224)), hand_model)
    assert kinds(hand.replace(confidence=0.2), hand_model, thresholds={"unsure": 0.9}) == []


def test_a_hand_the_solver_corrected_is_within_its_limits(make_truth, make_proposal, hand_model):
    from annotator.correcting import solve

    truth = make_truth(4)
    hand = solve(make_proposal(truth, 4), hand_model, {8: truth.keypoints[8], 16: truth.keypoints[16]}).hand
    angles = rotations_to_angles(rotation_matrices(hand.parameters.pose)[1:], hand_model.anatomical_axes)
    assert np.isfinite(angles).all()
    assert not {"limit", "strain"} & set(kinds(hand, hand_model))
