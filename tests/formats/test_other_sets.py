"""Tiny sets in each layout, written by hand: order, axes, units and sides of HInt, CSV, DexYCB, InterHand, FreiHAND."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from small_sets import make_dexycb, make_interhand

from annotator.errors import InputError
from annotator.formats import reader
from annotator.hand.joints import JOINT_NAMES

PLACES = np.array([[10.0 + k, 2 * k] for k in range(21)])


def photo(path, size=(640, 480)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)


# -- HInt ------------------------------------------------------------------------------------------------------
def hint(folder, **change):
    photo(folder / "TEST_img" / "a.jpg")
    points = PLACES.copy()
    points[3] = -1
    hidden = [0] * 21
    hidden[5] = 1
    hand = {"keypoints": [points.tolist()], "bbox": [[1, 2, 30, 40]], "occlusion": [hidden]} | change
    (folder / "TEST_img" / "a.json").write_text(json.dumps([hand]))
    return folder


def test_hint(tmp_path):
    (hand,) = reader("hint").read(hint(tmp_path))
    assert hand.weights[3] == 0 and not hand.visible[3] and hand.states[5] == "occluded" and hand.weights[5] == 1
    np.testing.assert_array_equal(np.delete(hand.keypoints, 3, 0), np.delete(PLACES, 3, 0))
    assert hand.box.tolist() == [1, 2, 30, 40] and hand.id == "TEST_img/a-0" and hand.provenance["side_known"] is False
    (hand,) = reader("hint").read(tmp_path, side="left")
    assert hand.side == "left"


@pytest.mark.parametrize(("stem", "side"), [("clip_action_1926_pre_15_l", "left"), ("ND_x_frame000601_r", "right")])
def test_hint_says_the_side_in_a_files_name(tmp_path, stem, side):
    """Its `prep_ego4d.py` takes the last part of a name for the hand's side; what a hand says of itself may not be
    another, and a file of two hands says nothing so."""
    hint(tmp_path)
    for kind in (".jpg", ".json"):
        (tmp_path / "TEST_img" / f"a{kind}").rename(tmp_path / "TEST_img" / f"{stem}{kind}")
    other = {"left": "right", "right": "left"}[side]
    (hand,) = reader("hint").read(tmp_path, side=other)
    assert hand.side == side and hand.provenance["side_known"] is True
    path = tmp_path / "TEST_img" / f"{stem}.json"
    (one,) = json.loads(path.read_text())
    path.write_text(json.dumps([one, one]))
    assert [hand.provenance["side_known"] for hand in reader("hint").read(tmp_path)] == [False, False]
    path.write_text(json.dumps([one | {"side": other}]))
    with pytest.raises(InputError, match="the side is contradicted.*file's name"):
        list(reader("hint").read(tmp_path))


@pytest.mark.parametrize(
    ("change", "message"),
    [({"keypoints": [1, 2]}, "a.json, index 0.*2 numbers"), ({"keypoints": [[float("nan")] * 2] * 21}, "no keypoint"),
     ({"occlusion": [0]}, "occlusion"), ({"keypoints": "x"}, "a.json")],
)  # fmt: skip
def test_hint_broken(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        list(reader("hint").read(hint(tmp_path, **change)))


def test_hint_missing(tmp_path):
    hint(tmp_path)
    (tmp_path / "TEST_img" / "a.jpg").unlink()
    with pytest.raises(InputError, match="there is no .*a.jpg"):
        list(reader("hint").read(tmp_path))


# -- CSV -------------------------------------------------------------------------------------------------------
def table(folder, header, row):
    photo(folder / "a.png", (200, 100))
    (folder / "hands.csv").write_text(",".join(header) + "\n" + ",".join(str(v) for v in row) + "\n")
    return folder


def spread(names, pattern="{name}_{axis}"):
    return [pattern.format(name=name, axis=axis) for name in names for axis in "xy"]


MEDIAPIPE = [name.upper().replace("LITTLE", "PINKY") for name in JOINT_NAMES]
MEDIAPIPE = [
    n.replace("INDEX_", "INDEX_FINGER_").replace("MIDDLE_", "MIDDLE_FINGER_").replace("RING_", "RING_FINGER_")
    for n in MEDIAPIPE
]


@pytest.mark.parametrize(
    "columns", [spread(JOINT_NAMES), spread(MEDIAPIPE), spread(range(21), "{axis}{name}"), spread(range(21))]
)
def test_csv_pixels(tmp_path, columns):
    folder = table(tmp_path, ["file", "Handedness", *columns], ["a.png", "Left", *PLACES.ravel()])
    (hand,) = reader("csv").read(folder)
    np.testing.assert_array_equal(hand.keypoints, PLACES)
    assert hand.side == "left" and set(hand.states) == {"confirmed"} and hand.photo == folder / "a.png"


def test_csv_normalised(tmp_path):
    """MediaPipe's numbers begin at the photo's corner, ours at the first pixel's centre."""
    values = PLACES / (200, 100)
    (hand,) = reader("csv").read(table(tmp_path, ["photo", *spread(JOINT_NAMES)], ["a.png", *values.ravel()]))
    np.testing.assert_allclose(hand.keypoints, PLACES - 0.5)
    assert hand.side == "right" and hand.provenance["side_known"] is False
    folder = table(tmp_path, ["photo", "units", *spread(JOINT_NAMES)], ["a.png", "px", *values.ravel()])
    np.testing.assert_allclose(next(reader("csv").read(folder)).keypoints, values)


