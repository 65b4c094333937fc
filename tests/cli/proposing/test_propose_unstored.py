"""`annotator propose` without a project: hands as JSON or as a table, which others (and we ourselves) read."""

from __future__ import annotations

import json

import numpy as np
import pytest

from annotator.formats import reader
from annotator.project import Project


def test_json_is_a_file_of_predictions(run, loaded, tmp_path, photo_file, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.jpg").write_bytes(b"nothing")
    code, out, err = run("propose", photo_file, "broken.jpg", "--json")
    said = json.loads(out)
    assert code == 0 and out.count("\n") == 1 and "broken.jpg" in err
    (hand,) = said["hands"]
    assert (hand["side"], said["photos"], len(said["failed"])) == ("right", 1, 1)
    assert np.shape(hand["keypoints"]) == (21, 2) and np.shape(hand["joints"]) == (21, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.jpg"]

    (tmp_path / "hands.json").write_text(out)
    assert run("propose", photo_file, "--proposer", "files:hands.json", "--project", "p")[0] == 0
    with Project.open("p") as project:
        (entry,) = project.hands()
        stored = project.hand(entry.id)
    # the surface's own offsets are left out: the rest is the same hand
    size = np.ptp(hand["keypoints"], axis=0).max()
    assert np.abs(stored.keypoints - hand["keypoints"]).max() < 0.06 * size
    assert stored.confidence == pytest.approx(hand["confidence"], abs=1e-6)


def test_a_table_comes_in_again_as_proposals(run, loaded, tmp_path, photo_file):
    photo = tmp_path / "photos" / "a photo.jpg"
    photo.parent.mkdir()
    photo.write_bytes(photo_file.read_bytes())
    assert run("propose", photo, "--csv", tmp_path / "hands.csv")[0] == 0
    (record,) = reader("csv").read(tmp_path / "hands.csv")
    assert record.photo == photo and record.side == "right" and set(record.states) == {"proposed"}
    out = run("propose", photo, "--csv", "-")[1]
    heading, row = out.splitlines()
    assert heading.split(",")[:3] == ["photo", "side", "confidence"] and row.startswith(str(photo))
    assert abs(float(row.split(",")[3]) - record.keypoints[0, 0]) < 0.01


def test_wrong_use_leaves_nothing(run, tmp_path, photo_file, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for arguments in (
        (),
        ("--csv", "x.csv", "--project", "p"),
        ("--csv", "-", "--json"),
        ("--json", "--engine", "ray"),
    ):
        code, out, err = run("propose", photo_file, *arguments)
        assert (code, out) == (2, "") and err.startswith("annotator: error: ")
    assert run("propose", tmp_path, "--json")[0] == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("to", [("--json",), ("--csv", "x.csv"), ("--project", "p")])
def test_one_fault_is_one_line(run, loaded, tmp_path, photo_file, monkeypatch, to):
    """Alone a bad photo is the command's error; of several each is named, and the error repeats none."""

    def said(*photos):
        code, _, err = run("propose", *photos, *to)
        return code, [line for line in err.splitlines() if line.startswith("annotator:")]

    monkeypatch.chdir(tmp_path)
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"nothing")
    code, lines = said("a.jpg")
    assert code == 2 and len(lines) == 1 and "a.jpg" in lines[0] and "no photo could be read" in lines[0]
    code, lines = said("a.jpg", "b.jpg")
    assert code == 2 and len(lines) == 3 and lines[2].endswith("none of 2 photos could be read")
    assert "a.jpg" in lines[0] and "b.jpg" in lines[1]
    code, lines = said("a.jpg", photo_file)
    assert code == 0 and len(lines) == 1 and "skipped" in lines[0] and "a.jpg" in lines[0]
