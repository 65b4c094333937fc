"""Captured data sets: joints, cameras and sides as they are published, by sets made here in their layouts."""

from __future__ import annotations

import json

import numpy as np
import pytest
from small_captures import CAPTURES, JOINTS, make_arctic, make_assemblyhands, make_hanco, make_hot3d, umetrack
from small_sets import make_interhand

from annotator.errors import InputError
from annotator.formats import reader
from annotator.formats.captures.fisheye import fisheye_places
from annotator.formats.captures.umetrack import UmeTrackHand
from annotator.formats.conventions.remarks import remarking
from annotator.vision.camera import project


def test_assemblyhands(tmp_path):
    make_assemblyhands(tmp_path, ["", "", ""])
    records = list(reader("assemblyhands").read(tmp_path))
    assert [r.side for r in records] == ["right"] * 3 and [r.provenance["camera"] for r in records][2] == "HMC_2"
    # from tip to base, the wrist last, in the world; the camera stands 100 mm beside it
    np.testing.assert_allclose(records[0].joints[[0, 1, 4, 20]], JOINTS[[20, 3, 0, 16]], atol=1e-12)
    np.testing.assert_allclose(records[0].keypoints, project(records[0].joints, records[0].K))
    np.testing.assert_array_equal(records[0].box, [1, 2, 30, 40])
    with pytest.raises(InputError, match="no annotations/train"):
        list(reader("assemblyhands").read(tmp_path, split="train"))


def test_assemblyhands_left_hands_and_joints_that_are_not_valid(tmp_path):
    make_assemblyhands(tmp_path, [""])
    path = tmp_path / "annotations" / "val" / "assemblyhands_val_ego_data_v1-1.json"
    data = json.loads(path.read_text())
    data["annotations"][0]["bbox"]["left"] = [0, 0, 9, 9]
    data["annotations"][0]["joint_valid"] = [1] * 21 + [0] + [1] * 20  # the left thumb's tip
    path.write_text(json.dumps(data))
    right, left = reader("assemblyhands").read(tmp_path)
    assert right.weights.all() and left.side == "left" and np.flatnonzero(left.weights == 0).tolist() == [4]
    assert left.joint_weights[4] == 0


def test_hanco(tmp_path):
    make_hanco(tmp_path, ["", "", ""])
    records = list(reader("hanco").read(tmp_path))
    np.testing.assert_allclose(records[1].joints, JOINTS)
    assert records[1].id == "0007-cam0-00000001" and records[1].provenance["subject"] == "4"
    assert records[1].mano.form == "from mean" and records[1].mano.shape[0] == 48
    meta = json.loads((tmp_path / "meta.json").read_text())
    meta["is_valid"][7][1] = False
    (tmp_path / "meta.json").write_text(json.dumps(meta))
    with remarking() as remarks:
        assert len(list(reader("hanco").read(tmp_path))) == 2 and sum(remarks.values()) == 1
    with pytest.raises(InputError, match="not a HanCo set"):
        list(reader("hanco").read(tmp_path / "rgb"))


def test_arctic(tmp_path):
    make_arctic(tmp_path, ["", "", ""])
    records = list(reader("arctic").read(tmp_path))
    assert [r.id for r in records] == [f"s0{n}-box_use_01-1-00003-right" for n in (1, 2, 3)]
    np.testing.assert_allclose(records[0].joints, JOINTS)
    assert records[0].provenance["frame"] == 1 and records[0].mano.pose[[0, 47]].tolist() == [0.1, 0.2]
    (one,) = reader("arctic").read(tmp_path / "processed_seqs" / "s02" / "box_use_01.npy")
    assert one.id == records[1].id


