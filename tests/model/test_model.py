"""annotator.Model as a user meets it: what a proposal is, the mirror law, wrong input."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import annotator
from annotator import InputError
from annotator.hand.joints import JOINT_NAMES
from annotator.vision.camera import project
from annotator.vision.photos import read_photo


def box_of(hand, margin=0.15):
    """x0, y0, x1, y1 round a hand's keypoints."""
    low, high = hand.keypoints.min(0), hand.keypoints.max(0)
    pad = margin * (high - low).max()
    return [*(low - pad), *(high + pad)]


# -- what a proposal is ----------
def test_a_proposal_is_one_hand_in_one_camera(model, proposal, photo):
    count = len(model.hand.template)
    shapes = {"vertices": (count, 3), "joints": (21, 3), "keypoints": (21, 2), "keypoint_sigma": (21,),
              "vertex_sigma": (count,), "camera": (3, 3)}  # fmt: skip
    for name, shape in shapes.items():
        array = getattr(proposal, name)
        assert array.shape == shape and np.isfinite(array).all(), name
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    assert 0 < proposal.confidence <= 1
    assert (proposal.keypoint_sigma > 0).all() and (proposal.vertex_sigma > 0).all()
    assert (proposal.vertices[:, 2] > 0.1).all()  # before the camera
    # the joints come from the mesh, the keypoints from the joints, the mesh from the parameters
    assert np.array_equal(proposal.joints, model.hand.joints(proposal.vertices))
    assert np.allclose(proposal.keypoints, project(proposal.joints, proposal.camera))
    assert np.allclose(proposal.vertices, model.hand.vertices(proposal.parameters, proposal.side), atol=1e-9)
    assert proposal.parametric.vertices.shape == (count, 3) and proposal.parametric.keypoints.shape == (21, 2)
    assert proposal.corrections == {}


def test_the_keypoints_lie_on_the_hand(proposal, model, photo):
    """The landmark network, asked on its own about the same place, is within a sixth of the hand's size."""
    from annotator.learning.real_sets.teacher import teach
    from annotator.vision.crops import Crop

    crop = Crop(*proposal.crop_center, proposal.crop_size, proposal.crop_angle, proposal.side == "left")
    taught = teach(photo, crop, proposal.camera, model.finder.locator, looks=4)
    size = np.ptp(taught.keypoints, axis=0).max()
    assert np.linalg.norm(proposal.keypoints - taught.keypoints, axis=1).mean() < size / 6


def test_the_same_photo_gives_the_same_answer(model, photo, proposal):
    (again,) = model.propose(photo)
    assert again == proposal


def test_boxes_are_answered_one_by_one_in_their_order(model, two_hands):
    found = model.propose(two_hands)
    assert len(found) == 2
    boxes = [box_of(hand) for hand in found]
    for order in ((0, 1), (1, 0)):
        answered = model.propose(two_hands, [boxes[k] for k in order], ["left", "right"])
        assert [hand.side for hand in answered] == ["left", "right"]
        for hand, k in zip(answered, order, strict=True):
            middle = hand.keypoints.mean(0)
            assert boxes[k][0] < middle[0] < boxes[k][2] and boxes[k][1] < middle[1] < boxes[k][3]
    assert model.propose(two_hands, []) == []


def test_a_camera_that_is_given_is_used(model, photo, proposal):
    K = proposal.camera * [[2, 1, 1], [1, 2, 1], [1, 1, 1]]
    (hand,) = model.propose(photo, K=K)
    assert np.array_equal(hand.camera, K)
    assert np.allclose(hand.keypoints, project(hand.joints, K))
    # twice the focal length: about twice as far away, at the same place in the photo
    assert hand.joints[:, 2].mean() == pytest.approx(2 * proposal.joints[:, 2].mean(), rel=0.1)
    size = np.ptp(proposal.keypoints, axis=0).max()
    assert np.linalg.norm(hand.keypoints - proposal.keypoints, axis=1).mean() < 0.05 * size


def test_many_photos_are_answered_like_each_alone(model, photo, two_hands, sample_photos):
    blank = np.full((90, 120, 3), 200, np.uint8)
    small = read_photo(next(path for path in sample_photos if path.name.startswith("digit-3")))
    photos = [photo, blank, two_hands, small]
    together = list(model.propose_many(iter(photos), batch=3))
    assert [len(hands) for hands in together] == [1, 0, 2, 1]
    for one, hands in zip(photos, together, strict=True):
        for a, b in zip(model.propose(one), hands, strict=True):
            assert a.side == b.side and np.abs(a.vertices - b.vertices).max() < 1e-4


# -- the mirror law ----------
def mirrored(points, width):
    return points * [-1, 1] + [width - 1, 0]


