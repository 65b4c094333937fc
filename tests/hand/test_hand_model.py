"""The embedded hand: anatomy, the laws of its form, its regressors, its mesh levels, its file."""

from __future__ import annotations

import numpy as np
import pytest

from annotator.errors import InputError
from annotator.hand import (
    BONES,
    JOINT_NAMES,
    KEYPOINT_OF_MANO,
    OFFSET_LEVEL,
    TIPS,
    HandParameters,
    joint_index,
    load_hand,
)
from annotator.hand.rotations import rotation_matrices

REST = np.tile(np.eye(3), (16, 1, 1))

# Buryanov and Kotiuk 2010, mm: metacarpal, proximal, middle, distal; plus 17.5 carpus and 3.5 soft tip.
PUBLISHED = {
    "thumb": [46, 32, 22 + 3.5],
    "index": [68 + 17.5, 40, 22, 16 + 3.5],
    "middle": [65 + 17.5, 45, 26, 17 + 3.5],
    "ring": [58 + 17.5, 41, 26, 17 + 3.5],
    "little": [54 + 17.5, 33, 18, 16 + 3.5],
}


def lengths(joints: np.ndarray, finger: str) -> np.ndarray:
    base = 1 if finger == "thumb" else 0
    names = [n for n in JOINT_NAMES if n.startswith(finger)]
    chain = ([0] if base == 0 else []) + [joint_index(n) for n in names]
    return np.linalg.norm(np.diff(joints[chain], axis=0), axis=1)


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = vertices[faces].transpose(1, 0, 2)
    return float(np.einsum("ni,ni->", a, np.cross(b, c)) / 6)


def test_bones_have_published_proportions(hand):
    joints = hand.joints(hand.skin(REST, np.zeros(10)))
    middle = lengths(joints, "middle").sum() / sum(PUBLISHED["middle"])
    for finger, published in PUBLISHED.items():
        ratio = lengths(joints, finger) / (middle * np.array(published))
        assert np.abs(ratio - 1).max() < 0.05, (finger, ratio)
    assert 0.025 < np.linalg.norm(joints[1]) < 0.040  # wrist to thumb CMC: past the carpus, to the side


def test_hand_length_and_breadth_are_an_adults(hand):
    generator = np.random.default_rng(1)
    long = []
    for shape in np.vstack([np.zeros((1, 10)), generator.standard_normal((60, 10))]):
        joints = hand.joints(hand.skin(REST, shape))
        long.append(np.linalg.norm(joints[12] - joints[0]))
    assert long[0] == pytest.approx(0.183, abs=0.002)
    assert 0.009 < np.std(long[1:]) < 0.018 and min(long) > 0.13 and max(long) < 0.24
    bigger = hand.joints(hand.skin(REST, np.eye(10)[0] * 2))
    assert np.linalg.norm(bigger[12]) > long[0] * 1.05  # the first component is size, positive larger


def test_it_is_a_right_hand_and_the_left_is_its_mirror_image(hand):
    """Palm toward the viewer, fingers up: a right hand's thumb is on the viewer's right."""
    zero = HandParameters(np.zeros((16, 3)), np.zeros(10), np.zeros(3), np.zeros((hand.offset_count, 3)))
    for side, sign in (("right", 1.0), ("left", -1.0)):
        vertices = hand.vertices(zero, side)
        joints = hand.joints(vertices)
        index, little = joints[joint_index("index_mcp")], joints[joint_index("little_mcp")]
        palm = sign * np.cross(index, little)  # the wrist is the origin
        assert joints[joint_index("thumb_tip")] @ palm > 0  # a relaxed thumb lies before the palm
        assert volume(vertices, hand.faces_of(side)) == pytest.approx(3.3e-4, rel=0.25)  # m^3, faces outward


def test_mirror_law_holds_for_posed_hands(hand):
    generator = np.random.default_rng(2)
    pose, shape = generator.normal(0, 0.3, (16, 3)), generator.standard_normal(10)
    offsets, place = generator.normal(0, 1e-3, (hand.offset_count, 3)), np.array([0.1, -0.05, 0.6])
    parameters = HandParameters(pose, shape, place, offsets)
    right, left = hand.vertices(parameters, "right"), hand.vertices(parameters, "left")
    np.testing.assert_allclose(left, right * [-1, 1, 1], atol=1e-12)
    np.testing.assert_allclose(hand.joints(right)[0], place, atol=1e-3)
    with pytest.raises(InputError, match="side"):
        hand.vertices(parameters, "both")


