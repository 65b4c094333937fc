"""The side of a hand that other people's files say is read; where nothing says it, it is guessed and marked."""

from __future__ import annotations

import json

import numpy as np
import pytest
from others_files import coco
from PIL import Image

from annotator.cli import main
from annotator.errors import InputError
from annotator.formats import reader
from annotator.formats.conventions.names import side_of, sides_said
from annotator.hand.joints import JOINT_NAMES


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


@pytest.mark.parametrize(
    "annotation",
    [
        {"side": "left", "attributes": {"side": "right"}},
        {"side": "left", "attributes": [{"name": "side", "value": "R"}]},
        {"is_left": True, "attributes": {"is_left": False}},
    ],
)
def test_sides_of_one_name_that_contradict_each_other(tmp_path, hands, annotation):
    with pytest.raises(InputError, match="the side is contradicted: .* says left, attributes > .* says right"):
        list(reader("coco").read(coco(tmp_path, hands[:1], **annotation)))


def test_what_leaves_nothing_is_said_once(tmp_path, hands, capfd):
    folder = coco(tmp_path / "set", hands[:1], side="left", attributes={"side": "right"})
    assert main(["import", str(folder), "--format", "coco", "--project", str(tmp_path / "p")]) == 2
    said = [line for line in capfd.readouterr().err.splitlines() if not line.startswith("import ")]
    assert len(said) == 1 and "contradicted" in said[0]


def test_sides_in_categories_and_keypoints(tmp_path, hands):
    for kind, names in (("hand_l", JOINT_NAMES), ("LHand", JOINT_NAMES), ("hand", [f"l_{n}" for n in JOINT_NAMES])):
        (hand,) = reader("coco").read(coco(tmp_path, hands[:1], names, kind))
        assert hand.side == "left" and hand.provenance["side_known"], kind


def test_a_guessed_side_is_never_accepted_unseen(tmp_path, capfd):
    """A left hand of which nothing says so: the network's side, marked, and accepted only by somebody who says it."""
    import annotator.sample_data

    import annotator
    from annotator.project import Project
    from annotator.project.guessed_sides import side_in_doubt

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
