"""A teacher's labels read as our own joints, and fingertips that a sign says touch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.errors import InputError
from annotator.hand.definitions import MEDIAPIPE, turned
from annotator.hand.joints import TIPS
from annotator.learning.data.photos import KeypointTable
from annotator.learning.real_sets.contacts import TOUCHED, with_contacts
from annotator.learning.real_sets.own_joints import measured_offsets, read_as_ours, robust_offset
from annotator.network.encoders.exported_hand import exported_hand
from annotator.network.encoders.mediapipe_hand import load_mediapipe_hand
from annotator.synthetic.generate import generate
from annotator.synthetic.shards import SyntheticShards


def table(keypoints, joints, names):
    n = len(names)
    return KeypointTable(
        photo=np.array(names), side=np.array(["right"] * n), K=np.full((n, 3, 3), np.nan), keypoints=keypoints,
        weight=np.ones((n, 21)), joints=joints, joint_weight=np.full((n, 21), 0.3), metric=np.zeros(n),
        held=np.zeros(n, bool), group=np.array(names),
    )  # fmt: skip


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("unit", [1.0, 25.0])
def test_labels_by_the_teachers_definition_are_read_as_the_meshs_joints(make_hand, side, unit):
    hand = make_hand(3, side)
    meant = unit * (hand.joints + turned(MEDIAPIPE.offsets, hand))
    ours = read_as_ours(table(MEDIAPIPE.keypoints(hand)[None], meant[None], ["a"]), [hand], MEDIAPIPE)
    np.testing.assert_allclose(ours.keypoints[0], hand.keypoints, atol=0.05)
    # how large a millimetre is in the teacher's unit is known to the hand's own size only
    np.testing.assert_allclose(ours.joints[0], unit * hand.joints, atol=unit * 0.0015)


@settings(deadline=None, max_examples=20)
@given(st.tuples(*[st.floats(-0.02, 0.02)] * 3), st.integers(0, 2**31))
def test_an_offset_is_found_among_hands_that_the_teacher_sees_wrongly(offset, seed):
    rng = np.random.default_rng(seed)
    A = np.linalg.qr(rng.normal(size=(400, 3, 3)))[0][:, :2]
    b = A @ np.array(offset) + rng.normal(0, 0.001, (400, 2))
    b[:80] += rng.normal(0, 0.05, (80, 2))
    np.testing.assert_allclose(robust_offset(A, b), offset, atol=0.001)


def test_the_teachers_tips_lie_inside_the_finger(tmp_path):
    """What the shipped offsets say of fingertips (fingers along -x) is what a handful of renders say."""
    generate(tmp_path, 250, seed=5)
    shards, network = SyntheticShards(tmp_path), exported_hand(load_mediapipe_hand().eval())
    with pytest.raises(InputError, match="too few"):
        measured_offsets(shards, network, 20)
    found = measured_offsets(shards, network)
    assert (found[list(TIPS[1:]), 0] > 0.003).all()
    np.testing.assert_allclose(found[list(TIPS[1:])], MEDIAPIPE.offsets[list(TIPS[1:])], atol=0.004)


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(sorted(TOUCHED)), st.integers(0, 2**31))
def test_tips_that_touch_are_near_each_other(digit, seed):
    rng = np.random.default_rng(seed)
    joints = rng.normal(0, 0.04, (2, 21, 3))
    joints[:, 0], joints[:, 9] = 0, (0, 0.09, 0)
    before = table(rng.normal(0, 9, (2, 21, 2)), joints, [f"digit-{digit}-x.jpg", "digit-5-x.jpg"])
    after = with_contacts(before)
    thumb, other = TIPS[0], TOUCHED[digit]
    assert np.array_equal(after.joints[1], joints[1]) and np.array_equal(after.keypoints, before.keypoints)
    assert np.array_equal(after.joints[0, :, :2], joints[0, :, :2])
    across = np.linalg.norm(joints[0, thumb, :2] - joints[0, other, :2])
    assert np.linalg.norm(after.joints[0, thumb] - after.joints[0, other]) <= max(across, 0.0105) + 1e-9
    moved = np.flatnonzero(np.abs(after.joints[0] - joints[0]).max(1) > 0)
    assert set(moved) <= {thumb, thumb - 1, other, other - 1}
