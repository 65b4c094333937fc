"""Files of pose networks' tools as other people write them, and those that cannot be read: one clear line."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from small_tools import photo, places

from annotator.errors import InputError
from annotator.formats import reader
from annotator.hand.joint_states import CONFIRMED, OCCLUDED, PROPOSED
from annotator.hand.joints import JOINT_NAMES


def yolo(folder, about="names: [hand]\nkpt_shape: [21, 3]\ntrain: images/train\nval: images/val\n", line=None):
    photo(folder / "images" / "train" / "a.png")
    photo(folder / "images" / "val" / "b.png")
    values = [n for x, y in places().tolist() for n in ((x + 0.5) / 90, (y + 0.5) / 70, 2)]
    (folder / "labels" / "train").mkdir(parents=True)
    (folder / "labels" / "train" / "a.txt").write_text(line or " ".join(map(str, [0, 0.3, 0.3, 0.2, 0.4, *values])))
    (folder / "data.yaml").write_text(about)
    return folder


def test_yolo_of_other_people(tmp_path):
    (found,) = reader("yolo-pose").read(yolo(tmp_path / "one"))
    np.testing.assert_allclose(found.keypoints, places(), atol=1e-9)
    assert not found.provenance["side_known"] and np.allclose(found.box, [17.5, 6.5, 35.5, 34.5])
    flat = " ".join(map(str, [1, 0.3, 0.3, 0.2, 0.4, *((places() + 0.5) / (90, 70)).ravel()]))
    about = "names: {0: x, 1: left_hand}\nkpt_shape: [21, 2]\ntrain: ../images/train\nval: images/val\n"
    (found,) = reader("yolo-pose").read(yolo(tmp_path / "two", about, flat))
    assert found.side == "left" and found.provenance["side_known"]


@pytest.mark.parametrize(
    ("about", "line", "message"),
    [
        ("names: [hand]\nkpt_shape: [17, 3]\ntrain: images/train\n", None, r"kpt_shape is \[17, 3\]"),
        ("names: [hand]\nkpt_shape: [21, 3]\n", None, "no train, val or test"),
        ("names: [hand]\nkpt_shape: [21, 3]\ntrain: nowhere\n", None, "there is no"),
        ("names: [hand]\nkpt_shape: [21, 3]\ntrain: /etc\n", None, "leads out"),
        (None, "0 1 2 3", "index 0, line 1: has 4 numbers"),
        (None, "0 " + "a " * 67, "line 1"),
        (None, "3 " + "0.1 " * 67, "class 3 has no name"),
        ("- a\n", None, "is not a data.yaml"),
        ("a: [", None, "is not YAML"),
    ],
)
def test_yolo_that_cannot_be_read(tmp_path, about, line, message):
    options = {} if about is None else {"about": about}
    with pytest.raises(InputError, match=message):
        list(reader("yolo-pose").read(yolo(tmp_path, line=line, **options)))


def deeplabcut(folder, parts=JOINT_NAMES, old=True, cells=None, coords=("x", "y")):
    """Single-animal; old: photos by one path."""
    table = folder / "labeled-data" / "film" / "CollectedData_Me.csv"
    photo(table.parent / "img0001.png")
    blank = [] if old else ["", ""]
    name = ["labeled-data\\film\\img0001.png"] if old else ["labeled-data", "film", "img0001.png"]
    count = len(coords)
    rows = [
        ["scorer", *blank, *["Me"] * count * len(parts)],
        ["bodyparts", *blank, *[part for part in parts for _ in coords]],
        ["coords", *blank, *[axis for _ in parts for axis in coords]],
        [*name, *(cells or [n for x, y in places().tolist() for n in (x, y, 0.7)[:count]])],
    ]
    with table.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder


@pytest.mark.parametrize("old", [False, True])
def test_deeplabcut_single_animal(tmp_path, old):
    for folder in (deeplabcut(tmp_path, old=old), tmp_path / "labeled-data" / "film"):
        (found,) = reader("deeplabcut").read(folder)
        np.testing.assert_array_equal(found.keypoints, places())
        assert not found.provenance["side_known"] and set(found.states) == {CONFIRMED}


def test_deeplabcut_sides_proposals_and_empty_cells(tmp_path):
    cells = [n for x, y in places().tolist() for n in (x, y)]
    cells[6:8] = ["", ""]
    (found,) = reader("deeplabcut").read(deeplabcut(tmp_path / "a", [f"L_{n}" for n in JOINT_NAMES], cells=cells))
    assert found.side == "left" and found.weights[3] == 0 and found.weights.sum() == 20
    both = [f"{side}_{name}" for side in ("left", "right") for name in JOINT_NAMES]
    values = [n for x, y in [*places().tolist(), *places(9).tolist()] for n in (x, y)]
    left, right = reader("deeplabcut").read(deeplabcut(tmp_path / "b", both, cells=values))
    assert (left.side, right.side) == ("left", "right") and np.array_equal(right.keypoints, places(9))
    (found,) = reader("deeplabcut").read(deeplabcut(tmp_path / "c", coords=("x", "y", "likelihood")))
    assert set(found.states) == {PROPOSED} and found.weights.max() <= 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"parts": ["elbow"]}, "CollectedData_Me.csv: no keypoint of a hand is called 'elbow'"),
        ({"cells": ["far"] * 42}, "index 0: wrist of the hand is no number"),
        ({"cells": ["1"] * 3}, "index 0"),
        ({"parts": ["wrist", "wrist"]}, "each once"),
    ],
)
def test_deeplabcut_that_cannot_be_read(tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        list(reader("deeplabcut").read(deeplabcut(tmp_path, **options)))


def test_deeplabcut_in_hdf5(tmp_path):
    """As pandas lays a table with many-levelled columns out; made here with h5py, which is all that reading needs."""
    h5py = pytest.importorskip("h5py")
    folder = deeplabcut(tmp_path)
    (table,) = folder.rglob("*.csv")
    table.unlink()
    levels = {
        "axis0": [["Me"], sorted(JOINT_NAMES), ["x", "y"]],
        "axis1": [["labeled-data"], ["film"], ["img0001.png"]],
    }
    with h5py.File(table.with_suffix(".h5"), "w") as file:
        group = file.create_group("df_with_missing")
        for axis in ("axis0", "axis1", "block0_items"):
            words = levels[axis.replace("block0_items", "axis0")]
            names = ("scorer", "bodyparts", "coords") if axis != "axis1" else ("N.",) * 3
            for n, level in enumerate(words):
                found = group.create_dataset(f"{axis}_level{n}", data=np.array([w.encode() for w in level]))
                found.attrs["name"] = np.bytes_(names[n])
            rows = [(0, sorted(JOINT_NAMES).index(j), a) for j in JOINT_NAMES for a in (0, 1)]
            for n in range(3):
                labels = [row[n] for row in rows] if axis != "axis1" else [0]
                group.create_dataset(f"{axis}_label{n}", data=np.array(labels, np.int8))
        group.create_dataset("block0_values", data=places().reshape(1, 42))
    (found,) = reader("deeplabcut").read(folder)
    np.testing.assert_array_equal(found.keypoints, places())
    with h5py.File(table.with_suffix(".h5"), "a") as file:
        before = file["df_with_missing/block0_values"][()]
        del file["df_with_missing/block0_values"]
        file.create_dataset("df_with_missing/block0_values", (10**8, 42), "f8", chunks=(64, 42))  # nothing is stored
    with pytest.raises(InputError, match="CollectedData_Me.h5 .* claims 4200000000 values"):
        list(reader("deeplabcut").read(folder))
    with h5py.File(table.with_suffix(".h5"), "a") as file:
        del file["df_with_missing/block0_values"]
        file["df_with_missing/block0_values"] = before
        del file["df_with_missing/axis0_level1"]
    with pytest.raises(InputError, match="CollectedData_Me.h5"):
        list(reader("deeplabcut").read(folder))


def slp(folder, names=JOINT_NAMES, files=("hand.png",), predicted=False, track=None, visible=True):
    sleap_io = pytest.importorskip("sleap_io")
    photo(folder / "frames" / "hand.png")
    skeleton = sleap_io.Skeleton(list(names))
    rows = places()[: len(names)]
    who = None if track is None else sleap_io.Track(track)
    if predicted:
        one = sleap_io.PredictedInstance.from_numpy(rows, skeleton, point_scores=np.full(len(rows), 0.9), score=0.9)
    else:
        one = sleap_io.Instance.from_numpy(rows, skeleton, track=who)
        one.points["visible"] = visible
    video = sleap_io.Video(filename=list(files) if len(files) else "film.mp4", open_backend=False,
                           backend_metadata={"type": "ImageVideo", "filename": "x", "filenames": list(files)}
                           if files else {"type": "MediaVideo", "filename": "film.mp4"})  # fmt: skip
    labels = sleap_io.Labels([sleap_io.LabeledFrame(video=video, frame_idx=0, instances=[one])])
    sleap_io.save_slp(labels, str(folder / "frames" / "mine.slp"), embed=False, verbose=False)
    return folder / "frames"


def test_sleap_of_other_people(tmp_path):
    (found,) = reader("sleap").read(slp(tmp_path / "a", track="left_hand"))
    np.testing.assert_array_equal(found.keypoints, places())
    assert found.side == "left" and set(found.states) == {CONFIRMED}
    (found,) = reader("sleap").read(slp(tmp_path / "b", predicted=True))
    assert set(found.states) == {PROPOSED} and not found.provenance["side_known"] and found.weights.max() <= 0.5
    (found,) = reader("sleap").read(slp(tmp_path / "c", visible=False))
    assert set(found.states) == {OCCLUDED}


def test_sleap_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="index 0: .*called 'elbow'"):
        list(reader("sleap").read(slp(tmp_path / "a", names=["elbow"])))
    with pytest.raises(InputError, match="film.mp4 is a film"):
        list(reader("sleap").read(slp(tmp_path / "b", files=())))
    with pytest.raises(InputError, match=r"index 0: .*there is no .*gone.png"):
        list(reader("sleap").read(slp(tmp_path / "c", files=("/elsewhere/gone.png",))))
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "x.slp").write_bytes(b"no HDF5")
    with pytest.raises(InputError, match="x.slp is not a file of SLEAP's"):
        list(reader("sleap").read(tmp_path / "d"))
