"""What stands in files for a missing label is no label, and a reader says so."""

from __future__ import annotations

import numpy as np
import pytest
from others_files import HEAD, coco, table

from annotator.formats import reader
from annotator.formats.conventions.remarks import remarking
from annotator.formats.core.details import skipping, whole
from annotator.hand.joints import JOINT_NAMES


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


def test_fillers_in_tables(tmp_path, hands):
    cells = [f"{n:.2f}" for n in hands[0].ravel()]
    cells[10:12], cells[20:22], cells[30:32] = ["-1", "-1"], ["nan", "nan"], ["", ""]
    cells[41] = ""
    with remarking() as remarks:
        (hand,) = reader("csv").read(table(tmp_path, HEAD, ["p.jpg", "left", *cells]))
    assert np.flatnonzero(hand.weights == 0).tolist() == [5, 10, 15, 20] and hand.side == "left"
    assert {text.removesuffix(" taken for not labelled"): count for text, count in remarks.items()} == {
        "keypoint at (-1, -1)": 1, "keypoint with empty cells": 2, "keypoint with only one of x and y": 1,
    }  # fmt: skip


@pytest.mark.parametrize("left", [2, 3, 25, 43])
def test_a_table_that_was_cut(tmp_path, hands, left):
    """The rest of its last row is no hand with fewer labels: the row is named, and the hands before it come in."""
    rows = [["p.jpg", "left", *(f"{n:.2f}" for n in hand.ravel())] for hand in hands[:2]]
    rows[1] = rows[1][:left]
    folder = table(tmp_path, HEAD, *rows)
    with skipping() as skipped:
        (hand,) = whole(reader("csv").read(folder))
    assert hand.weights.all() and len(skipped) == 1
    assert f"index 1 (line 3): the row ends after {left} of 44 cells and has {(left - 2) // 2} of 21" in skipped[0]


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
