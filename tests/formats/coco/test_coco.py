"""COCO's files: round trips, what pycocotools makes of them, and tiny files written by hand."""

from __future__ import annotations

import contextlib
import io
import json

import numpy as np
import pytest
from PIL import Image
from same import assert_same

from annotator.errors import InputError
from annotator.formats import reader, writer
from annotator.hand.joints import JOINT_NAMES
from annotator.vision.images.without_metadata import picture_digest
from annotator.vision.photos import read_photo

PHOTO = (40, 60)


@pytest.fixture
def written(records, tmp_path):
    assert writer("coco-wholebody").write(records, tmp_path / "set", licence="CC0")["hands"] == 3
    return tmp_path / "set"


def test_wholebody_round_trip(records, written):
    read = list(reader("coco-wholebody").read(written))
    for ours, theirs in zip(read, records, strict=True):
        assert_same(ours, theirs)
        assert picture_digest(ours.photo) == picture_digest(theirs.photo)  # its picture, without its metadata
        np.testing.assert_array_equal(read_photo(ours.photo), read_photo(theirs.photo))
    assert len(list((written / "images").iterdir())) == 2  # two hands share a photo


def test_pycocotools_reads_it(records, written):
    pycocotools = pytest.importorskip("pycocotools.coco")
    with contextlib.redirect_stdout(io.StringIO()):
        coco = pycocotools.COCO(str(written / "annotations.json"))
    found = coco.loadAnns(coco.getAnnIds())
    assert [one["hand"] for one in found] == [record.id for record in records]
    for one, record in zip(found, records, strict=True):
        assert one["lefthand_valid"] == (record.side == "left") != one["righthand_valid"]
        points = np.reshape(one[f"{record.side}hand_kpts"], (21, 3))
        np.testing.assert_allclose(points[:, :2], record.keypoints, atol=1e-9)
        np.testing.assert_array_equal(points[:, 2] == 2, record.visible)
        image = coco.loadImgs(one["image_id"])[0]
        with Image.open(written / "images" / image["file_name"]) as photo:
            assert photo.size == (image["width"], image["height"])


@pytest.mark.parametrize("kind", ["bbox", "segm"])
def test_perfect_answers_score_one(written, kind):
    """COCOeval takes an annotation's id 0 for 'no match': ids begin at 1. Boxes and masks by its own code."""
    coco, evaluation = pytest.importorskip("pycocotools.coco"), pytest.importorskip("pycocotools.cocoeval")
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco.COCO(str(written / "annotations.json"))
        answers = [
            {"image_id": one["image_id"], "category_id": 1, "score": 0.9, kind: one["bbox"]}
            if kind == "bbox"
            else {"image_id": one["image_id"], "category_id": 1, "score": 0.9, "segmentation": truth.annToRLE(one)}
            for one in truth.loadAnns(truth.getAnnIds())
        ]
        scorer = evaluation.COCOeval(truth, truth.loadRes(answers), kind)
        scorer.evaluate()
        scorer.accumulate()
        scorer.summarize()
    assert min(truth.anns) == 1 and scorer.stats[0] == pytest.approx(1.0)


def test_the_outline_is_the_meshs(records, written):
    """The mask that pycocotools makes of the polygon is where our own rasteriser draws the mesh."""
    coco = pytest.importorskip("pycocotools.coco")
    from annotator.vision.camera import project
    from annotator.vision.drawing.raster import rasterise

    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco.COCO(str(written / "annotations.json"))
    for one, record in zip(truth.loadAnns(truth.getAnnIds()), records, strict=True):
        # its pixels begin at whole numbers, ours are centred there
        moved = one | {"segmentation": [(np.array(ring) + 0.5).tolist() for ring in one["segmentation"]]}
        mask = truth.annToMask(moved).astype(bool)
        drawn = np.zeros_like(mask)
        seen = rasterise(project(record.vertices, record.K), record.vertices[:, 2], record.faces, *mask.shape)
        drawn[seen.rows, seen.columns] = True
        assert (mask & drawn).sum() / (mask | drawn).sum() > 0.97
        assert one["area"] == pytest.approx(drawn.sum(), rel=0.05)


