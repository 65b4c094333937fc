"""HO3D's layout: round trip, OpenGL axes and joint order by hand, no pickle run, broken frames named."""

from __future__ import annotations

import json
import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from same import assert_same

from annotator.errors import InputError
from annotator.formats import reader, writer
from annotator.formats.core.base import ManoLabel
from annotator.formats.core.exporting import mirrored
from annotator.formats.ho3d.writer import FROM_HO3D, TO_HO3D
from annotator.hand.joints import JOINT_NAMES
from annotator.hand.rotations import rotation_matrices
from annotator.vision.camera import project
from annotator.vision.photos import read_photo


@pytest.fixture
def written(records, tmp_path):
    assert writer("ho3d").write(records, tmp_path / "set")["hands"] == 3
    return tmp_path / "set"


def test_round_trip(records, written):
    for ours, theirs in zip(reader("ho3d").read(written), records, strict=True):
        width = read_photo(theirs.photo).shape[1]
        assert_same(ours, mirrored(theirs, width))
        assert ours.side == "right" and ours.provenance["side"] == theirs.side
        told = [state == "corrected" for state in ours.states]  # those are where they were set
        assert np.abs(project(ours.joints, ours.K) - ours.keypoints)[np.logical_not(told)].max() < 1e-3


def test_left_photos_are_mirrored(records, written):
    for ours, theirs in zip(reader("ho3d").read(written), records, strict=True):
        photo = read_photo(theirs.photo).astype(float)
        photo = photo[:, ::-1] if theirs.side == "left" else photo
        assert np.median(np.abs(read_photo(ours.photo) - photo)) < 4


def test_the_order_of_joints():
    """MANO's sixteen, then the tips from thumb to little."""
    names = [JOINT_NAMES[k] for k in TO_HO3D]
    assert names[:4] == ["wrist", "index_mcp", "index_pip", "index_dip"] and names[7] == "little_mcp"
    assert names[13] == "thumb_cmc" and names[16:] == [JOINT_NAMES[k] for k in (4, 8, 12, 16, 20)]
    assert tuple(FROM_HO3D) == (0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18, 10, 11, 12, 19, 7, 8, 9, 20)


def frame(folder, suffix="png", **change):
    """A set of one frame whose keypoint k is k cm right of, and 2 k cm below, the axis, at 1 m."""
    for name in ("rgb", "meta"):
        (folder / "train" / "ABC1" / name).mkdir(parents=True)
    Image.new("RGB", (640, 480)).save(folder / "train" / "ABC1" / "rgb" / f"0007.{suffix}")
    ours = np.array([[k / 100, k / 50, 1.0] for k in range(21)])
    theirs = np.empty((21, 3))
    order = [0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18, 10, 11, 12, 19, 7, 8, 9, 20]
    for k in range(21):
        theirs[order[k]] = ours[k] * (1, -1, -1)
    meta = {"camMat": np.array([[600.0, 0, 320], [0, 600, 240], [0, 0, 1]]), "handJoints3D": theirs,
            "handPose": np.zeros(48), "handBeta": np.arange(10.0), "handTrans": np.array([0.1, 0.2, -0.5]),
            "objName": "box"} | change  # fmt: skip
    (folder / "train" / "ABC1" / "meta" / "0007.pkl").write_bytes(pickle.dumps(meta, 2))
    (folder / "train.txt").write_text("ABC1/0007\n")
    return ours


@pytest.mark.parametrize("suffix", ["png", "jpg"])  # v2, v3
def test_a_frame_by_hand(tmp_path, suffix):
    ours = frame(tmp_path, suffix)
    (hand,) = reader("ho3d").read(tmp_path)
    np.testing.assert_allclose(hand.joints, ours, atol=1e-12)
    np.testing.assert_allclose(hand.keypoints, [[320 + 6 * k, 240 + 12 * k] for k in range(21)])
    assert hand.states[20] == "out of frame" and not hand.visible[20] and hand.weights[20] == 0
    assert hand.states[0] == "confirmed" and hand.id == "ABC1/0007" and hand.photo.suffix == f".{suffix}"
    assert hand.mano.translation is None  # where MANO's wrist rests is not known here: test_mano_in_sets.py
    turn = rotation_matrices(hand.mano.pose[:3])  # the hand's axes seen in ours: half a turn about x
    np.testing.assert_allclose(turn, np.diag([1, -1, -1]), atol=1e-9)


def test_missing_labels_are_none(tmp_path):
    frame(tmp_path, handPose=None, handBeta=None, handTrans=None)
    assert next(reader("ho3d").read(tmp_path)).mano is None
    path = tmp_path / "train" / "ABC1" / "meta" / "0007.pkl"
    path.write_bytes(pickle.dumps({"camMat": np.eye(3), "handJoints3D": None}))
    assert list(reader("ho3d").read(tmp_path)) == []


