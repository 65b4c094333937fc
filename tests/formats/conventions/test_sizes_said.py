"""Photos by other spellings of their names, of other sizes, turned, in shares and through other cameras."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from others_files import HEAD, HEIGHT, WIDTH, coco, table
from PIL import Image

from annotator.cli import main
from annotator.errors import InputError
from annotator.formats import reader
from annotator.formats.conventions.places import check_fit
from annotator.formats.conventions.remarks import remarking
from annotator.formats.conventions.units import checked


@pytest.mark.parametrize("said", ["a%20b/Ha\u0308nd.jpg", "a b/H\u00e4nd.jpg", "a b\\H\u00e4nd.jpg"])
def test_photos_by_other_spellings(tmp_path, hands, said):
    folder = coco(tmp_path, hands[:1], image={"file_name": said})
    (folder / "a b").mkdir()
    (folder / "p.jpg").rename(folder / "a b" / "H\u00e4nd.jpg")
    text = (folder / "a.json").read_text()
    (folder / "a.json").write_text("\ufeff" + text, encoding="utf-8")
    (hand,) = reader("coco").read(folder)
    assert hand.photo.name == "H\u00e4nd.jpg" and hand.photo.is_file()


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


def test_fillers_in_shares_and_turned_pictures_stay_fillers(tmp_path, hands):
    """(0, 0) and (-1, -1) are told by the file's own numbers, not by what they would become."""
    shares = (hands[0] + 0.5) / (WIDTH, HEIGHT)
    shares[3], shares[7] = 0, -1
    (hand,) = reader("coco").read(coco(tmp_path, [shares]))
    assert np.flatnonzero(hand.weights == 0).tolist() == [3, 7]
    turned = hands[0].copy()
    turned[3] = 0
    (hand,) = reader("coco").read(coco(tmp_path, [turned], exif=6))
    assert np.flatnonzero(hand.weights == 0).tolist() == [3]


@pytest.fixture
def inside(hands):
    """The same keypoints, no larger than the photo and within it."""
    return [380 * (p - p.min(0)) / np.ptp(p, axis=0).max() + (150, 60) for p in hands]


def _percent(points):
    return (points + 0.5) / (WIDTH, HEIGHT) * 100


def _others(folder, places, box):
    """The same hand and box (4,) x0, y0, x1, y1 in each format that can be in other units: {format: its data set}."""
    x0, y0, x1, y1 = box
    corner = [x0, y0, x1 - x0, y1 - y0]
    triples = np.column_stack([places, np.full(21, 2)]).ravel().tolist()
    whole = coco(folder / "whole", [places], righthand_kpts=triples, righthand_valid=True, righthand_box=corner)
    (folder / "hint").mkdir()
    Image.new("RGB", (WIDTH, HEIGHT)).save(folder / "hint" / "p.jpg")
    (folder / "hint" / "p.json").write_text(json.dumps([{"keypoints": places.tolist(), "bbox": list(box)}]))
    (folder / "csv").mkdir()
    return {
        "coco": coco(folder / "coco", [places], bbox=corner), "coco-wholebody": whole, "hint": folder / "hint",
        "csv": table(folder / "csv", HEAD, ["p.jpg", "right", *places.ravel()]),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["coco", "coco-wholebody", "hint", "csv"])
def test_percent_is_refused_until_it_is_said(tmp_path, inside, name):
    """Percent taken for pixels makes a small hand in the photo's corner."""
    folder = _others(tmp_path, _percent(inside[0]), (10.0, 20.0, 60.0, 70.0))[name]
    with pytest.raises(InputError, match=r"look like percent.*p.jpg has 640 x 480 px.*--units percent"):
        list(checked(reader(name).read(folder), "set"))
    (hand,) = reader(name).read(folder, units="percent")
    np.testing.assert_allclose(hand.keypoints, inside[0], atol=1e-9)
    assert name == "csv" or hand.box.tolist() == [63.5, 95.5, 383.5, 335.5]
    (hand,) = reader(name).read(folder, units="px")
    np.testing.assert_allclose(hand.keypoints, _percent(inside[0]))
    with pytest.raises(InputError, match="unknown units 'inch'"):
        list(reader(name).read(folder, units="inch"))


@pytest.mark.parametrize("name", ["coco", "coco-wholebody", "hint", "csv"])
def test_shares_are_taken_as_said(tmp_path, inside, name):
    folder = _others(tmp_path, _percent(inside[0]) / 100, (0.1, 0.2, 0.6, 0.7))[name]
    for options in ({}, {"units": "shares"}):
        (hand,) = reader(name).read(folder, **options)
        np.testing.assert_allclose(hand.keypoints, inside[0], atol=1e-9)
        assert name == "csv" or hand.box.tolist() == [63.5, 95.5, 383.5, 335.5]
    (hand,) = reader(name).read(folder, units="px")
    np.testing.assert_allclose(hand.keypoints, _percent(inside[0]) / 100)


def test_what_is_no_percent_passes(tmp_path, inside):
    """Small hands, small photos, one hand elsewhere, and a table that says its unit."""
    small = _percent(inside[0])
    assert list(checked(reader("coco").read(coco(tmp_path / "a", [0.4 * small])), "set"))
    assert list(checked(reader("coco").read(coco(tmp_path / "b", [small, inside[1]])), "set"))
    folder = coco(tmp_path / "c", [small], image={"width": 224, "height": 224})
    Image.new("RGB", (224, 224)).save(folder / "p.jpg")
    assert list(checked(reader("coco").read(folder), "set"))
    for unit, expected in (("px", small), ("percent", inside[0])):
        row = ["p.jpg", "right", *small.ravel(), unit]
        (hand,) = checked(reader("csv").read(table(tmp_path, [*HEAD, "units"], row)), "set")
        np.testing.assert_allclose(hand.keypoints, expected, atol=1e-9)


def test_import_takes_units(tmp_path, inside, capfd, model, monkeypatch):
    import annotator.model
    from annotator.project import Project

    monkeypatch.setattr(annotator.model, "load_model", lambda *_a, **_k: model)
    folder = coco(tmp_path / "set", [_percent(inside[0])], category="right_hand")
    arguments = ["import", str(folder), "--format", "coco", "--project", str(tmp_path / "p")]
    assert main(arguments) == 2
    error = capfd.readouterr().err.strip()
    assert "look like percent" in error and "\n" not in error
    assert main([*arguments, "--units", "percent"]) == 0
    with Project.open(tmp_path / "p") as project:
        stored = project.hand(project.hands()[0].id).corrections
    np.testing.assert_allclose([stored[k] for k in range(21)], inside[0])
    capfd.readouterr()
    for words, why in (
        (["coco", "--units", "inch"], "unknown units"),
        (["yolo-pose", "--units", "percent"], "not for"),
    ):
        assert main(["import", str(folder), "--format", *words, "--project", str(tmp_path / "p")]) == 2
        assert why in capfd.readouterr().err


def test_training_refuses_percent(tmp_path, inside):
    from annotator.formats.transfer.keypoint_tables import make_table

    with pytest.raises(InputError, match="look like percent"):
        make_table("coco", coco(tmp_path / "a", [_percent(inside[0])], category="right_hand"), tmp_path / "run")
