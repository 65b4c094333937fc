"""The smoother: quiet where hands are quiet, true where they move, whole where nothing was seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.hand.rotations import rotation_matrices
from annotator.tracking import Smoothing, Track, TrackedHand
from annotator.tracking.trajectories.bridging import completed
from annotator.tracking.trajectories.motion import curves_of, hand_at
from annotator.tracking.trajectories.smoothing import smoothed

RATE = 25.0


@pytest.fixture(scope="module")
def track(make_hand, hand_model):
    """make(count, noise, move): a track of 25 frames a second; noise: rad and shares of its place; move(seconds): rad
    that all joints are bent by."""
    from annotator.vision.camera import project

    first = make_hand(3).replace(corrections={}, keypoint_sigma=np.full(21, 3.0))

    def make(count=40, noise=0.0, move=lambda seconds: 0.0, seed=0):
        random = np.random.default_rng(seed)
        hands = []
        for k in range(count):
            pose = np.array(first.parameters.pose)
            pose[1:, 2] += move(k / RATE)
            pose = pose + random.normal(0, noise, pose.shape)
            parameters = first.parameters.replace(pose=pose)
            vertices = hand_model.vertices(parameters)
            joints = hand_model.joints(vertices)
            hand = first.replace(
                parameters=parameters, vertices=vertices, joints=joints, keypoints=project(joints, first.camera)
            )
            hands.append(TrackedHand(k, k / RATE, hand))
        return Track(1, tuple(hands))

    return make


def rooted(track: Track) -> np.ndarray:
    joints = np.array([one.hand.joints for one in track.hands])
    return joints - joints[:, :1]


def test_curves_give_the_hands_again(track, hand_model):
    hands = [one.hand for one in track(5, 0.1).hands]
    curves = curves_of(hands, np.arange(5) / RATE, hand_model)
    for row, hand in enumerate(hands):
        assert np.allclose(hand_at(curves, row, hand, hand_model).vertices, hand.vertices, atol=1e-6)


def test_the_surface_is_as_quiet_as_the_pose_and_dents_of_labels_stay_where_they_are(track, hand_model):
    random = np.random.default_rng(4)
    hands = list(track(50).hands)
    surface = np.array(hands[0].hand.parameters.offsets)
    for k, one in enumerate(hands):
        offsets = surface + random.normal(0, 0.002, surface.shape)
        parameters = one.hand.parameters.replace(offsets=offsets)
        labelled = {8: (10.0, 10.0)} if k == 20 else {}
        hands[k] = one.with_hand(one.hand.replace(parameters=parameters, corrections=labelled))
    found = completed(Track(1, tuple(hands)), hand_model)
    offsets = np.array([one.hand.parameters.offsets for one in found.hands])
    assert np.array_equal(offsets[20], hands[20].hand.parameters.offsets)
    others = np.delete(offsets, 20, axis=0)
    assert np.abs(others - surface).std() < 0.002 / 3  # of some twenty frames
    assert np.linalg.norm(np.diff(others, axis=0), axis=-1).mean() < 0.0003
    assert np.allclose(found.hands[3].hand.vertices, hand_model.vertices(found.hands[3].hand.parameters, "right"))


def test_jitter_goes(track, hand_model):
    noisy = track(60, 0.03)
    quiet = completed(noisy, hand_model)
    bend = [np.linalg.norm(np.diff(rooted(one), 2, axis=0), axis=-1) for one in (noisy, quiet)]
    assert np.percentile(bend[1], 95) < 0.15 * np.percentile(bend[0], 95)
    off = [np.linalg.norm(rooted(one) - rooted(track(60)), axis=-1).mean() for one in (noisy, quiet)]
    assert off[1] < 0.5 * off[0]


def test_what_starts_at_once_is_not_dragged_behind(track, hand_model):
    """A finger that is bent within one frame: neither rounded off nor late."""

    def bend(seconds):
        return 0.6 if seconds >= 0.8 else 0.0

    quick, true = track(40, 0.005, bend), track(40, 0.0, bend)
    off = np.linalg.norm(rooted(completed(quick, hand_model)) - rooted(true), axis=-1).mean(1)
    assert off.max() < 0.004  # the step itself moves joints by 20 mm
    assert np.linalg.norm(rooted(true)[20] - rooted(true)[19], axis=-1).mean() > 0.015


def test_a_slip_of_one_frame_is_left_out(track, hand_model):
    clean = track(30, 0.003)
    wrong = list(clean.hands)
    wrong[14] = wrong[14].with_hand(track(30, 0.4, seed=5).hands[14].hand)
    off = np.linalg.norm(rooted(completed(Track(1, tuple(wrong)), hand_model)) - rooted(track(30)), axis=-1)
    assert off[14].mean() < 0.003


def test_a_gap_is_bridged_and_says_so(track, hand_model):
    whole = track(30, 0.002, lambda seconds: 0.5 * np.sin(3 * seconds))
    kept = Track(1, tuple(one for one in whole.hands if not 12 <= one.frame < 18))
    moments = [(one.frame, one.seconds) for one in whole.hands]
    bridged = completed(kept, hand_model, moments)
    assert bridged.frames.tolist() == list(range(30)) and bridged.seen.tolist() == [not 12 <= k < 18 for k in range(30)]
    sigma = np.array([one.hand.keypoint_sigma.mean() for one in bridged.hands])
    assert sigma[12] < sigma[13] < sigma[14] and sigma[17] < sigma[16] < sigma[15] and sigma[:12].max() <= sigma[12]
    assert max(one.hand.confidence for one in bridged.hands[12:18]) < kept.hands[0].hand.confidence
    true = rooted(track(30, 0.0, lambda seconds: 0.5 * np.sin(3 * seconds)))
    assert np.linalg.norm(rooted(bridged) - true, axis=-1)[12:18].max() < 0.01
    far = completed(kept, hand_model, moments, longest=0.1)
    assert len(far) == len(kept)


def test_one_shape_a_track(track, hand_model):
    shapes = {tuple(one.hand.parameters.shape) for one in completed(track(10, 0.01), hand_model).hands}
    assert len(shapes) == 1


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 3.0))
def test_turning_the_world_turns_the_answer(seed, angle):
    """The smoother of the whole hand's turn knows no preferred axis, and no angle where it begins anew."""
    random = np.random.default_rng(seed)
    path = np.cumsum(random.normal(0, 0.2, (20, 3)), axis=0)
    turns = rotation_matrices(path)
    curves = _curves(turns)
    world = rotation_matrices(angle * np.array([0.6, 0.0, 0.8]))
    one, other = smoothed(curves).turns, smoothed(_curves(world @ turns)).turns
    assert np.allclose(world @ one, other, atol=1e-6)


def _curves(turns):
    from annotator.tracking.trajectories.motion import Curves

    count = len(turns)
    return Curves(
        np.arange(count) / RATE, np.zeros((count, 45)), turns, np.zeros((count, 3)), np.zeros((count, 10)),
        np.full((count, 61), 0.1),
    )  # fmt: skip


def test_few_frames_stay_as_they_are(track, hand_model):
    two = track(2, 0.05)
    assert np.allclose(rooted(completed(two, hand_model, settings=Smoothing())), rooted(two), atol=1e-6)
