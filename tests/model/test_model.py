"""annotator.Model as a user meets it: what a proposal is, corrections, the mirror law, wrong input."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import annotator
from annotator import InputError
from annotator.hand.joints import JOINT_NAMES
from annotator.vision.camera import project
from annotator.vision.photos import read_photo


@pytest.fixture(scope="module")
def photo(photo_file):
    """620 x 1080 px, one right hand whose box is about BOX."""
    return read_photo(photo_file)


@pytest.fixture(scope="module")
def two_hands(sample_photos):
    return read_photo(next(path for path in sample_photos if path.stem == "two-hands"))


@pytest.fixture(scope="module")
def proposal(model, photo):
    (hand,) = model.propose(photo)
    return hand


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


def test_the_mirror_law_holds_for_detection_and_corrections(model, photo, proposal):
    width = photo.shape[1]
    (mirror,) = model.propose(np.ascontiguousarray(photo[:, ::-1]))
    assert {proposal.side, mirror.side} == {"left", "right"}
    assert np.abs(mirror.vertices - proposal.vertices * [-1, 1, 1]).max() < 1e-4
    place = proposal.keypoints[8] + [9, -7]
    a = model.refine(proposal, {"index_tip": place})
    b = model.refine(mirror, {"index_tip": mirrored(place, width)})
    assert np.abs(b.vertices - a.vertices * [-1, 1, 1]).max() < 1e-4


# -- corrections ----------
@pytest.mark.parametrize("exact", [False, True])
def test_a_correction_is_kept_and_moves_the_mesh(model, proposal, exact):
    size = np.ptp(proposal.keypoints, axis=0).max()
    for joint in (4, 8, 17) if exact else (4, 8, 12):
        place = proposal.keypoints[joint] + size * np.array([0.08, -0.06])
        fixed = model.refine(proposal, {joint: place}, exact=exact)
        left = np.linalg.norm(fixed.keypoints[joint] - place) / size
        # of 0.1: pinned, or as far as is likely
        assert left < (0.005 if exact else 0.085)
        assert np.abs(fixed.vertices - proposal.vertices).max() > 1e-3
        assert fixed.corrections == {joint: tuple(place)} and proposal.corrections == {}
        # never less sure; no surer than a click can make it where the network was that sure before
        assert fixed.keypoint_sigma[joint] <= proposal.keypoint_sigma[joint]
        assert np.array_equal(fixed.joints, model.hand.joints(fixed.vertices))
        assert np.allclose(fixed.vertices, model.hand.vertices(fixed.parameters, fixed.side), atol=1e-9)


def test_corrections_add_up_and_names_are_numbers(model, proposal):
    places = {8: proposal.keypoints[8] + 5, 4: proposal.keypoints[4] - 5}
    once = model.refine(proposal, {"index_tip": places[8], "thumb_tip": places[4]})
    twice = model.refine(model.refine(proposal, {8: places[8]}), {"thumb_tip": places[4]})
    assert np.abs(once.vertices - twice.vertices).max() < 1e-6 and set(twice.corrections) == {4, 8}
    pinned = model.refine(proposal, places, exact=True)
    for joint, place in places.items():
        assert np.linalg.norm(twice.keypoints[joint] - place) < np.linalg.norm(proposal.keypoints[joint] - place)
        assert np.linalg.norm(pinned.keypoints[joint] - place) < 0.5
    back = model.refine(twice, {"index_tip": proposal.keypoints[8]})
    assert back.corrections == {4: tuple(places[4]), 8: tuple(proposal.keypoints[8])}
    none = model.refine(proposal, {})
    assert np.abs(none.vertices - proposal.vertices).max() < 2e-3  # the cache is in half precision


def test_a_hand_without_features_can_be_refined_and_remembered(model, photo, proposal):
    bare = proposal.replace(features=None)
    place = proposal.keypoints[12] + [-8, 6]
    assert np.linalg.norm(model.refine(bare, {"middle_tip": place}, exact=True).keypoints[12] - place) < 0.5
    alone = model.refine(bare, {"middle_tip": place})
    assert np.linalg.norm(alone.keypoints[12] - place) < np.linalg.norm(proposal.keypoints[12] - place)
    again = model.remember(photo, bare)
    assert again == bare and bare.features is None and again.features is not None
    fixed = [model.refine(hand, {"middle_tip": place}).vertices for hand in (again, proposal)]
    assert np.abs(fixed[0] - fixed[1]).max() < 1e-5


@pytest.mark.parametrize(
    ("correction", "message"),
    [
        ({"elbow": (1, 2)}, "elbow"),
        ({21: (1, 2)}, "21"),
        ({"wrist": (1, np.nan)}, "wrist"),
        ({"wrist": (1, 2, 3)}, "wrist"),
    ],
)
def test_wrong_corrections_are_named(model, proposal, correction, message):
    with pytest.raises(InputError, match=message):
        model.refine(proposal, correction)


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


def test_refine_heeds_states_and_evidence(model, proposal):
    scale = 224 / proposal.crop_size
    held = {k: "confirmed" for k in (0, 5, 17)}
    moved = tuple(proposal.keypoints[12] + [14 / scale, -10 / scale])
    fixed = model.refine(proposal, {12: moved}, held)
    assert np.linalg.norm(fixed.keypoints[[0, 5, 17]] - proposal.keypoints[[0, 5, 17]], axis=1).max() * scale < 1.5
    fixed = model.refine(proposal, {12: moved}, held, exact=True)
    assert np.linalg.norm(fixed.keypoints[[0, 5, 17]] - proposal.keypoints[[0, 5, 17]], axis=1).max() * scale < 0.5
    assert dict(fixed.corrections) == {12: moved}  # what is confirmed is no correction

    hidden = model.refine(proposal, {12: moved}, {12: "occluded"})
    assert np.linalg.norm(hidden.keypoints[12] - moved) * scale > 3  # nobody was told

    near, far = (8, 16) if proposal.joints[8, 2] > proposal.joints[16, 2] else (16, 8)
    turned = model.refine(proposal, {}, evidence=[annotator.InFront(near, far)])
    assert turned.joints[near, 2] < turned.joints[far, 2] + 0.001
    with pytest.raises(annotator.InputError, match="unknown joint state"):
        model.refine(proposal, {}, {0: "lost"})


def test_a_correction_that_no_hand_can_meet_lowers_the_confidence(model, proposal):
    """A fingertip set far off: kept as it was set, said to be strained, and the confidence falls instead of rising."""
    from annotator.correcting.strain import strained

    far = tuple(proposal.keypoints[0] + 2.5 * (proposal.keypoints[0] - proposal.keypoints[8]))
    fixed = model.refine(proposal, {"index_tip": far})
    assert fixed.corrections[8] == far and fixed.confidence < 0.7 * proposal.confidence
    assert [one.joint for one in strained(fixed)] == ["index_tip"]
    back = model.refine(fixed, {"index_tip": proposal.keypoints[8]})
    assert back.confidence == pytest.approx(proposal.confidence, abs=0.01) and not strained(back)


def test_a_definition_says_how_labels_are_read(model, proposal):
    """Labels of somebody whose wrist is a centimetre nearer the forearm: by their definition the hand hardly moves."""
    offsets = np.zeros((21, 3))
    offsets[0] = 0.01, 0.0, 0.0
    theirs = annotator.JointDefinition("theirs", offsets, np.full(21, 0.001))
    label = {"wrist": tuple(theirs.keypoints(proposal)[0])}
    as_meant, as_ours = (model.refine(proposal, label, definition=one) for one in (theirs, "ours"))
    off = [np.abs(one.vertices - proposal.vertices).max() for one in (as_meant, as_ours)]
    assert off[0] < 0.1 * off[1] and as_meant.corrections == as_ours.corrections
    learned = annotator.learn_definition([proposal] * 20, [theirs.keypoints(proposal)] * 20)
    assert np.linalg.norm(learned.joints(proposal)[0] - theirs.joints(proposal)[0]) < 0.006
    with pytest.raises(annotator.InputError, match="unknown joint definition"):
        model.refine(proposal, label, definition="hers")


def test_alternatives_look_the_same(model, proposal):
    for other in model.alternatives(proposal):
        off = np.linalg.norm(other.hand.keypoints - proposal.keypoints, axis=1) * 224 / proposal.crop_size
        assert off.max() < 2.5 and other.moved_mm > 5


def test_absurd_corrections_give_a_hand_or_one_clear_error(model, proposal):
    random = np.random.default_rng(0)
    for number in range(30):
        joints = [int(k) for k in random.permutation(21)[:4]]
        reach = 10.0 ** random.uniform(-1, 4) * proposal.crop_size
        corrections = {k: proposal.crop_center + random.normal(0, reach, 2) for k in joints}
        if number % 3 == 0:
            corrections = {k: proposal.keypoints[joints[0]] for k in joints}  # all on one spot
        try:
            answer = model.refine(proposal, corrections)
        except annotator.InputError as error:
            assert "far outside" in str(error)
            continue
        assert np.isfinite(answer.vertices).all() and 0 < answer.joints[:, 2].min()