def test_mano_survives(records, tmp_path):
    random = np.random.default_rng(1)
    label = ManoLabel(random.normal(size=48), random.normal(size=10), random.normal(size=3))
    writer("ho3d").write([replace(records[2], mano=label)], tmp_path / "set")
    (tmp_path / "set" / "details.json").unlink()
    (hand,) = reader("ho3d").read(tmp_path / "set")
    np.testing.assert_allclose(rotation_matrices(hand.mano.pose[:3]), rotation_matrices(label.pose[:3]), atol=1e-9)
    np.testing.assert_allclose(hand.mano.pose[3:], label.pose[3:])


def test_the_free_hand_has_no_mano_fields(written):
    with open(written / "train" / "hands0000" / "meta" / "0000.pkl", "rb") as file:
        meta = pickle.load(file)  # our own file, as HO3D's tools load it
    assert meta["handPose"] is None and meta["handBeta"] is None and meta["handTrans"] is None
    assert meta["handJoints3D"].shape == (21, 3) and (meta["handJoints3D"][:, 2] < 0).all()


class Harm:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"handJoints3D": np.zeros((20, 3))}, "0007.pkl: handJoints3D has shape"),
        ({"handJoints3D": np.full((21, 3), np.nan)}, "not finite"),
        ({"handJoints3D": np.ones((21, 3))}, "behind the camera"),
        ({"camMat": np.zeros((3, 3))}, "focal"),
        ({"objName": Harm("victim")}, "0007.pkl.*not plain data"),
    ],
)
def test_broken_frames_are_named(tmp_path, monkeypatch, change, message):
    monkeypatch.chdir(tmp_path)
    frame(tmp_path, **change)
    with pytest.raises(InputError, match=message):
        list(reader("ho3d").read(tmp_path))
    assert not (tmp_path / "victim").exists()


def test_no_frame_outside_of_the_set(tmp_path):
    frame(tmp_path)
    for name in ("../x/0007", "ABC1/../../0007", "/etc/passwd", "ABC1"):
        (tmp_path / "train.txt").write_text(name + "\n")
        with pytest.raises(InputError, match="SEQUENCE/FRAME"):
            list(reader("ho3d").read(tmp_path))
    (tmp_path / "train.txt").write_text("ABC1/0008\n")
    with pytest.raises(InputError, match="there is no .*0008"):
        list(reader("ho3d").read(tmp_path))
    with pytest.raises(InputError, match="is not an HO3D set"):
        list(reader("ho3d").read(tmp_path / "train"))


def test_the_evaluation_set(tmp_path):
    """Its frames have the wrist and a box; joints and vertices were published beside."""
    ours = frame(tmp_path, "jpg")
    meta = pickle.loads((tmp_path / "train" / "ABC1" / "meta" / "0007.pkl").read_bytes())
    theirs = meta["handJoints3D"]
    (tmp_path / "train").rename(tmp_path / "evaluation")
    (tmp_path / "train.txt").rename(tmp_path / "evaluation.txt")
    path = tmp_path / "evaluation" / "ABC1" / "meta" / "0007.pkl"
    path.write_bytes(
        pickle.dumps({"camMat": meta["camMat"], "handJoints3D": theirs[0], "handBoundingBox": [1, 2, 30, 40]})
    )
    assert list(reader("ho3d").read(tmp_path)) == []
    vertices = np.arange(12.0).reshape(4, 3)
    (tmp_path / "evaluation_xyz.json").write_text(json.dumps([theirs.tolist()]))
    (tmp_path / "evaluation_verts.json").write_text(json.dumps([vertices.tolist()]))
    (hand,) = reader("ho3d").read(tmp_path)
    np.testing.assert_allclose(hand.joints, ours)
    np.testing.assert_allclose(hand.vertices, vertices * (1, -1, -1))
    assert hand.box.tolist() == [1, 2, 30, 40]
    (tmp_path / "evaluation_xyz.json").write_text("[]")
    with pytest.raises(InputError, match="evaluation_xyz.json ends at 0"):
        list(reader("ho3d").read(tmp_path))


def test_a_mirrored_left_hand_can_be_told(records, written):
    for n, record in enumerate(records):
        meta = pickle.loads((written / "train" / "hands0000" / "meta" / f"{n:04d}.pkl").read_bytes())  # our own file
        assert meta["handSide"] == record.side and meta["mirrored"] == (record.side == "left")


def test_a_camera_of_another_size_is_refused(tmp_path):
    frame(tmp_path, camMat=np.array([[1200.0, 0, 640], [0, 1200, 480], [0, 0, 1]]))
    with pytest.raises(InputError, match="centre at \\(640, 480\\).*640 x 480 px"):
        list(reader("ho3d").read(tmp_path))