def test_wrist_stays_and_the_whole_hand_turns_rigidly(hand):
    generator = np.random.default_rng(3)
    pose, shape = rotation_matrices(generator.normal(0, 0.4, (16, 3))), generator.standard_normal(10)
    pose[0] = np.eye(3)
    offsets = generator.normal(0, 2e-3, (hand.offset_count, 3))
    turn = rotation_matrices(np.array([0.4, -1.1, 0.7]))
    still = hand.skin(pose, shape, offsets)
    pose[0] = turn
    np.testing.assert_allclose(hand.skin(pose, shape, offsets), still @ turn.T, atol=1e-12)
    np.testing.assert_allclose(hand.joints(hand.skin(pose, shape))[0], 0, atol=1e-5)


def test_regressed_joints_are_the_kinematic_joints(hand, posed, fist):
    """In every shape at rest, and in bent poses, where blended skin could pull a regressor off the joint."""
    generator = np.random.default_rng(4)
    rows = list(KEYPOINT_OF_MANO)
    for shape in generator.standard_normal((20, 10)):
        joints = hand.joints(hand.skin(REST, shape))
        np.testing.assert_allclose(joints[rows], hand.rest_joints(shape), atol=1e-5)
    low, high = np.rad2deg(hand.limits[..., 0]), np.rad2deg(hand.limits[..., 1])
    for degrees in [fist, *generator.uniform(low, high, (30, 15, 3))]:
        rotations, shape = posed(degrees), generator.standard_normal(10)
        _, _, kinematic = hand.bone_transforms(rotations, shape)
        off = np.linalg.norm(hand.joints(hand.skin(rotations, shape))[rows] - kinematic, axis=1)
        assert off.max() < 2e-3, (JOINT_NAMES[rows[int(off.argmax())]], off.max())


def test_fingers_keep_their_lengths_in_a_fist_and_the_fist_closes(hand, posed, fist):
    open_hand, closed = hand.skin(REST, np.zeros(10)), hand.skin(posed(fist), np.zeros(10))
    before, after = hand.joints(open_hand), hand.joints(closed)
    for a, b in BONES:
        assert np.linalg.norm(after[a] - after[b]) == pytest.approx(np.linalg.norm(before[a] - before[b]), abs=2.5e-3)
    palm = np.cross(before[5], before[17])
    palm /= np.linalg.norm(palm)
    for tip in TIPS[1:]:
        assert 0 < after[tip] @ palm < 0.05  # in front of the palm, near it
        assert np.linalg.norm(after[tip]) < 0.6 * np.linalg.norm(before[tip])
    assert volume(closed, hand.faces) > 0.87 * volume(open_hand, hand.faces)  # the joints do not collapse


def test_weights_and_regressors_are_partitions_of_unity(hand):
    for array in (
        hand.weights,
        hand.joint_regressor,
        hand.keypoint_regressor,
        *(lv.upsample for lv in hand.levels),
    ):
        np.testing.assert_allclose(array.sum(axis=1), 1, atol=1e-9)
        assert array.min() >= 0
    assert (np.count_nonzero(hand.keypoint_regressor[list(TIPS)], axis=1) == 1).all()


def test_levels_are_nested_closed_surfaces_with_local_smooth_upsampling(hand, posed, fist):
    sizes = [len(level.indices) for level in hand.levels]
    assert sizes == sorted(sizes) and len(sizes) >= 3 and sizes[OFFSET_LEVEL] == hand.offset_count
    fingers = np.stack([hand.weights[:, j + 1 : j + 3].sum(axis=1) > 0.9 for j in (1, 4, 7, 10, 13)])
    tips = hand.keypoint_regressor[list(TIPS)].argmax(axis=1)
    finer = set(range(len(hand.template)))
    bend = hand.skin(posed(fist * 0.15), np.zeros(10)) - hand.skin(REST, np.zeros(10))
    for level in reversed(hand.levels):
        assert set(level.indices) <= finer and set(tips) <= set(level.indices)
        finer = set(level.indices)
        edges = np.sort(
            np.concatenate([level.faces[:, [0, 1]], level.faces[:, [1, 2]], level.faces[:, [2, 0]]]), axis=1
        )
        _, uses = np.unique(edges, axis=0, return_counts=True)
        assert (uses == 2).all() and len(level.faces) == 2 * len(level.indices) - 4  # closed, a sphere
        np.testing.assert_array_equal(level.upsample[level.indices], np.eye(len(level.indices)))
        for number, finger in enumerate(fingers):
            others = np.delete(fingers, number, axis=0).any(axis=0)[level.indices]
            assert level.upsample[finger][:, others].sum(axis=1).max() < 0.01  # no jump from finger to finger
        error = np.linalg.norm(level.upsample @ bend[level.indices] - bend, axis=1)
        assert error.mean() < 0.15 * np.linalg.norm(bend, axis=1).mean()  # a smooth field comes back


