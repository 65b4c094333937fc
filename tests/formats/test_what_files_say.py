"""What other people's files say of order, side, missing labels and sizes is understood, or refused with one line."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from annotator.errors import InputError
from annotator.formats import reader
from annotator.formats.core.names import order_of, side_of, sides_said
from annotator.formats.core.orders import ORDERS, best_order, checked, places_of
from annotator.formats.core.places import check_fit
from annotator.formats.core.remarks import remarking
from annotator.hand.joints import JOINT_NAMES

WIDTH, HEIGHT = 640, 480


@pytest.fixture(scope="module")
def hands(hand_model):
    """Keypoints (21, 2) px of hands in random poses, in our order."""
    from annotator.formats.core.orders import _hands

    return [400 * points[:, :2] / np.ptp(points[:, :2]) + (250, 200) for points in _hands()[::150]]


def coco(folder, hands, names=JOINT_NAMES, category="hand", image=None, exif=None, **annotation):
    folder.mkdir(exist_ok=True)
    options = {}
    if exif:
        options["exif"] = Image.Exif()
        options["exif"][0x112] = exif
    Image.new("RGB", (WIDTH, HEIGHT)).save(folder / "p.jpg", **options)
    rows = [
        {
            "id": n + 1,
            "image_id": 1,
            "category_id": "1",
            "keypoints": np.column_stack([p, np.full(21, 2)]).ravel().tolist(),
        }
        | annotation
        for n, p in enumerate(hands)
    ]
    images = [{"id": 1, "file_name": "p.jpg", "width": WIDTH, "height": HEIGHT} | (image or {})]
    kinds = [{"id": 1, "name": category} | ({"keypoints": list(names)} if names else {})]
    (folder / "a.json").write_text(json.dumps({"images": images, "annotations": rows, "categories": kinds}))
    return folder


# -- order ---------------------------------------------------------------------------------------------------
BACK = [f"{f}{n}" for f in ("thumb", "index", "middle", "ring", "pinky") for n in (4, 3, 2, 1)] + ["wrist"]
SPELLINGS = {
    "numbers from 0": [str(k) for k in range(21)],
    "numbers from 1": [str(k + 1) for k in range(21)],
    "mmpose": ["wrist"]
    + [
        f"{f}{n}" for f in ("thumb", "forefinger", "middle_finger", "ring_finger", "pinky_finger") for n in (1, 2, 3, 4)
    ],
    "from 0 to 3": ["Wrist"] + [f"{f}_{n}" for f in ("Thumb", "Index", "Middle", "Ring", "Little") for n in range(4)],
    "short": ["W"] + [f"{f}{j}" for f in "TIMRP" for j in ("MCP", "PIP", "DIP", "TIP")],
    "camel case": ["Wrist"]
    + [
        f"{f}{j}"
        for f in ("Thumb", "Index", "Middle", "Ring", "Pinky")
        for j in (("CMC", "MCP", "IP", "Tip") if f == "Thumb" else ("MCP", "PIP", "DIP", "Tip"))
    ],
    "sides": [f"left_{name}" for name in JOINT_NAMES],
    "german": ["Handgelenk"]
    + [
        f"{f}{n}"
        for f in ("Daumen", "Zeigefinger", "Mittelfinger", "Ringfinger", "Kleinerfinger")
        for n in (1, 2, 3, 4)
    ],
    "one unknown finger": ["wrist"]
    + [f"{f}{n}" for f in ("thumb", "index", "middle", "ring", "hüvelyk") for n in (1, 2, 3, 4)],
}


@pytest.mark.parametrize("names", SPELLINGS.values(), ids=SPELLINGS)
def test_spellings(names):
    """Also shuffled: each of ours is found where its name stands."""
    assert order_of(names) == list(range(21))
    shuffled = np.random.default_rng(0).permutation(21)
    assert order_of([names[k] for k in shuffled]) == np.argsort(shuffled).tolist()


def test_tip_to_base_by_name():
    assert order_of([f"r_{name}" for name in BACK]) == [20, *(4 * f + k for f in range(5) for k in (3, 2, 1, 0))]


@pytest.mark.parametrize(
    "names",
    [
        ["a", *JOINT_NAMES[1:]],
        ["kp"] * 21,
        [f"{f}{n}" for f in "abcde" for n in range(4)] + ["x"],
        [*JOINT_NAMES[:20], "thumb_tip"],
    ],
)
def test_names_that_mean_nothing_are_refused(tmp_path, hands, names):
    with pytest.raises(InputError, match="a.json, index 0: the keypoints' names are not understood"):
        list(reader("coco").read(coco(tmp_path, hands, names)))
    read = list(reader("coco").read(tmp_path, order="base-to-tip"))
    np.testing.assert_allclose(read[0].keypoints, hands[0])


@pytest.mark.parametrize("order", [name for name in ORDERS if name != "base-to-tip"])
def test_names_that_the_data_contradict(tmp_path, hands, order):
    """RHD's kind of fault: the names say base to tip, the data are in another order."""
    folder = coco(tmp_path, [p[list(ORDERS[order])] for p in hands])
    with pytest.raises(InputError, match=f"look as if they were in order '{order}'"):
        list(checked(reader("coco").read(folder), "set"))
    right = list(checked(reader("coco").read(folder, order=order), "set"))
    np.testing.assert_allclose([r.keypoints for r in right], hands)