def test_wholebody_without_our_extras(records, written):
    """As somebody else's set of the same labels: occluded keypoints stay labelled and hidden."""
    (written / "provenance.json").unlink()
    read = list(reader("coco-wholebody").read(written / "annotations.json"))
    for ours, theirs in zip(read, records, strict=True):
        np.testing.assert_allclose(ours.keypoints, theirs.keypoints, atol=1e-9)
        np.testing.assert_array_equal(ours.visible, theirs.visible)
        np.testing.assert_allclose(ours.box, theirs.box, atol=1e-9)
        assert ours.side == theirs.side and ours.K is None and ours.joints is None


def test_weights_tell_proposals_apart(written):
    for one in json.loads((written / "annotations.json").read_text())["annotations"]:
        assert max(one["weights"]) <= 1 and (np.array(one["weights"]) <= 0.5).sum() >= 20


def coco_file(folder, names=None, **change):
    """A set of one hand with keypoint k at (k, 2 k), the wrist without a label and the thumb's tip hidden."""
    (folder / "images").mkdir()
    Image.new("RGB", PHOTO[::-1]).save(folder / "images" / "a.png")
    names = names or list(JOINT_NAMES)
    from annotator.formats.conventions.names import keypoint_of

    points = []
    for name in names:
        k = keypoint_of(name)
        points += [k, 2 * k, 0 if k == 0 else 1 if k == 4 else 2]
    annotation = {"id": 7, "image_id": 3, "category_id": 1, "keypoints": points, "bbox": [1, 2, 30, 20]}
    content = {
        "images": [{"id": 3, "file_name": "a.png", "width": 60, "height": 40}],
        "annotations": [annotation | change],
        "categories": [{"id": 1, "name": "left_hand", "keypoints": names}],
    }
    (folder / "labels.json").write_text(json.dumps(content))
    return folder


TIP_FIRST = ["wrist"] + [f"{f}{n}" for f in ("thumb", "forefinger", "middle", "ring", "pinky") for n in (4, 3, 2, 1)]
MEDIAPIPE = [name.upper().replace("LITTLE", "PINKY").replace("INDEX", "INDEX_FINGER") for name in JOINT_NAMES]


@pytest.mark.parametrize("names", [None, TIP_FIRST, MEDIAPIPE, list(reversed(JOINT_NAMES))])
def test_keypoints_by_name(tmp_path, names):
    (hand,) = reader("coco").read(coco_file(tmp_path, names))
    np.testing.assert_array_equal(hand.keypoints[1:], [[k, 2 * k] for k in range(1, 21)])
    assert hand.side == "left" and hand.weights[0] == 0 and hand.weights[1:].all()
    np.testing.assert_array_equal(hand.keypoints[0], [10.5, 21])  # no label: the middle of the others
    assert hand.states[0] == hand.states[4] == "occluded" and hand.states[8] == "confirmed"
    np.testing.assert_array_equal(hand.visible, [k not in (0, 4) for k in range(21)])
    np.testing.assert_array_equal(hand.box, [1, 2, 31, 22])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"keypoints": [1, 2, 2]}, "index 0.*63"),
        ({"keypoints": [float("nan"), 1, 2] * 21}, "index 0.*no keypoint"),
        ({"side": "right"}, "index 0.*side says right, category name says left"),
        ({"keypoints": [0] * 63}, "no keypoint"),
        ({"image_id": 9}, "no image 9"),
    ],
)
def test_broken_annotations_are_named(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        list(reader("coco").read(coco_file(tmp_path, **change)))


def test_no_photo_outside_of_the_set(tmp_path):
    folder = coco_file(tmp_path)
    text = (folder / "labels.json").read_text()
    for name in ("../a.png", "/etc/passwd", "images/../../a.png", "..\\\\a.png"):
        (folder / "labels.json").write_text(text.replace('"a.png"', f'"{name}"'))
        with pytest.raises(InputError, match="leads out"):
            list(reader("coco").read(folder))
    (folder / "labels.json").write_text(text.replace('"a.png"', '"b.png"'))
    with pytest.raises(InputError, match="there is no .*b.png"):
        list(reader("coco").read(folder))
    (folder / "labels.json").write_text("{")
    with pytest.raises(InputError, match="labels.json is not JSON"):
        list(reader("coco").read(folder))
