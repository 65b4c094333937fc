"""HaMeR's npz and tar: round trips, webdataset's reading, the fields as its loaders take them, no pickle run."""

from __future__ import annotations

import io
import os
import pickle
import tarfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from same import assert_same

from annotator.errors import InputError
from annotator.formats import reader, writer
from annotator.formats.core.base import ManoLabel
from annotator.formats.hamer import tar as hamer_tar
from annotator.vision.images.without_metadata import picture_digest


@pytest.fixture
def npz(records, tmp_path):
    writer("hamer-npz").write(records, tmp_path / "npz")
    return tmp_path / "npz"


@pytest.fixture
def tar(records, tmp_path):
    writer("hamer-tar").write(records, tmp_path / "tar%d")
    return tmp_path / "tar%d"


def test_npz_round_trip(records, npz):
    for ours, theirs in zip(reader("hamer-npz").read(npz), records, strict=True):
        assert_same(ours, theirs)


def test_npz_fields(records, npz):
    with np.load(npz / "annotations.npz", allow_pickle=False) as arrays:
        data = {name: arrays[name] for name in arrays.files}
    assert data["right"].tolist() == [0, 0, 1] and not data["has_hand_pose"].any() and not data["has_betas"].any()
    assert data["hand_pose"].shape == (3, 48) and not data["hand_pose"].any()  # the free hand has no MANO pose
    for n, record in enumerate(records):
        x0, y0, x1, y1 = record.box
        np.testing.assert_allclose(data["center"][n], [(x0 + x1) / 2, (y0 + y1) / 2], rtol=1e-6)
        assert data["scale"][n] == pytest.approx(max(x1 - x0, y1 - y0))
        np.testing.assert_allclose(data["hand_keypoints_2d"][n, :, :2], record.keypoints, atol=1e-4)
        np.testing.assert_allclose(data["hand_keypoints_3d"][n, :, :3], record.joints, atol=1e-6)
        confidence = data["hand_keypoints_2d"][n, :, 2]
        proposed = np.array(record.states) == "proposed"
        assert (confidence[proposed] <= 0.5).all() and (confidence[~record.visible] == 0).all()
        assert (npz / "images" / str(data["imgname"][n])).is_file()


def test_npz_without_our_extras(records, npz):
    (npz / "details.json").unlink()
    for ours, theirs in zip(reader("hamer-npz").read(npz / "annotations.npz"), records, strict=True):
        known = theirs.visible & (theirs.weights > 0)
        np.testing.assert_allclose(ours.keypoints[known], theirs.keypoints[known], atol=1e-4)
        np.testing.assert_allclose(ours.weights[known], theirs.weights[known], atol=1e-6)
        np.testing.assert_allclose(ours.joints, theirs.joints, atol=1e-6)
        assert ours.side == theirs.side and ours.mano is None
        np.testing.assert_allclose((ours.box[:2] + ours.box[2:]) / 2, (theirs.box[:2] + theirs.box[2:]) / 2, atol=1e-3)


def test_names_as_objects_and_bytes(npz):
    """As numpy pickles lists of names; the file's pickles are read without being run."""
    (npz / "details.json").unlink()
    with np.load(npz / "annotations.npz", allow_pickle=False) as arrays:
        data = {name: arrays[name] for name in arrays.files}
    for names in (data["imgname"].astype(object), np.array([name.encode() for name in data["imgname"].tolist()])):
        np.savez(npz / "annotations.npz", **(data | {"imgname": names}))
        assert len(list(reader("hamer-npz").read(npz))) == 3