def test_sound_hands_and_what_is_no_hand_pass(hands):
    for points in hands:
        assert best_order([points])[1] < 6
    line = np.stack([np.linspace(10, 300, 21), np.linspace(20, 200, 21)], 1)
    assert best_order([line[::-1]])[1] == 0  # says nothing
    with pytest.raises(InputError, match="unknown order.*as-named"):
        places_of("sideways")


def test_import_takes_an_order(tmp_path, hands, capfd, model, monkeypatch):
    import annotator.model
    from annotator.cli import main
    from annotator.project import Project

    monkeypatch.setattr(annotator.model, "load_model", lambda *_a, **_k: model)
    folder = coco(tmp_path / "set", [p[list(ORDERS["tip-to-base"])] for p in hands[:2]], category="right_hand")
    arguments = ["import", str(folder), "--format", "coco", "--project", str(tmp_path / "p")]
    assert main(arguments) == 2
    assert "'tip-to-base'" in capfd.readouterr().err
    assert main([*arguments, "--order", "tip-to-base"]) == 0
    with Project.open(tmp_path / "p") as project:
        stored = project.hand(project.hands()[0].id).corrections
    np.testing.assert_allclose([stored[k] for k in range(21)], hands[0])
    assert (
        main(["import", str(folder), "--format", "freihand", "--project", str(tmp_path / "p"), "--order", "mano"]) == 2
    )
    assert "--order is not for it" in capfd.readouterr().err


# -- side ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    [
        "left",
        "Left",
        "hand_l",
        "LHand",
        "L",
        "lh",
        "left_hand",
        "lefthand",
        "LeftHand",
        "0",
        0,
        "linke Hand",
        "main gauche",
        "hand-left",
    ],
)
def test_left_hands_by_name(text):
    assert side_of(text) == "left"


@pytest.mark.parametrize("text", ["hand", "bright", "copyright", "left or right", "", None, "label", {"a": 1}, 7])
def test_texts_without_a_side(text):
    assert side_of(text) is None


@pytest.mark.parametrize(
    "annotation",
    [
        {"attributes": {"side": "left"}},
        {"attributes": [{"name": "handedness", "value": "L"}]},
        {"is_right": False},
        {"hand_type": "left"},
        {"handedness": "Left"},
        {"attributes": {"is_left": "true"}},
    ],
)
def test_sides_in_annotations(tmp_path, hands, annotation):
    assert set(sides_said(annotation).values()) == {"left"}
    (hand,) = reader("coco").read(coco(tmp_path, hands[:1], **annotation))
    assert hand.side == "left" and hand.provenance["side_known"]


def test_sides_in_categories_and_keypoints(tmp_path, hands):
    for kind, names in (("hand_l", JOINT_NAMES), ("LHand", JOINT_NAMES), ("hand", [f"l_{n}" for n in JOINT_NAMES])):
        (hand,) = reader("coco").read(coco(tmp_path, hands[:1], names, kind))
        assert hand.side == "left" and hand.provenance["side_known"], kind


