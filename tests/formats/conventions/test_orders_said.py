"""The order of keypoints that other people's files say is understood, or refused with one line."""

from __future__ import annotations

import json

import numpy as np
import pytest
from others_files import coco

from annotator.cli import main
from annotator.errors import InputError
from annotator.formats import reader
from annotator.formats.conventions.names import order_of
from annotator.formats.conventions.orders import ORDERS, best_order, checked, places_of
from annotator.hand.joints import JOINT_NAMES

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
