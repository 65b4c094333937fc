"""Another network's predictions as proposals: what a file says is what comes out, and what is wrong in it is named."""

import json

import numpy as np
import pytest

from annotator.cli import main
from annotator.errors import InputError
from annotator.hand.model import load_hand
from annotator.hand.rotations import rotation_matrices
from annotator.project import Project
from annotator.proposers import PROPOSERS, Predictions, build_proposer
from annotator.vision.photos import read_photo

PHOTO = np.zeros((480, 640, 3), np.uint8)
POSE = np.concatenate([[[0.0, 1.2, 0.3]], np.full((15, 3), 0.05)])


def row(**changes):
    base = {"photo": "a.jpg", "side": "right", "pose": POSE.tolist(), "shape": [0.1] * 10, "wrist": [0.02, 0.01, 0.5]}
    return base | changes


@pytest.fixture
def write(tmp_path):
    def made(*rows, hand_model="free", name="predictions.json"):
        path = tmp_path / name
        path.write_text(json.dumps({"hand_model": hand_model, "hands": list(rows)}))
        return path

    return made


def only(path, **asked):
    (hand,) = Predictions(path).propose(PHOTO, path=path.with_name("a.jpg"), **asked)
    return hand


def test_a_hand_is_where_the_file_says(write):
    hand = only(write(row()))
    assert np.allclose(hand.joints[0], (0.02, 0.01, 0.5), atol=2e-3)  # the model's wrist joint and its keypoint
    assert np.allclose(hand.parameters.pose, POSE) and hand.hand_model == load_hand().name


def test_poses_as_matrices_and_in_one_row(write):
    plain = only(write(row()))
    for pose in (rotation_matrices(POSE), POSE.ravel()):
        assert np.allclose(only(write(row(pose=pose.tolist()))).vertices, plain.vertices, atol=1e-9)


def test_a_left_hand_is_the_mirror_image(write):
    right, left = only(write(row())), only(write(row(side="left", wrist=[-0.02, 0.01, 0.5])))
    assert np.allclose(left.vertices, right.vertices * (-1, 1, 1), atol=1e-9)


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_weak_camera_is_hamers(write, side):
    """`cam_crop_to_full` of HaMeR's code, by hand."""
    box, focal, (s, tx, ty) = [200.0, 100.0, 300.0, 220.0], 900.0, (0.9, 0.05, -0.02)
    hand = only(write(row(side=side, wrist=None, box=box, weak_camera=[s, tx, ty], focal=focal, box_scale=1.5)))
    size = 1.5 * 120.0
    expected = np.array(
        [tx + 2 * (250 - 319.5) / (s * size), ty + 2 * (160 - 239.5) / (s * size), 2 * focal / (s * size)]
    )
    model = load_hand()
    rest = model.joint_regressor[0] @ (model.template + model.shape_directions @ np.full(10, 0.1))
    mirror = np.array([-1.0, 1, 1]) if side == "left" else np.ones(3)
    assert np.allclose(hand.parameters.translation * mirror - rest * mirror, expected)


def test_npz_is_json(tmp_path, write):
    path = tmp_path / "predictions.npz"
    np.savez(
        path, hand_model="free", photo=np.array(["a.jpg"]), side=np.array(["right"]), pose=POSE[None],
        shape=np.full((1, 10), 0.1), wrist=np.array([[0.02, 0.01, 0.5]]),
    )  # fmt: skip
    assert np.array_equal(only(path).vertices, only(write(row())).vertices)


def test_boxes_choose_and_order(write):
    path = write(row(), row(wrist=[0.2, 0.01, 0.5], side="left"))
    hands = Predictions(path).propose(PHOTO, path=path.with_name("a.jpg"))
    boxes = [np.concatenate([hand.keypoints.min(0), hand.keypoints.max(0)]) for hand in hands[::-1]]
    chosen = Predictions(path).propose(PHOTO, boxes=boxes, sides=["left", None], path=path.with_name("a.jpg"))
    assert [hand.side for hand in chosen] == ["left", "right"]
    with pytest.raises(InputError, match="no prediction in the box"):
        Predictions(path).propose(PHOTO, boxes=[(0, 0, 5, 5)], path=path.with_name("a.jpg"))


@pytest.mark.parametrize(("wrong", "said"), [
    ({"pose": [1, 2]}, "pose has shape"), ({"pose": None}, "pose is missing"), ({"side": "up"}, "side"),
    ({"wrist": None}, "one of wrist"), ({"wrist": [0, 0, -1.0]}, "behind the camera"), ({"shape": ["x"] * 10}, "shape"),
    ({"wrist": [0, 0, float("nan")]}, "finite"), ({"K": [[1]]}, "camera"), ({"box": [1, 2]}, "box has shape"),
])  # fmt: skip
def test_what_is_wrong_is_named(write, wrong, said):
    with pytest.raises(InputError, match=f"hand 0 of a.jpg.*{said}"):
        only(write(row(**wrong)))


def test_other_files_are_refused(tmp_path):
    (tmp_path / "a.txt").write_text("")
    (tmp_path / "a.json").write_text("{}")
    for name in ("a.txt", "a.json", "none.npz"):
        with pytest.raises(InputError):
            Predictions(tmp_path / name)
    with pytest.raises(InputError, match="unknown proposer"):
        build_proposer("nobody")
    assert set(PROPOSERS.built_in) == {"network", "files"}


def test_the_command(tmp_path, write, photo_file, capsys):
    photo = read_photo(photo_file)
    path = write(row(photo=photo_file.name, K=[[700.0, 0, 112], [0, 700.0, 112], [0, 0, 1]]))
    asked = ["propose", str(photo_file), "--project", str(tmp_path / "p"), "--proposer", f"files:{path}", "--json"]
    assert main(asked) == 0 and json.loads(capsys.readouterr().out)["hands"] == 1
    assert main(asked) == 0 and json.loads(capsys.readouterr().out)["skipped"] == 1
    with Project.open(tmp_path / "p") as project:
        assert len(project.hands()) == 1 and project.photos()[0].height == photo.shape[0]


@pytest.mark.parametrize("change", [{"pose": [10**400] * 48}, {"focal": 10**400}])
def test_numbers_that_no_float_can_be_are_refused(write, change):
    with pytest.raises(InputError, match="predictions.json: hand 0 of a.jpg"):
        only(write(row(**change)))