def test_a_guessed_side_is_never_accepted_unseen(tmp_path, capfd):
    """A left hand of which nothing says so: the network's side, marked, and accepted only by somebody who says it."""
    import annotator.sample_data

    import annotator
    from annotator.cli import main
    from annotator.project import Project
    from annotator.project.guessed import side_in_doubt

    photo = next(p for p in annotator.sample_data.photos() if p.stem == "digit-5-IMG_4511")
    with Image.open(photo) as image:
        pixels = np.asarray(image.convert("RGB"))[:, ::-1]
    (seen,) = annotator.load_model().propose(pixels)
    assert seen.side == "left"
    folder = coco(tmp_path / "set", [seen.keypoints], image={"width": pixels.shape[1], "height": pixels.shape[0]})
    Image.fromarray(pixels).save(folder / "p.jpg", quality=95)
    place = str(tmp_path / "p")
    assert main(["import", str(folder), "--format", "coco", "--project", place, "--accept", "--json"]) == 0
    said = json.loads(capfd.readouterr().out)
    assert said["guessed_sides"] == 1 and said["states"] == {"in work": 1}
    for extra, code in (((), 2), (("--side", "right"), 2), (("--side", "left"), 0), ((), 0)):
        assert main(["accept", place, "p-1", *extra]) == code
        err = capfd.readouterr().err
        assert code == 0 or "p-1" in err and len(err.strip().splitlines()) == 1
        with Project.open(place) as project:
            hand = project.hand("p-1")
            assert hand.side == "left" and (hand.state == "accepted") == (code == 0) == (
                not side_in_doubt(project, "p-1")
            )


# -- fillers -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("value", [(-1, -1), (0, 0), (float("nan"), 5)])
def test_fillers_are_no_labels(tmp_path, hands, value):
    points = np.array(hands[0])
    points[5] = value
    with remarking() as remarks:
        (hand,) = reader("coco").read(coco(tmp_path, [points]))
    assert hand.weights[5] == 0 and hand.weights.sum() == 20 and hand.states[5] == "occluded"
    assert sum(remarks.values()) == 1 and "taken for not labelled" in next(iter(remarks))


def test_one_place_for_many_keypoints_is_no_label(tmp_path, hands):
    points = np.array(hands[0])
    points[[3, 7, 11, 15]] = 320.5, 240.5
    (hand,) = reader("coco").read(coco(tmp_path, [points]))
    assert np.flatnonzero(hand.weights == 0).tolist() == [3, 7, 11, 15]


def table(folder, head, *rows, delimiter=",", encoding="utf-8"):
    Image.new("RGB", (WIDTH, HEIGHT)).save(folder / "p.jpg")
    with (folder / "k.csv").open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(head)
        writer.writerows(rows)
    return folder


HEAD = ["photo", "side"] + [f"{name}_{axis}" for name in JOINT_NAMES for axis in "xy"]


def test_fillers_in_tables(tmp_path, hands):
    cells = [f"{n:.2f}" for n in hands[0].ravel()]
    cells[10:12], cells[20:22], cells[30:32] = ["-1", "-1"], ["nan", "nan"], ["", ""]
    (hand,) = reader("csv").read(table(tmp_path, HEAD, ["p.jpg", "left", *cells]))
    assert np.flatnonzero(hand.weights == 0).tolist() == [5, 10, 15] and hand.side == "left"


def test_visibilities_that_are_all_zero(tmp_path, hands):
    head = ["photo"] + [f"{name}_{axis}" for name in JOINT_NAMES for axis in "xyv"]
    with remarking() as remarks:
        assert not list(reader("csv").read(table(tmp_path, head, ["p.jpg", *np.c_[hands[0], np.zeros(21)].ravel()])))
    assert remarks == {"row with visibilities that are all 0 left out": 1}


def test_tables_of_spreadsheets(tmp_path, hands):
    """Semicolons, decimal commas, a byte order mark, columns by number from 1."""
    head = ["Photo", "Hand"] + [f"{k + 1}_{axis}" for k in range(21) for axis in "xy"]
    cells = [f"{n:.2f}".replace(".", ",") for n in hands[0].ravel()]
    (hand,) = reader("csv").read(table(tmp_path, head, ["p.jpg", "R", *cells], delimiter=";", encoding="utf-8-sig"))
    np.testing.assert_allclose(hand.keypoints, hands[0], atol=0.006)
    assert hand.side == "right" and hand.provenance["side_known"]


# -- names of files ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("said", ["a%20b/Ha\u0308nd.jpg", "a b/H\u00e4nd.jpg", "a b\\H\u00e4nd.jpg"])
def test_photos_by_other_spellings(tmp_path, hands, said):
    folder = coco(tmp_path, hands[:1], image={"file_name": said})
    (folder / "a b").mkdir()
    (folder / "p.jpg").rename(folder / "a b" / "H\u00e4nd.jpg")
    text = (folder / "a.json").read_text()
    (folder / "a.json").write_text("\ufeff" + text, encoding="utf-8")
    (hand,) = reader("coco").read(folder)
    assert hand.photo.name == "H\u00e4nd.jpg" and hand.photo.is_file()


