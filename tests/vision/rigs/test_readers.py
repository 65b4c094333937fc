"""Calibrations of every kind give the same cameras, and broken ones one clear line that names the file."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from annotator.errors import InputError
from annotator.vision.rigs import Rig, RigCamera

K = [[900.0, 0, 320], [0, 905, 240], [0, 0, 1]]
LENS = [-0.2, 0.05, 0.001, -0.002, 0.01]
TURNS = [Rotation.from_euler("yx", (angle, 5), degrees=True).as_matrix() for angle in (0, 60, 130)]
PLACES = [[0.0, 0.0, 0.6], [0.05, -0.02, 0.7], [-0.04, 0.03, 0.8]]
POINTS = np.random.default_rng(0).uniform(-0.1, 0.1, (20, 3))


@pytest.fixture
def rig() -> Rig:
    return Rig({f"cam{k}": RigCamera(f"cam{k}", K, TURNS[k], PLACES[k], LENS, width=640, height=480) for k in range(3)})


def same(found: Rig, rig: Rig, names=None, lens=True, unit=1.0):
    names = names or list(rig)
    assert list(found) == names
    assert found.unit == unit
    for name, other in zip(names, rig, strict=True):
        camera = found.metric(1.0)[name]
        there = rig[other] if lens else RigCamera("a", K, rig[other].R, rig[other].t)
        np.testing.assert_allclose(camera.project(POINTS), there.project(POINTS), atol=1e-6)


def test_our_own_file_there_and_back(rig, tmp_path):
    rig.write(tmp_path / "cameras.json")
    found = Rig.read(tmp_path / "cameras.json")
    same(found, rig)
    for name in rig:
        assert np.array_equal(found[name].R, rig[name].R) and np.array_equal(found[name].K, rig[name].K)
    same(Rig.read(tmp_path), rig)


def test_the_sample_photos_rig_has_no_unit():
    from annotator.sample_data import FOLDER

    found = Rig.read(FOLDER / "cameras.json")
    assert found.unit is None and list(found) == ["cam0", "cam1"] and found["cam0"].width == 720
    with pytest.raises(InputError, match="unit"):
        found.metric()
    assert np.allclose(found.metric(0.04)["cam1"].t, 0.04 * found["cam1"].t)


def matrix(values) -> str:
    array = np.atleast_2d(np.array(values, float))
    numbers = ", ".join(f"{v:.17g}" for v in array.ravel())
    return f"!!opencv-matrix\n   rows: {array.shape[0]}\n   cols: {array.shape[1]}\n   dt: d\n   data: [ {numbers} ]"


@pytest.mark.parametrize("head", ["%YAML:1.0\n---\n", "%YAML 1.2\n---\n"])
def test_opencv_yaml_a_file_a_camera(rig, tmp_path, head):
    for k, name in enumerate(rig):
        turn = TURNS[k] if k else Rotation.from_matrix(TURNS[k]).as_rotvec()[:, None]
        (tmp_path / f"{name}.yml").write_text(
            f"{head}image_width: 640\nimage_height: 480\ncamera_matrix: {matrix(K)}\ndistortion_coefficients: "
            f"{matrix(LENS)}\n{'R' if k else 'rvec'}: {matrix(turn)}\nT: {matrix(np.array(PLACES[k])[:, None])}\n"
        )
    same(Rig.read(tmp_path), rig)


def test_opencv_json_in_one_file(rig, tmp_path):
    def node(values):
        array = np.atleast_2d(np.array(values, float))
        return {"type_id": "opencv-matrix", "rows": len(array), "cols": array.shape[1], "dt": "d",
                "data": array.ravel().tolist()}  # fmt: skip

    content = {
        name: {"K": node(K), "dist": node(LENS), "R": node(TURNS[k]), "t": node(PLACES[k])}
        for k, name in enumerate(rig)
    }
    (tmp_path / "rig.json").write_text(json.dumps(content))
    same(Rig.read(tmp_path / "rig.json"), rig)


def test_opencv_stereo_and_easymocap_pairs(rig, tmp_path):
    stereo, easy = tmp_path / "stereo", tmp_path / "easy"
    stereo.mkdir()
    easy.mkdir()
    R = TURNS[1] @ TURNS[0].T
    t = np.array(PLACES[1]) - R @ PLACES[0]
    head = "%YAML:1.0\n---\n"
    (stereo / "intrinsics.yml").write_text(head + "".join(f"M{k}: {matrix(K)}\nD{k}: {matrix(LENS)}\n" for k in (1, 2)))
    (stereo / "extrinsics.yml").write_text(head + f"R: {matrix(R)}\nT: {matrix(t[:, None])}\n")
    found = Rig.read(stereo / "extrinsics.yml")
    assert list(found) == ["left", "right"]
    inside = found["left"].to_camera(POINTS + [0, 0, 0.6])
    assert np.allclose(found["right"].to_camera(POINTS + [0, 0, 0.6]), inside @ R.T + t)
    (easy / "intri.yml").write_text(
        head + 'names:\n   - "01"\n   - "02"\n   - "03"\n'
        + "".join(f"K_0{k + 1}: {matrix(K)}\ndist_0{k + 1}: {matrix(LENS)}\n" for k in range(3))
    )  # fmt: skip
    (easy / "extri.yml").write_text(
        head + "".join(
            f"R_0{k + 1}: {matrix(Rotation.from_matrix(TURNS[k]).as_rotvec()[:, None])}\nRot_0{k + 1}: "
            f"{matrix(TURNS[k])}\nT_0{k + 1}: {matrix(np.array(PLACES[k])[:, None])}\n" for k in range(3)
        )
    )  # fmt: skip
    same(Rig.read(easy), rig, ["01", "02", "03"])


def test_interhand(rig, tmp_path):
    capture = {
        "campos": {n: (1000 * rig[n].centre).tolist() for n in rig}, "camrot": {n: rig[n].R.tolist() for n in rig},
        "focal": {n: [900, 905] for n in rig}, "princpt": {n: [320, 240] for n in rig},
    }  # fmt: skip
    path = tmp_path / "InterHand2.6M_test_camera.json"
    path.write_text(json.dumps({"0": capture, "7": capture}))
    with pytest.raises(InputError, match="several captures: name one of 0, 7"):
        Rig.read(path)
    found = Rig.read(path, "7")
    same(found.metric(), rig, lens=False)
    assert found.unit == 0.001


def test_hanco(rig, tmp_path):
    poses = [np.vstack([np.column_stack([TURNS[k], PLACES[k]]), [0, 0, 0, 1]]).tolist() for k in range(3)]
    (tmp_path / "00000012.json").write_text(json.dumps({"K": [K] * 3, "M": poses}))
    same(Rig.read(tmp_path / "00000012.json"), rig, lens=False)


def test_dexycb(rig, tmp_path):
    calibration = tmp_path / "calibration"
    (calibration / "intrinsics").mkdir(parents=True)
    (calibration / "extrinsics_20200702").mkdir()
    serials = ["836212060125", "839512060362", "840412060917"]
    rows = ["extrinsics:"]
    for serial, name in zip(serials, rig, strict=True):
        pose = np.column_stack([rig[name].R.T, rig[name].centre])  # camera to world
        rows += [f"  '{serial}':", *(f"  - {v:.17g}" for v in pose.ravel())]
        (calibration / "intrinsics" / f"{serial}_640x480.yml").write_text(
            "color:\n  fx: 900\n  fy: 905\n  ppx: 320\n  ppy: 240\n"
        )
    rows += ["  apriltag:", *("  - 1" for _ in range(12)), "master: '840412060917'"]
    (calibration / "extrinsics_20200702" / "extrinsics.yml").write_text("\n".join(rows))
    same(Rig.read(calibration / "extrinsics_20200702"), rig, serials, lens=False)
    sequence = tmp_path / "subject" / "sequence"
    sequence.mkdir(parents=True)
    (sequence / "meta.yml").write_text(
        f"serials: ['{serials[0]}', '{serials[2]}']\nextrinsics: '20200702'\nnum_frames: 7\n"
    )
    same(Rig.read(sequence / "meta.yml"), rig.only(["cam0", "cam2"]), [serials[0], serials[2]], lens=False)


def test_colmap_text(rig, tmp_path):
    folder = tmp_path / "sparse" / "0"
    folder.mkdir(parents=True)
    (folder / "cameras.txt").write_text(
        "# comment\n1 OPENCV 640 480 900 905 320.5 240.5 -0.2 0.05 0.001 -0.002\n"
        "2 SIMPLE_PINHOLE 640 480 900 320.5 240.5\n"
    )
    rows = ["# images"]
    for k, name in enumerate(rig):
        x, y, z, w = Rotation.from_matrix(TURNS[k]).as_quat()
        rows += [f"{k + 1} {w} {x} {y} {z} {' '.join(map(str, PLACES[k]))} {1 if k < 2 else 2} {name} photo.jpg", ""]
    (folder / "images.txt").write_text("\n".join(rows) + "\n")
    found = Rig.read(tmp_path)
    assert list(found) == [f"cam{k} photo.jpg" for k in range(3)] and found.unit is None
    there = RigCamera("a", K, TURNS[1], PLACES[1], LENS[:4])
    np.testing.assert_allclose(found["cam1 photo.jpg"].project(POINTS), there.project(POINTS), atol=1e-6)
    assert found["cam2 photo.jpg"].is_pinhole and found["cam2 photo.jpg"].width == 640


def broken(rig: Rig, name: str):
    content = copy.deepcopy(rig.as_dict())
    camera = content["cameras"]["cam1"]
    if name == "no rotation":
        camera["R"][0][0] += 0.2
    elif name == "mirror":
        camera["R"] = (np.array(camera["R"]) * [-1, 1, 1]).tolist()
    elif name == "same pose":
        camera |= {key: content["cameras"]["cam0"][key] for key in ("R", "t")}
    elif name == "no K":
        del camera["K"]
    elif name == "negative focal length":
        camera["K"][0][0] = -5
    elif name == "one camera":
        content["cameras"] = {"cam0": content["cameras"]["cam0"]}
    elif name == "a text":
        camera["t"] = "here"
    elif name == "unit":
        content["unit"] = "inch"
    return content


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no rotation", "camera 'cam1': R is not a rotation"),
        ("mirror", "camera 'cam1': R is not a rotation"),
        ("same pose", "cameras 'cam0' and 'cam1' have the same pose"),
        ("no K", "camera 'cam1': it has no K"),
        ("negative focal length", "camera 'cam1'.*must be positive"),
        ("one camera", "two cameras at least"),
        ("a text", "camera 'cam1': t"),
        ("unit", "unit 'inch'"),
    ],
)
def test_broken_rigs_are_said_in_one_line_that_names_the_file(rig, tmp_path, name, said):
    path = tmp_path / "cameras.json"
    path.write_text(json.dumps(broken(rig, name)))
    with pytest.raises(InputError, match=said) as error:
        Rig.read(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


DEEP = f'{{"cameras": {"[" * 900}1{"]" * 900}}}'
ENDLESS = '{"cameras": {"a": {"K": [[1, 0, 0], [0, 1, 0], [0, 0, 1]], "R": [0, 0, 0], "T": [0, 0, 0], "width": 1e999}}}'


@pytest.mark.parametrize(
    "text", ["", "{}", "[1, 2]", "nonsense", '{"K": [1], "M": [2]}', '{"0": {"campos": {}}}', DEEP, ENDLESS]
)
@pytest.mark.parametrize("suffix", [".json", ".yml", ".txt"])
def test_whatever_else_a_file_holds(tmp_path, text, suffix):
    path = tmp_path / f"calibration{suffix}"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        Rig.read(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_nothing_there(tmp_path):
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(InputError, match=str(path)):
            Rig.read(path)


def test_a_photo_of_another_size_is_not_the_cameras(rig):
    rig["cam0"].check_photo(480, 640)
    with pytest.raises(InputError, match="640 x 640 px, camera 'cam0' is calibrated for 640 x 480"):
        rig["cam0"].check_photo(640, 640)
