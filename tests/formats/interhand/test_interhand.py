"""InterHand2.6M's layout, written: what its own code reads, without our details beside."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from two_cameras_set import KS, POSES

from annotator.errors import InputError
from annotator.formats import reader, writer
from annotator.vision.rigs import Rig

FILES = "annotations/train/InterHand2.6M_train_{}.json"


def tables(folder) -> dict:
    return {name: json.loads((folder / FILES.format(name)).read_text()) for name in ("data", "camera", "joint_3d")}


def test_a_hand_of_an_instant_is_one_hand(instants, tmp_path):
    writer("interhand").write(instants, tmp_path / "set")
    found = tables(tmp_path / "set")
    assert list(found["camera"]) == ["0"] and set(found["camera"]["0"]["campos"]) == {"0", "1"}
    assert set(found["joint_3d"]["0"]) == {"0", "1"} and len(found["data"]["images"]) == 4
    assert [one["hand_type"] for one in found["data"]["annotations"]] == ["interacting"] * 4
    assert all(sum(one["joint_valid"]) == 42 for one in found["data"]["annotations"])
    assert (
        found["data"]["images"][2] | {"camera_name": "right", "moment": "m0", "capture_name": "table"}
        == (found["data"]["images"][2])
    )


def test_the_sets_own_fields_say_the_same(instants, tmp_path):
    writer("interhand").write(instants, tmp_path / "set")
    (tmp_path / "set" / "details.json").unlink()
    back = list(reader("interhand").read(tmp_path / "set"))
    order = {(one.photo.stem, one.side): one for one in instants}
    assert len(back) == len(order)
    for ours, wanted in zip(back, sorted(instants, key=lambda r: (r.id.split("-")[:2], r.side == "left")), strict=True):
        assert ours.side == wanted.side and np.allclose(ours.K, wanted.K)
        assert np.abs(ours.joints - wanted.joints).max() < 1e-9
        assert np.abs(ours.keypoints - wanted.keypoints).max() < 1e-6


def test_the_rig_comes_back(instants, tmp_path):
    writer("interhand").write(instants, tmp_path / "set")
    rig = Rig.read(tmp_path / "set" / FILES.format("camera"))
    turn, shift = POSES["right"]
    assert (
        np.allclose(rig["1"].R, turn)
        and np.allclose(rig.metric()["1"].t, shift)
        and np.allclose(rig["0"].K, KS["left"])
    )


def test_two_hands_of_a_side_are_two_frames(instants, tmp_path):
    """In one photo and moment, and where the hands of two photos are not the same hand."""
    second = replace(instants[0], id="more", joints=instants[0].joints + (0.2, 0, 0))
    writer("interhand").write([*instants, second], tmp_path / "set")
    found = tables(tmp_path / "set")
    assert len(found["joint_3d"]["0"]) == 3 and len(found["data"]["images"]) == 5
    assert found["data"]["annotations"][-1]["hand_type"] == "right"
    (tmp_path / "set" / "details.json").unlink()
    assert len(list(reader("interhand").read(tmp_path / "set"))) == 9


def test_a_bent_lens_is_a_pinhole_for_each_photo(instants, tmp_path):
    bent = [replace(one, K=one.K + np.diag([k, k, 0])) for k, one in enumerate(instants)]
    writer("interhand").write(bent, tmp_path / "set")
    (tmp_path / "set" / "details.json").unlink()
    back = {(one.side, one.K[0, 0]): one for one in reader("interhand").read(tmp_path / "set")}
    for one in bent:
        assert np.abs(back[one.side, one.K[0, 0]].joints - one.joints).max() < 1e-9
    assert len(tables(tmp_path / "set")["joint_3d"]["0"]) == 2


def test_photos_of_no_rig(records, tmp_path):
    writer("interhand").write(records, tmp_path / "set")
    skeleton = (tmp_path / "set" / "annotations" / "skeleton.txt").read_text().splitlines()
    assert len(skeleton) == 43 and skeleton[21].split() == ["r_wrist", "20", "-1"]
    found = tables(tmp_path / "set")
    kinds = sorted(one["hand_type"] for one in found["data"]["annotations"])
    assert kinds == ["interacting", "left"]
    with pytest.raises(InputError, match="no joints or no camera"):
        writer("interhand").write([replace(records[0], K=None)], tmp_path / "none")


def test_pycocotools_reads_it(instants, tmp_path):
    coco = pytest.importorskip("pycocotools.coco")
    writer("interhand").write(instants, tmp_path / "set")
    database = coco.COCO(str(tmp_path / "set" / FILES.format("data")))
    for one in database.anns.values():
        (image,) = database.loadImgs(one["image_id"])
        assert (tmp_path / "set" / "images" / "train" / image["file_name"]).is_file()