def test_csv_confidence_and_gaps(tmp_path):
    header = ["photo", *spread(JOINT_NAMES), "index_tip_v", "ring_tip_v"]
    row = ["a.png", *PLACES.ravel(), 0.25, 0]
    row[1] = ""
    (hand,) = reader("csv").read(table(tmp_path, header, row))
    assert hand.weights[0] == 0 == hand.weights[16] and hand.weights[8] == 0.25 and hand.states[8] == "proposed"


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [(0, "../a.png", "leads out"), (0, "b.png", "there is no"), (1, "both", "expected left or right"),
     (2, "far", "line 2.*wrist_x is 'far'"), (2, "inf", "not finite")],
)  # fmt: skip
def test_csv_broken(tmp_path, place, value, message):
    row = ["a.png", "left", *PLACES.ravel()]
    row[place] = value
    with pytest.raises(InputError, match=message):
        list(reader("csv").read(table(tmp_path, ["photo", "side", *spread(JOINT_NAMES)], row)))


def test_csv_columns(tmp_path):
    with pytest.raises(InputError, match="no columns for little_tip"):
        list(reader("csv").read(table(tmp_path, ["photo", *spread(JOINT_NAMES[:20])], ["a.png", *PLACES[:20].ravel()])))
    with pytest.raises(InputError, match="no column photo"):
        list(reader("csv").read(table(tmp_path, spread(JOINT_NAMES), PLACES.ravel())))


# -- DexYCB ----------------------------------------------------------------------------------------------------
JOINTS = np.array([[k / 100, k / 200, 1.0] for k in range(21)])
K = np.array([[600.0, 0, 320], [0, 500, 240], [0, 0, 1]])
PIXELS = np.array([[320 + 6.0 * k, 240 + 2.5 * k] for k in range(21)])