# -- sizes ---------------------------------------------------------------------------------------------------
def test_labels_of_another_size_are_refused(tmp_path, hands):
    folder = coco(tmp_path, hands[:1], image={"width": 1280, "height": 960})
    with pytest.raises(InputError, match="p.jpg is 640 x 480 px, its annotation is of a picture of 1280 x 960 px"):
        list(reader("coco").read(folder))


@pytest.mark.parametrize("turn", range(1, 9))
def test_labels_of_a_picture_that_exif_turns(tmp_path, turn):
    """One white pixel, labelled where it is stored or where it is shown: the label is on it, as the photo is read."""
    from annotator.vision.photos import read_photo

    x, y = 200, 90
    (tmp_path / "x").mkdir()
    for stored in (True, False):
        if not stored and turn < 5:
            continue
        points = np.array([[150.0 + 7 * k, 100 + 3 * k] for k in range(21)])
        points[8] = x, y
        said = (WIDTH, HEIGHT) if stored else (HEIGHT, WIDTH)
        folder = coco(tmp_path / "x", [points], image={"width": said[0], "height": said[1]}, exif=turn)
        pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        pixels[y - 2 : y + 3, x - 2 : x + 3] = 255
        Image.fromarray(pixels).save(folder / "p.jpg", exif=Image.open(folder / "p.jpg").getexif(), quality=95)
        (hand,) = reader("coco").read(folder)
        photo = read_photo(folder / "p.jpg")
        if stored and turn >= 5:
            column, row = hand.keypoints[8].round().astype(int)
            assert photo[row, column].min() > 250, turn
        else:
            np.testing.assert_allclose(hand.keypoints, points)


def test_shares_of_the_photo(tmp_path, hands):
    shares = (hands[0] + 0.5) / (WIDTH, HEIGHT)
    with remarking() as remarks:
        (hand,) = reader("coco").read(coco(tmp_path, [shares], bbox=[0.1, 0.2, 0.5, 0.5]))
    np.testing.assert_allclose(hand.keypoints, hands[0], atol=1e-9)
    np.testing.assert_allclose(hand.box, [63.5, 95.5, 383.5, 335.5])
    assert any("shares" in text for text in remarks)


def test_a_camera_of_another_resolution(tmp_path, hands):
    from dataclasses import replace

    (hand,) = reader("coco").read(coco(tmp_path, hands[:1]))
    joints = np.c_[(hands[0] - (320, 240)) / 600 * 0.5, np.full(21, 0.5)]
    K = np.array([[600.0, 0, 320], [0, 600, 240], [0, 0, 1]])
    check_fit(replace(hand, K=K, joints=joints), (HEIGHT, WIDTH))
    for other in (2 * K, 0.5 * K):
        other[2, 2] = 1
        with pytest.raises(InputError, match="K .*another resolution.*distorted"):
            check_fit(replace(hand, K=other, joints=joints), (HEIGHT, WIDTH))
    with pytest.raises(InputError, match="outside the photo.*p.jpg has 160 x 120 px"):
        check_fit(hand, (120, 160))


# -- training ------------------------------------------------------------------------------------------------
def test_training_does_not_guess(tmp_path, hands):
    """Hands without a side are no right hands, and reversed fingers no labels, for a network either."""
    from annotator.formats.transfer.keypoint_tables import make_table

    coco(tmp_path / "a", hands[:2])
    with pytest.raises(InputError, match="does not say which hands are left"):
        make_table("coco", tmp_path / "a", tmp_path / "run")
    folder = coco(tmp_path / "b", hands[:2])
    content = json.loads((folder / "a.json").read_text())
    content["annotations"][1]["side"] = "left"
    (folder / "a.json").write_text(json.dumps(content))
    with pytest.warns(UserWarning, match="1 hands of .* say no side"):
        made = make_table("coco", folder, tmp_path / "run")
    with np.load(made / "keypoints.npz", allow_pickle=False) as table:
        assert table["side"].tolist() == ["left"]
    coco(tmp_path / "c", [p[list(ORDERS["tip-to-base"])] for p in hands[:4]], category="right_hand")
    with pytest.raises(InputError, match="'tip-to-base'"):
        make_table("coco", tmp_path / "c", tmp_path / "run")
