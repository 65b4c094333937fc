"""Photos by other spellings of their names, of other sizes, turned, in shares and through other cameras."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from others_files import HEIGHT, WIDTH, coco
from PIL import Image

from annotator.errors import InputError
from annotator.formats import reader
from annotator.formats.core.places import check_fit
from annotator.formats.core.remarks import remarking


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