def test_offsets_are_added_in_the_rest_pose_and_turn_with_the_bones(hand, posed, fist):
    level = hand.levels[OFFSET_LEVEL]
    offsets = np.random.default_rng(5).normal(0, 2e-3, (hand.offset_count, 3))
    plain, moved = (hand.skin(REST, np.zeros(10), o) for o in (None, offsets))
    np.testing.assert_allclose((moved - plain)[level.indices], offsets, atol=1e-12)
    rotations = posed(fist)
    turned, _, _ = hand.bone_transforms(rotations, np.zeros(10))
    difference = hand.skin(rotations, np.zeros(10), offsets) - hand.skin(rotations, np.zeros(10))
    blended = np.einsum("vj,jab->vab", hand.weights, turned)
    np.testing.assert_allclose(difference, np.einsum("vab,vb->va", blended, level.upsample @ offsets), atol=1e-12)


def test_save_and_load_keep_everything(hand, tmp_path):
    path = tmp_path / "copy.npz"
    hand.save(path)
    copy = load_hand(path)
    assert copy.digest == hand.digest and copy.name == hand.name and load_hand(str(path)) is copy
    np.testing.assert_array_equal(copy.template, hand.template)
    with pytest.raises(ValueError):
        copy.template[0, 0] = 1.0  # read-only


def _arrays(hand, tmp_path) -> dict[str, np.ndarray]:
    hand.save(tmp_path / "good.npz")
    with np.load(tmp_path / "good.npz") as file:
        return {name: file[name] for name in file.files}


def test_bad_files_give_one_clear_error(hand, tmp_path):
    good = _arrays(hand, tmp_path)
    nan = good["template"].copy()
    nan[3, 1] = np.nan
    far = good["faces"].copy()
    far[0, 0] = 5000
    cases = {
        "weights": ({"weights": good["weights"] * 2}, "sum to one"),
        "short": ({"weights": good["weights"][:, :15]}, "weights has shape"),
        "nan": ({"template": nan}, "not finite"),
        "faces": ({"faces": far}, "whole numbers"),
        "scalar": ({"template": np.array(1.0)}, "shape"),
        "text": ({"limits": np.array(["a"])}, "limits is not an array of numbers"),
        "levels": ({"level_count": np.array(2)}, "levels"),
        "more": ({"level_count": np.array(9)}, "lacks level4"),
        "axes": ({"anatomical_axes": good["anatomical_axes"] * 1.1}, "orthonormal"),
        "order": ({"limits": good["limits"][..., ::-1]}, "above"),
        "object": ({"template": np.array([{}], dtype=object)}, "not a readable"),
    }
    for name, (change, text) in cases.items():
        path = tmp_path / f"{name}.npz"
        np.savez(path, **{**good, **change}, allow_pickle=True)
        with pytest.raises(InputError, match=text):
            load_hand(path)
    missing = tmp_path / "missing.npz"
    np.savez(missing, **{k: v for k, v in good.items() if k != "weights"})
    with pytest.raises(InputError, match="lacks weights"):
        load_hand(missing)
    for name, data in (
        ("cut.npz", (tmp_path / "good.npz").read_bytes()[:5000]),
        ("text.npz", b"hello"),
        ("none.npz", b""),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match="not a readable"):
            load_hand(tmp_path / name)
    for name in (tmp_path / "nowhere.npz", tmp_path, "mono"):
        with pytest.raises(InputError, match="no such"):
            load_hand(name)