def test_arctic_splits_and_the_egocentric_view(tmp_path):
    make_arctic(tmp_path, [""])
    sequence = np.load(tmp_path / "processed_seqs" / "s01" / "box_use_01.npy", allow_pickle=True).item()
    names = [f"./data/arctic_data/data/images/s01/box_use_01/{view}/00003.jpg" for view in (0, 1)]
    (tmp_path / "splits").mkdir()
    np.save(tmp_path / "splits" / "p1_val.npy", {"data_dict": {"s01/box_use_01": sequence}, "imgnames": names})
    with remarking() as remarks:
        (record,) = reader("arctic").read(tmp_path, part="p1_val")
    assert record.provenance["camera"] == "1" and "egocentric" in next(iter(remarks))
    np.save(tmp_path / "splits" / "p1_val.npy", np.arange(3))
    with pytest.raises(InputError, match="p1_val.npy is not a file of ARCTIC's"):
        list(reader("arctic").read(tmp_path, part="p1_val"))
    with pytest.raises(InputError, match="there is no splits/p2_val.npy"):
        list(reader("arctic").read(tmp_path, part="p2_val"))


def test_hot3d(tmp_path):
    make_hot3d(tmp_path, ["", "", ""])
    records = list(reader("hot3d").read(tmp_path, photos=tmp_path / "photos"))
    first = records[0]
    assert [r.id for r in records] == [f"clip-001-00000{n}-214-1-right" for n in range(3)]
    assert first.K is None and first.photo.is_file() and first.side == "right"
    assert np.flatnonzero(first.joint_weights == 0).tolist() == [1]  # no base of the thumb
    np.testing.assert_allclose(first.joints[0], [-0.02, 0, 0.5], atol=1e-12)
    assert (first.joints[5:, 0] < 0).all()  # the model is a left hand's: mirrored
    with remarking():
        with pytest.raises(InputError, match="no .tar files"):
            list(reader("hot3d").read(tmp_path / "photos"))


def test_umetracks_fingers_bend_about_their_joints():
    hand = UmeTrackHand(umetrack())
    flat = hand.joints(np.zeros(20), np.eye(4), "left")
    np.testing.assert_allclose(flat[8], [0.020, 0.145, 0], atol=1e-12)
    angles = np.zeros(20)
    angles[4 + 3] = np.pi / 2  # the index finger's last joint, about x
    bent = hand.joints(angles, np.eye(4), "left")
    np.testing.assert_allclose(bent[8], [0.020, 0.120, 0.025], atol=1e-12)
    np.testing.assert_allclose(np.delete(bent, [1, 8], 0), np.delete(flat, [1, 8], 0), atol=1e-12)
    with pytest.raises(InputError, match="bone_indices"):
        UmeTrackHand(umetrack() | {"landmark_rest_bone_indices": [[99, 0]] * 20})


def test_a_fisheye_without_distortion_is_equidistant():
    points = np.array([[0.0, 0, 1], [1, 0, 1], [0, 1, 0]])
    places = fisheye_places(points, [100.0, 5, 6, *[0.0] * 12])
    np.testing.assert_allclose(places, [[5, 6], [5 + 25 * np.pi, 6], [5, 6 + 50 * np.pi]])
    with pytest.raises(InputError, match="15 or 16"):
        fisheye_places(points, [1.0] * 4)


@pytest.mark.parametrize("annotations", ["annotations/test", "annotations", ".", "InterHand2.6M/annotations/all/test"])
@pytest.mark.parametrize("photos", ["images/test", "images", "test"])
def test_interhand_wherever_its_files_lie(tmp_path, annotations, photos):
    make_interhand(tmp_path / "as published", [""])
    place = tmp_path / "mine" / annotations
    place.parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "as published" / "annotations" / "test").rename(place)
    (tmp_path / "mine" / photos).parent.mkdir(exist_ok=True)
    (tmp_path / "as published" / "images" / "test").rename(tmp_path / "mine" / photos)
    (record,) = reader("interhand").read(tmp_path / "mine")
    assert record.photo == tmp_path / "mine" / photos / "0.jpg"
    with pytest.raises(InputError, match="no InterHand2.6M_val_data.json below it"):
        list(reader("interhand").read(tmp_path / "mine", split="val"))


@pytest.mark.parametrize("name", sorted(CAPTURES))
def test_every_hand_looks_like_its_set_says(tmp_path, name):
    CAPTURES[name](tmp_path, [""])
    (record,) = reader(name).read(tmp_path)
    assert record.provenance["data_set"] and record.provenance.get("side_known", True)
    assert set(record.states) <= {"confirmed", "occluded"}
