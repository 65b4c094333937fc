"""The builder's parts: reading GLB, scaling bones, simplifying and upsampling meshes, fitting regressors."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from annotator.errors import InputError
from annotator.hand.building.levels import decimate, upsampling
from annotator.tools.build_hand import main
from annotator.tools.glb import read_skinned_glb
from annotator.tools.shape_space import BONE_COUNT, CHAINS, Skeleton, shape_space


def write_glb(path, positions, joints, weights, faces, frames) -> None:
    """A GLB with one skin, written by the book: column-major matrices, every accessor in its own view."""
    parts = [
        (positions.astype("<f4"), "VEC3", 5126), (joints.astype("<u1"), "VEC4", 5121),
        (weights.astype("<f4"), "VEC4", 5126), (faces.astype("<u2").ravel(), "SCALAR", 5123),
        (np.linalg.inv(frames).transpose(0, 2, 1).astype("<f4").reshape(-1, 16), "MAT4", 5126),
    ]  # fmt: skip
    blob, views, accessors = b"", [], []
    for array, kind, component in parts:
        data = array.tobytes()
        views.append({"buffer": 0, "byteOffset": len(blob), "byteLength": len(data)})
        accessors.append({"bufferView": len(views) - 1, "componentType": component, "count": len(array), "type": kind})
        blob += data + b"\0" * (-len(data) % 4)
    document = {
        "asset": {"version": "2.0"}, "accessors": accessors, "bufferViews": views,
        "nodes": [{"name": f"bone{n}"} for n in range(len(frames))],
        "skins": [{"joints": list(range(len(frames))), "inverseBindMatrices": 4}],
        "meshes": [{"primitives": [{"attributes": dict(POSITION=0, JOINTS_0=1, WEIGHTS_0=2), "indices": 3}]}],
    }  # fmt: skip
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(blob), 0x004E4942) + blob
    path.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body)


def test_glb_is_read_and_welded(tmp_path):
    # A square of two triangles whose shared edge is split, as glTF splits texture seams.
    positions = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 0], [1, 1, 0], [0, 1, 0]], float)
    frames = np.tile(np.eye(4), (2, 1, 1))
    frames[1, :3, :3] = [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
    frames[1, :3, 3] = 0.5, 0.25, 0.0
    joints = np.tile([0, 1, 0, 0], (6, 1))
    weights = np.array([[1 - w, w, 0, 0] for w in (0, 0.25, 0.5, 0, 0.5, 1)])
    write_glb(tmp_path / "a.glb", positions, joints, weights, np.array([[0, 1, 2], [3, 4, 5]]), frames)
    mesh = read_skinned_glb(tmp_path / "a.glb")
    np.testing.assert_allclose(mesh.vertices, positions[[0, 1, 2, 5]])
    np.testing.assert_array_equal(mesh.faces, [[0, 1, 2], [0, 2, 3]])
    np.testing.assert_allclose(mesh.weights, [[1, 0], [0.75, 0.25], [0.5, 0.5], [0, 1]])
    np.testing.assert_allclose(mesh.frames, frames, atol=1e-6)
    assert mesh.names == ("bone0", "bone1")


def test_bad_glb_ends_with_code_two_and_one_line(tmp_path, capsys):
    (tmp_path / "text.glb").write_text("this is no glTF file at all")
    text = json.dumps({"asset": {}}).encode() + b"  "
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", 4, 0x004E4942) + b"\0\0\0\0"
    (tmp_path / "empty.glb").write_bytes(b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks)
    for name, words in (
        ("text.glb", "not a binary"),
        ("empty.glb", "no skinned mesh"),
        ("gone.glb", "no such file"),
    ):
        with pytest.raises(InputError, match=words):
            read_skinned_glb(tmp_path / name)
        assert main([str(tmp_path / name), str(tmp_path / "out.npz")]) == 2
        error = capsys.readouterr().err
        assert words in error and error.count("\n") == 1
    assert not (tmp_path / "out.npz").exists()


def ball(rings: int = 12, around: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """A closed unit sphere of latitude rings."""
    height = np.linspace(0, np.pi, rings + 2)[1:-1, None]
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False)[None]
    ring = np.stack([np.sin(height) * np.cos(angle), np.sin(height) * np.sin(angle), np.cos(height) + 0 * angle], -1)
    points = np.concatenate([[[0, 0, 1.0]], ring.reshape(-1, 3), [[0, 0, -1.0]]])
    last, faces = len(points) - 1, []
    for j in range(around):
        k = (j + 1) % around
        faces.append([0, 1 + j, 1 + k])
        for i in range(rings - 1):
            a, b = 1 + i * around, 1 + (i + 1) * around
            faces += [[a + j, b + j, b + k], [a + j, b + k, a + k]]
        faces.append([last, last - around + k, last - around + j])
    return points, np.array(faces)


def test_simplified_ball_stays_a_ball_and_upsampling_is_smooth():
    points, faces = ball()
    levels = decimate(points, faces, [40, 90], [0, 7], np.ones(len(points)))
    for (indices, small), count in zip(levels, (40, 90), strict=True):
        assert len(indices) == count and {0, 7} <= set(indices) and len(small) == 2 * count - 4
        corners = points[indices][small]
        a, b, c = corners.transpose(1, 0, 2)
        assert np.einsum("ni,ni->", a, np.cross(b, c)) / 6 > 0.75 * 4 / 3 * np.pi
        matrix = upsampling(points, faces, indices)
        np.testing.assert_allclose(matrix.sum(axis=1), 1)
        smooth = points[:, 2] + 0.3 * points[:, 0]  # a linear function over the ball comes back nearly as it was
        assert np.abs(matrix @ smooth[indices] - smooth).max() < 0.15
    assert set(levels[0][0]) < set(levels[1][0])


def limb(count: int = 400) -> Skeleton:
    """Random points about a straight-boned hand of the builder's layout."""
    generator = np.random.default_rng(0)
    joints, tips = np.zeros((BONE_COUNT, 3)), []
    for number, chain in enumerate(CHAINS.values()):
        for step, bone in enumerate(chain):
            joints[bone] = -0.02 - 0.03 * step, 0, 0.04 - 0.02 * number
        tips.append(joints[chain[-1]] - [0.02, 0, 0])
    weights = generator.dirichlet(np.full(BONE_COUNT, 0.05), count)
    return Skeleton(weights @ joints + generator.normal(0, 0.005, (count, 3)), weights, joints, np.array(tips))