def dexycb(folder, side="left", **change):
    sequence = folder / "20200709-subject-01" / "20200709_141754"
    photo(sequence / "836212060125" / "color_000003.jpg")
    (sequence / "meta.yml").write_text(f"serials: ['836212060125']\nmano_sides: [{side}]\nmano_calib: [x_1]\n")
    labels = {"joint_3d": JOINTS[None], "joint_2d": PIXELS[None], "pose_m": np.arange(51.0)[None]} | change
    np.savez(sequence / "836212060125" / "labels_000003.npz", **labels)
    for name, text in (("intrinsics/836212060125_640x480.yml", "color: {fx: 600, fy: 500, ppx: 320, ppy: 240}\n"),
                       ("mano_x_1/mano.yml", f"betas: {list(range(10))}\n")):  # fmt: skip
        path = folder / "calibration" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_dexycb(tmp_path):
    (hand,) = reader("dexycb").read(dexycb(tmp_path))
    np.testing.assert_array_equal(hand.joints, JOINTS)
    np.testing.assert_array_equal(hand.keypoints, PIXELS)
    np.testing.assert_array_equal(hand.K, K)
    assert hand.side == "left" and hand.mano.form == "components" and hand.visible.all()
    np.testing.assert_array_equal(hand.mano.pose, np.arange(48))
    np.testing.assert_array_equal(hand.mano.shape, np.arange(10))
    np.testing.assert_array_equal(hand.mano.translation, [48, 49, 50])
    assert hand.provenance["subject"] == "20200709-subject-01"