def test_mano_parameters_are_kept(records, tmp_path):
    random = np.random.default_rng(0)
    labels = [ManoLabel(random.normal(size=48), random.normal(size=10)) for _ in records]
    given = [replace(r, mano=m, parameters=None) for r, m in zip(records, labels, strict=True)]
    for name in ("hamer-npz", "hamer-tar"):
        writer(name).write(given, tmp_path / name)
        if name == "hamer-npz":
            (tmp_path / name / "details.json").unlink()
        for ours, label in zip(reader(name).read(tmp_path / name), labels, strict=True):
            np.testing.assert_allclose(ours.mano.pose, label.pose, atol=1e-6)
            np.testing.assert_allclose(ours.mano.shape, label.shape, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("center", lambda a: a * np.nan, "index 0.*finite"),
        ("hand_keypoints_2d", lambda a: a[:, :20], "index 0.*shape"),
        ("right", lambda a: a + 5, "right is 5"),
        ("scale", lambda a: a[:2], "rows"),
        ("imgname", lambda a: np.array(["../x.jpg"] * len(a)), "leads out"),
        ("imgname", lambda a: np.array(["x.jpg"] * len(a)), "there is no"),
        ("right", None, "no right"),
    ],
)
def test_a_broken_npz_is_named(npz, name, change, message):
    (npz / "details.json").unlink()
    with np.load(npz / "annotations.npz", allow_pickle=False) as arrays:
        data = {key: arrays[key] for key in arrays.files}
    if change is None:
        del data[name]
    else:
        data[name] = change(data[name])
    np.savez(npz / "annotations.npz", **data)
    with pytest.raises(InputError, match=message):
        list(reader("hamer-npz").read(npz))


def test_tar_round_trip(records, tar, tmp_path):
    read = list(reader("hamer-tar").read(tar, photos=tmp_path / "photos"))
    for ours, theirs in zip(read, records, strict=True):
        assert_same(ours, theirs)
        assert picture_digest(ours.photo) == picture_digest(theirs.photo)


def test_photos_go_when_the_reading_ends(tar):
    hands = reader("hamer-tar").read(tar)
    photo = next(hands).photo
    assert photo.is_file()
    hands.close()
    assert not photo.exists()


def test_webdataset_reads_it(records, tar):
    webdataset = pytest.importorskip("webdataset")
    (shard,) = tar.glob("*.tar")
    samples = list(webdataset.WebDataset(str(shard).replace("%", "%"), shardshuffle=False))
    assert len(samples) == 2
    hands = []
    for sample in samples:
        with Image.open(io.BytesIO(sample["jpg"])) as photo:
            assert photo.format == "JPEG"
        hands += pickle.loads(sample["data.pyd"])  # our own file, as a training script loads it
    for hand, record in zip(hands, records, strict=True):
        assert hand["right"] == (record.side == "right") and hand["scale"].shape == (2,)
        x0, y0, x1, y1 = record.box
        np.testing.assert_allclose(hand["scale"] * 200, max(x1 - x0, y1 - y0), rtol=1e-6)
        np.testing.assert_allclose(hand["keypoints_2d"][:, :2], record.keypoints, atol=1e-4)
        hand["keypoints_3d"] += 0  # writeable
        assert b"numpy.core" not in samples[0]["data.pyd"] and b"_core" not in samples[0]["data.pyd"]


def shard_of(folder, labels, key="000", suffix="jpg"):
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40)).save(buffer, "JPEG")
    with tarfile.open(folder / "a.tar", "w") as archive:
        for name, data in ((f"{key}.{suffix}", buffer.getvalue()), (f"{key}.data.pyd", labels)):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return folder


def label(**change):
    points = np.column_stack([np.arange(21) + 1, 2 * np.arange(21), np.ones(21)]).astype(np.float32)
    solid = np.column_stack([np.arange(63).reshape(21, 3) / 100, np.ones(21)])
    base = {
        "keypoints_2d": points,
        "keypoints_3d": solid,
        "center": np.array([10.0, 20]),
        "scale": np.array([0.2, 0.1]),
        "hand_pose": np.arange(48.0),
        "betas": np.arange(10.0),
        "right": np.float32(0),
        "has_hand_pose": 1.0,
        "has_betas": 0.0,
        "extra_info": {},
    }
    return base | change


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_shard_by_hand(tmp_path, protocol):
    (hand,) = reader("hamer-tar").read(shard_of(tmp_path, pickle.dumps([label()], protocol)), tmp_path / "photos")
    assert hand.side == "left" and hand.box.tolist() == [-10, 10, 30, 30]  # scale x 200 px
    np.testing.assert_array_equal(hand.keypoints, label()["keypoints_2d"][:, :2])
    np.testing.assert_allclose(hand.joints, label()["keypoints_3d"][:, :3])
    np.testing.assert_array_equal(hand.mano.pose, np.arange(48))
    assert not hand.mano.shape.any() and hand.mano.form == "full"