def test_a_mirrored_photo_with_the_other_side_gives_the_mirrored_mesh(model, photo, two_hands):
    for picture in (photo, two_hands):
        width = picture.shape[1]
        hands = model.propose(picture)
        boxes = np.array([box_of(hand) for hand in hands])
        plain = model.propose(picture, boxes, [hand.side for hand in hands])
        other = ["left" if hand.side == "right" else "right" for hand in hands]
        flipped = width - 1 - boxes[:, [2, 1, 0, 3]]
        flipped[:, [1, 3]] = boxes[:, [1, 3]]
        mirror = model.propose(np.ascontiguousarray(picture[:, ::-1]), flipped, other)
        for a, b in zip(plain, mirror, strict=True):
            assert a.side != b.side
            assert np.abs(b.vertices - a.vertices * [-1, 1, 1]).max() < 1e-4
            assert np.abs(b.joints - a.joints * [-1, 1, 1]).max() < 1e-4
            assert np.abs(b.keypoints - mirrored(a.keypoints, width)).max() < 0.05
            assert np.array_equal(a.faces, b.faces[:, ::-1])


# -- corrections ----------


# -- wrong input ----------
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"boxes": [(1, 2, np.nan, 4)]}, "NaN"),
        ({"boxes": [(300, 10, 200, 90)]}, "empty"),
        ({"boxes": [(10, 300, 90, 200)]}, "empty"),
        ({"boxes": [(1, 2, 3)]}, "four numbers"),
        ({"boxes": [(5000, 5000, 5100, 5100)]}, "outside"),
        ({"boxes": [(10, 10, 90, 90)], "sides": ["left", "right"]}, "1 boxes but 2 sides"),
        ({"boxes": [(10, 10, 90, 90)], "sides": ["both"]}, "both"),
        ({"sides": ["left"]}, "without boxes"),
        ({"K": np.eye(2)}, "shape"),
        ({"K": np.full((3, 3), np.nan)}, "NaN"),
        ({"K": -np.eye(3)}, "focal"),
        ({"K": [[500, 0, 10], [0, 500, 10], [0, 1, 1]]}, "form"),
        ({"K": "camera"}, "numeric"),
    ],
)
def test_wrong_boxes_sides_and_cameras_are_named(model, photo, arguments, message):
    with pytest.raises(InputError, match=message):
        model.propose(photo, **arguments)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((1, 1, 3), np.uint8), "1 x 1"),
        (np.zeros((50, 50, 2), np.uint8), "shape"),
        (np.zeros(50, np.uint8), "shape"),
        (np.full((50, 50, 3), np.nan), "NaN"),
        (np.full((50, 50, 3), 77.0), "0..1"),
        (np.zeros((50, 50, 3), np.int64), "int64"),
        (None, "photo"),
    ],
)
def test_what_is_no_photo_is_named(model, array, message):
    with pytest.raises(InputError, match=message):
        model.propose(array)


def test_a_box_with_no_hand_has_low_confidence(model, photo, proposal):
    (hand,) = model.propose(photo, boxes=[(10, 10, 110, 110)])
    assert np.isfinite(hand.vertices).all() and hand.confidence < 0.3 < proposal.confidence


def test_photos_without_a_hand_give_no_hand(model):
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3)).astype(np.uint8)
    for nothing in (np.full((8, 8, 3), 255, np.uint8), noise):
        assert model.propose(nothing) == []


def test_other_kinds_of_images_are_understood(model, photo, proposal, tmp_path):
    """Grey, RGBA and 16-bit files, arrays of each kind: the same hand at the same place."""
    grey = photo.mean(2).astype(np.uint8)
    alpha = np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)])
    Image.fromarray(alpha).save(tmp_path / "alpha.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    box = box_of(proposal)  # detection in these is tested by `annotator propose`
    kinds = {"grey": grey, "deep": photo.astype(np.uint16) * 257, "float": photo / 255.0}
    kinds |= {name: read_photo(tmp_path / f"{name}.png") for name in ("alpha", "deep")}
    (plain,) = model.propose(photo, [box], [proposal.side])
    size = np.ptp(plain.keypoints, axis=0).max()
    for name, picture in kinds.items():
        (hand,) = model.propose(picture, [box], [proposal.side])
        apart = np.linalg.norm(hand.keypoints - plain.keypoints, axis=1).mean()
        assert apart < (0.08 if name in ("grey", "deep") else 1e-3) * size, name


def test_files_that_are_no_photo_are_named(tmp_path):
    (tmp_path / "text.jpg").write_text("this is not an image")
    Image.new("RGB", (1, 1)).save(tmp_path / "tiny.png")
    for name in ("missing.jpg", "text.jpg", "tiny.png", "."):
        with pytest.raises(InputError, match=str(tmp_path / name) if name != "." else "directory"):
            annotator.read_photo(tmp_path / name)


def test_what_is_no_checkpoint_is_named(tmp_path):
    text = tmp_path / "weights.safetensors"
    text.write_text("no weights in here")
    for given, message in (
        (tmp_path / "none.safetensors", "no such file"),
        (text, "no GLFNet checkpoint"),
        (tmp_path, "no such file"),
    ):
        with pytest.raises(InputError, match=message):
            annotator.load_model(given)
    with pytest.raises(InputError, match="warp"):
        annotator.load_model(device="warp")


def test_names_of_joints_are_public():
    assert len(JOINT_NAMES) == 21 and JOINT_NAMES[8] == "index_tip"
