"""Joint names, rotations, and the frozen records of a hand."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from annotator.errors import InputError
from annotator.hand import (
    BONES,
    JOINT_NAMES,
    MANO_TO_KEYPOINTS,
    PARENT,
    HandMesh,
    HandParameters,
    ParametricEstimate,
    joint_index,
    rotation_matrices,
    rotation_vectors,
)


def test_joint_names_and_orders():
    assert len(JOINT_NAMES) == len(set(JOINT_NAMES)) == 21 and len(BONES) == 20
    for number, name in enumerate(JOINT_NAMES):
        assert joint_index(name) == joint_index(number) == joint_index(str(number)) == number
        assert joint_index(np.int64(number)) == number
        if number and not name.endswith(("_cmc", "_mcp")) or name == "thumb_mcp":
            assert JOINT_NAMES[PARENT[number]].split("_")[0] == name.split("_")[0]
    assert sorted(MANO_TO_KEYPOINTS) == list(range(21))
    for bad in ("index", "toe_tip", 21, -1, "21", 1.5, None, True, ""):
        with pytest.raises(InputError, match="joint"):
            joint_index(bad)


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, (4, 3), elements=st.floats(-1.75, 1.75, width=32)))
def test_rotation_vectors_round_trip(vectors):
    matrices = rotation_matrices(vectors)
    np.testing.assert_allclose(matrices @ matrices.transpose(0, 2, 1), np.tile(np.eye(3), (4, 1, 1)), atol=1e-12)
    back = rotation_vectors(matrices)
    np.testing.assert_allclose(rotation_matrices(back), matrices, atol=1e-9)
    short = np.linalg.norm(vectors, axis=1) < 3.1
    np.testing.assert_allclose(back[short], vectors[short], atol=1e-7)


def test_half_turns_have_vectors():
    for axis in np.eye(3):
        vector = rotation_vectors(rotation_matrices(np.pi * axis))
        np.testing.assert_allclose(np.abs(vector), np.pi * axis, atol=1e-7)


def make(**changes) -> HandMesh:
    count = 5
    fields = {
        "side": "left", "camera": np.eye(3), "crop_center": (10, 20), "crop_size": 100, "crop_angle": 0.1,
        "vertices": np.ones((count, 3)), "faces": [[0, 1, 2]], "joints": np.zeros((21, 3)),
        "keypoints": np.zeros((21, 2)), "keypoint_sigma": np.ones(21), "vertex_sigma": np.ones(count),
        "confidence": 0.5, "hand_model": "free",
        "parameters": HandParameters(np.zeros((16, 3)), np.zeros(10), np.zeros(3), np.zeros((98, 3))),
        "parametric": ParametricEstimate(np.ones((count, 3)), np.zeros((21, 3)), np.zeros((21, 2))),
        "corrections": {"index_tip": (3, 4), 0: np.array([1.0, 2.0])},
    }  # fmt: skip
    return HandMesh(**{**fields, **changes})


def test_a_hand_mesh_is_frozen_and_copies_what_it_is_given():
    vertices = np.ones((5, 3))
    hand = make(vertices=vertices)
    vertices[0] = 9
    assert hand.vertices[0, 0] == 1 and hand.faces.dtype == np.int32
    assert hand.corrections == {0: (1.0, 2.0), 8: (3.0, 4.0)}
    for array in (hand.vertices, hand.keypoints, hand.parameters.pose, hand.parametric.joints):
        with pytest.raises(ValueError):
            array[0] = 1
    with pytest.raises(AttributeError):
        hand.side = "right"
    assert hand == make() and hand != make(confidence=0.6) and hand != make(keypoints=np.ones((21, 2)))
    assert make(features=object()) == hand  # a cache is no part of what a hand is
    assert "features" not in repr(hand)
    other = hand.replace(corrections={})
    assert other.corrections == {} and other.vertices.shape == (5, 3) and hand.corrections


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"side": "middle"}, "side"),
        ({"vertices": np.ones((5, 2))}, "vertices has shape"),
        ({"joints": np.full((21, 3), np.nan)}, "joints holds"),
        ({"camera": "no"}, "camera is not"),
        ({"vertex_sigma": np.ones(4)}, "vertex_sigma"),
        ({"faces": [[0, 1, 5]]}, "faces"),
        ({"confidence": 1.5}, "confidence"),
        ({"corrections": {"nose": (1, 2)}}, "nose"),
        ({"corrections": {3: (1, np.inf)}}, "corrections"),
        ({"corrections": {3: (1, 2, 3)}}, "corrections"),
    ],
)
def test_bad_fields_are_named(change, text):
    with pytest.raises(InputError, match=text):
        make(**change)


def test_the_package_loads_without_torch():
    code = "import sys, annotator.hand as h; h.load_hand(); print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