def test_no_pickle_is_run(tmp_path):
    class Harm:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path}/victim",)

    with pytest.raises(InputError, match="a.tar.*not plain data"):
        list(reader("hamer-tar").read(shard_of(tmp_path, pickle.dumps([label(extra_info=Harm())]))))
    assert not (tmp_path / "victim").exists()


def test_broken_shards_are_named(tmp_path):
    kept = tmp_path / "photos"
    for key in ("../../escape", "/abs/escape"):  # a key never leads out of the photos' folder
        list(reader("hamer-tar").read(shard_of(tmp_path, pickle.dumps([label()]), key), kept))
    assert len(list(kept.iterdir())) == 2 and not list(tmp_path.glob("escape*"))
    for labels, message in (
        ([label(keypoints_2d=np.zeros((20, 3)))], "000, 0.*shape"),
        ([label(center=np.array([np.nan, 0]))], "finite"),
        ({}, "list of dicts"),
    ):
        with pytest.raises(InputError, match=message):
            list(reader("hamer-tar").read(shard_of(tmp_path, pickle.dumps(labels))))
    with pytest.raises(InputError, match="no photo"):
        list(reader("hamer-tar").read(shard_of(tmp_path, b"", suffix="txt")))
    (tmp_path / "a.tar").write_bytes(b"nothing" * 200)
    with pytest.raises(InputError, match="a.tar"):
        list(reader("hamer-tar").read(tmp_path))


def test_portable_pickles():
    value = {"a": np.arange(6.0).reshape(2, 3), "b": np.float32(2), "c": [np.int64(3)]}
    loaded = pickle.loads(hamer_tar.dumped(value))
    np.testing.assert_array_equal(loaded["a"], value["a"])
    assert loaded["b"] == 2 and loaded["c"][0] == 3 and loaded["b"].dtype == np.float32


def test_mano_is_filled(records, tmp_path, with_mano):
    """With a MANO of the user's own: our parameters of a left hand are its mirror image's, HaMeR's are its own."""
    from annotator.formats.hamer.fields import mano_of, parameters_from
    from annotator.hand import load_hand
    from annotator.hand.mesh import HandParameters

    mano, random = load_hand("mano"), np.random.default_rng(0)
    given = []
    for record in records:
        values = HandParameters(random.normal(0, 0.2, (16, 3)), random.normal(size=10), (0, 0, 0.7), np.zeros((98, 3)))
        vertices = mano.vertices(values, record.side)
        given.append(replace(record, parameters=values, hand_model=mano.digest, vertices=vertices,
                             faces=mano.faces_of(record.side), joints=mano.joints(vertices)))  # fmt: skip
    writer("hamer-npz").write(given, tmp_path / "set")
    with np.load(tmp_path / "set" / "annotations.npz", allow_pickle=False) as data:
        assert data["has_hand_pose"].all() and data["has_betas"].all()
        signs = [(1, -1, -1), (1, -1, -1), (1, 1, 1)]  # left, left, right
        for pose, record, sign in zip(data["hand_pose"], given, signs, strict=True):
            np.testing.assert_allclose(pose.reshape(16, 3), record.parameters.pose * sign, atol=1e-6)
    assert (tmp_path / "set" / "faces.json").read_text() == "{}"  # MANO's topology stays with MANO's file
    for ours, theirs in zip(reader("hamer-npz").read(tmp_path / "set"), given, strict=True):
        assert_same(ours, theirs)  # the mesh too, rebuilt
        back = parameters_from(mano_of(theirs), theirs.side, theirs.parameters.translation, 98)
        np.testing.assert_allclose(mano.vertices(back, theirs.side), theirs.vertices, atol=1e-9)