def test_scaling_bones_scales_lengths_and_keeps_joints_together():
    hand = limb()
    same = hand.scaled(np.ones(3), np.ones(BONE_COUNT), np.ones(BONE_COUNT))
    np.testing.assert_allclose(same.vertices, hand.vertices, atol=1e-15)
    longer = hand.drawn({"finger_length": 0.1, "index_length": 0.05})
    before, after = (h.ends() - h.joints for h in (hand, longer))
    ratio = np.linalg.norm(after, axis=1) / np.linalg.norm(before, axis=1)
    np.testing.assert_allclose(ratio[list(CHAINS["index"][1:])], 1.15)
    np.testing.assert_allclose(ratio[list(CHAINS["ring"][1:])], 1.10)
    np.testing.assert_allclose(ratio[list(CHAINS["thumb"])], 1.0)
    bigger = hand.drawn({"size": 0.2})
    np.testing.assert_allclose(bigger.vertices, 1.2 * hand.vertices, atol=1e-15)
    np.testing.assert_allclose(bigger.tips, 1.2 * hand.tips, atol=1e-15)


def test_shape_space_is_centred_scaled_and_largest_first():
    hand = limb()
    space = shape_space(hand, count=60, components=10)
    assert space["directions"].shape == (400, 3, 10) and (np.diff(space["held"]) <= 0).all()
    assert space["held"].sum() > 0.99
    # One unit of a component is one standard deviation: together they hold the drawn hands' own variance.
    generator = np.random.default_rng(7)
    drawn = generator.standard_normal((300, 10)) @ space["directions"].reshape(-1, 10).T
    size = np.linalg.norm(drawn, axis=1).mean()
    whole = np.linalg.norm((hand.drawn({"size": 0.07}).vertices - hand.vertices).ravel())
    assert 0.5 * whole < size < 3 * whole