def test_dexycb_without_a_hand(tmp_path):
    folder = dexycb(tmp_path, joint_3d=-np.ones((1, 21, 3)), joint_2d=-np.ones((1, 21, 2)))
    assert list(reader("dexycb").read(folder)) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [({"joint_3d": np.zeros((1, 20, 3))}, "labels_000003.npz.*joint_3d has shape"),
     ({"joint_2d": np.full((1, 21, 2), np.nan)}, "joint_2d holds"), ({"side": "both"}, "unknown side")],
)  # fmt: skip
def test_dexycb_broken(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        list(reader("dexycb").read(dexycb(tmp_path, **change)))


def test_dexycb_missing(tmp_path):
    dexycb(tmp_path)
    (tmp_path / "calibration" / "intrinsics" / "836212060125_640x480.yml").unlink()
    with pytest.raises(InputError, match="there is no .*640x480.yml"):
        list(reader("dexycb").read(tmp_path))
    with pytest.raises(InputError, match="not a DexYCB set"):
        list(reader("dexycb").read(tmp_path / "calibration"))


# -- InterHand2.6M ---------------------------------------------------------------------------------------------
TURN = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
PLACE = np.array([100.0, 200, -300])  # mm


def interhand(folder, **change):
    """Two hands: joints of the right as JOINTS in the camera's frame, the left 10 cm further."""
    world = np.zeros((42, 3))
    for hand, far in ((0, 0.0), (21, 0.1)):
        for finger in range(5):
            for step in range(4):  # tip first
                ours = 1 + 4 * finger + (3 - step)
                world[hand + 4 * finger + step] = TURN.T @ ((JOINTS[ours] + (0, 0, far)) * 1000) + PLACE
        world[hand + 20] = TURN.T @ ((JOINTS[0] + (0, 0, far)) * 1000) + PLACE
    valid = [1] * 42
    valid[0] = 0  # the right thumb's tip
    values = {
        "world_coord": world.tolist(),
        "joint_valid": [[v] for v in valid],
        "file_name": "Capture0/a.jpg",
    } | change
    photo(folder / "images" / "test" / "Capture0" / "a.jpg")
    stem = folder / "annotations" / "test"
    stem.mkdir(parents=True, exist_ok=True)
    image = {"id": 5, "file_name": values["file_name"], "capture": 0, "camera": "400262", "frame_idx": 17, "subject": 3}
    annotation = {"id": 8, "image_id": 5, "joint_valid": [1] * 42, "hand_type": "interacting", "bbox": [1, 2, 3, 4]}
    label = {"world_coord": values["world_coord"], "joint_valid": values["joint_valid"], "hand_type": "interacting"}
    camera = {"campos": {"400262": PLACE.tolist()}, "camrot": {"400262": TURN.tolist()},
              "focal": {"400262": [600, 500]}, "princpt": {"400262": [320, 240]}}  # fmt: skip
    mano = {"right": {"pose": [0.0] * 48, "shape": list(range(10)), "trans": [0, 0, 0]}, "left": None}
    for name, content in (("data", {"images": [image], "annotations": [annotation]}), ("camera", {"0": camera}),
                          ("joint_3d", {"0": {"17": label}}), ("MANO_NeuralAnnot", {"0": {"17": mano}})):  # fmt: skip
        (stem / f"InterHand2.6M_test_{name}.json").write_text(json.dumps(content))
    return folder


def test_interhand(tmp_path):
    right, left = reader("interhand").read(interhand(tmp_path))
    assert (right.side, left.side) == ("right", "left") and right.id == "8-right"
    np.testing.assert_allclose(np.delete(right.joints, 4, 0), np.delete(JOINTS, 4, 0), atol=1e-12)
    np.testing.assert_allclose(left.joints, JOINTS + (0, 0, 0.1), atol=1e-12)
    np.testing.assert_allclose(np.delete(right.keypoints, 4, 0), np.delete(PIXELS, 4, 0), atol=1e-9)
    assert right.weights[4] == 0 == right.joint_weights[4] and right.weights.sum() == 20 and left.visible.all()
    assert left.mano is None and right.mano.form == "from mean"
    np.testing.assert_allclose(right.mano.pose[:3], [0, 0, np.pi / 2], atol=1e-9)  # the camera's turn
    assert right.provenance["subject"] == "3"


@pytest.mark.parametrize(
    ("change", "message"),
    [({"world_coord": [[1, 2, 3]]}, "index 0.*world_coord has shape"), ({"file_name": "../../x.jpg"}, "leads out"),
     ({"world_coord": [[float("nan")] * 3] * 42}, "not finite"), ({"file_name": "b.jpg"}, "there is no")],
)  # fmt: skip
def test_interhand_broken(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        list(reader("interhand").read(interhand(tmp_path, **change)))


# -- FreiHAND's evaluation set and parameters ------------------------------------------------------------------
@pytest.mark.parametrize("split", ["training", "evaluation"])
def test_freihand(tmp_path, split):
    photo(tmp_path / split / "rgb" / "00000000.jpg", (224, 224))
    for name, value in (("xyz", JOINTS), ("K", K), ("mano", np.arange(61.0)[None])):
        (tmp_path / f"{split}_{name}.json").write_text(json.dumps([value.tolist()]))
    (hand,) = reader("freihand").read(tmp_path)
    np.testing.assert_array_equal(hand.joints, JOINTS)
    np.testing.assert_allclose(hand.keypoints, PIXELS, atol=1e-9)
    np.testing.assert_array_equal(hand.mano.pose, np.arange(48))
    np.testing.assert_array_equal(hand.mano.shape, np.arange(48, 58))
    assert hand.mano.form == "from mean" and hand.side == "right"


# -- photos of another size ------------------------------------------------------------------------------------
@pytest.mark.parametrize(("name", "make", "photos"), [
    ("dexycb", make_dexycb, "**/color_000003.jpg"), ("interhand", make_interhand, "images/test/*.jpg"),
])  # fmt: skip
def test_smaller_photos_are_refused(tmp_path, name, make, photos):
    """Photos made smaller, labels and K left as they were: both sizes are named."""
    make(tmp_path, ["", ""])
    if name == "interhand":
        path = tmp_path / "annotations" / "test" / "InterHand2.6M_test_data.json"
        data = json.loads(path.read_text())
        data["images"] = [image | {"width": 640, "height": 480} for image in data["images"]]
        path.write_text(json.dumps(data))
    assert len(list(reader(name).read(tmp_path))) == 2
    for path in tmp_path.glob(photos):
        photo(path, (320, 240))
    with pytest.raises(InputError, match="320 x 240 px.*640 x 480 px"):
        list(reader(name).read(tmp_path))


def test_a_csv_line_without_end_is_refused_before_it_is_taken_apart(tmp_path):
    (tmp_path / "hands.csv").write_text("photo," + "x," * 600_000)
    with pytest.raises(InputError, match="hands.csv is not a CSV table: it has a line of more than"):
        next(reader("csv").read(tmp_path))
