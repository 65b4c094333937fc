"""Records into a project and out again; broken ones are left out or refused as asked; filters and splits."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from annotator.cli import main
from annotator.errors import InputError
from annotator.formats import WRITERS, reader, writer
from annotator.formats.core.base import labels_of
from annotator.formats.core.details import skipping, whole
from annotator.formats.core.filters import Filter, part_of
from annotator.formats.transfer.from_project import labelled_hands
from annotator.formats.transfer.to_project import import_records
from annotator.hand.joints import JOINT_NAMES
from annotator.project import Project


def run(capfd, *arguments):
    capfd.readouterr()
    code = main([str(argument) for argument in arguments])
    out, err = capfd.readouterr()
    return code, out, err


@pytest.mark.parametrize("name", ["coco-wholebody", "hamer-tar", "parquet"])
def test_our_own_exports_come_back(records, tmp_path, name, capfd):
    """With meshes, states and weights; nothing is fitted, and the second import adds nothing."""
    writer(name).write(records, tmp_path / "set")
    arguments = ("import", tmp_path / "set", "--format", name, "--project", tmp_path / "new", "--json")
    code, out, err = run(capfd, *arguments)
    assert code == 0, err
    result = json.loads(out)
    assert result["hands"] == result["own_mesh"] == result["restored"] == 3 and not result["left_out"]
    assert "3 have the state that they left with" in run(capfd, *arguments[:-2], tmp_path / "text")[1]
    with Project.open(tmp_path / "new") as project:
        assert project.verify() == []
        for ours, theirs in zip(labelled_hands(project), records, strict=True):
            np.testing.assert_allclose(ours.vertices, theirs.vertices, atol=1e-6)
            assert ours.states == theirs.states and ours.side == theirs.side and ours.state == "accepted"
            np.testing.assert_allclose(ours.weights, theirs.weights, atol=1e-6)
            assert ours.provenance["corrections"] == theirs.provenance["corrections"]
    code, out, _ = run(capfd, *arguments)
    assert code == 0 and json.loads(out)["hands"] == 0 and json.loads(out)["done_before"] > 0


def keypoint_table(folder, records, photo):
    folder.mkdir(exist_ok=True)
    (folder / "photo.jpg").write_bytes(photo.read_bytes())
    with (folder / "hands.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["photo", "side"] + [f"{n}_{a}" for n in JOINT_NAMES for a in "xy"])
        for record in records:
            rows.writerow(["photo.jpg", record.side, *record.keypoints.ravel()])
    return folder


def test_keypoints_alone_are_fitted(records, model, photo_file, tmp_path, capfd, monkeypatch):
    import annotator.model

    monkeypatch.setattr(annotator.model, "load_model", lambda *_a, **_k: model)
    hands = model.propose(__import__("annotator.vision.photos", fromlist=["read_photo"]).read_photo(photo_file))
    moved = replace(records[0], side=hands[0].side, keypoints=hands[0].keypoints + (3.0, -2.0))
    table = keypoint_table(tmp_path / "set", [moved], photo_file)
    code, out, err = run(capfd, "import", table, "--format", "csv", "--project", tmp_path / "new", "--accept", "--json")
    assert code == 0, err
    assert json.loads(out)["fitted"] == 1
    with Project.open(tmp_path / "new") as project:
        (hand,) = labelled_hands(project)
        assert set(hand.states) == {"confirmed"} and (hand.weights == 1).all()
        assert np.abs(hand.keypoints - moved.keypoints).max() < 2.0  # photo px


def test_accept_takes_what_people_said_alone(records, tmp_path):
    """A label carried along a track is nobody's word, and a hand without any label is none."""
    said = {"confirmed": "accepted", "occluded": "accepted", "propagated": "in work", "proposed": "in work"}
    changed = [replace(records[0], id=word, state="", states=("confirmed",) * 20 + (word,)) for word in said]
    changed.append(replace(records[0], id="none", state="", weights=np.zeros(21)))
    changed.append(replace(records[0], id="flagged", state="flagged", states=("propagated",) * 21))
    with Project.create(tmp_path / "new") as project:
        done = import_records(project, changed, "test", lambda: None, accept=True)
        assert [entry.state for entry in project.hands()] == [*said.values(), "in work", "flagged"]
    assert done.restored == 1 and not done.left_out


def test_too_few_labels_are_left_out_and_counted(records, tmp_path):
    few = labels_of(records[0].keypoints, np.arange(21) < 3)
    record = replace(records[0], parameters=None, vertices=None, K=None, joints=None, **few)
    with Project.create(tmp_path / "new") as project:
        done = import_records(project, [record], "test", lambda: None)
    assert done.hands == 0 and "too few" in done.left_out[0][1]


def test_broken_records(records, tmp_path, capfd):
    writer("coco-wholebody").write(records, tmp_path / "set")
    path = tmp_path / "set" / "details.json"
    rows = json.loads(path.read_text())
    rows[1]["keypoints"][4] = [float("nan"), 1]
    path.write_text(json.dumps(rows))
    with pytest.raises(InputError, match="annotations.json, index 1.*not finite"):
        list(reader("coco-wholebody").read(tmp_path / "set"))
    with skipping() as broken:
        assert len(list(whole(reader("coco-wholebody").read(tmp_path / "set")))) == 2
    assert len(broken) == 1 and "index 1" in broken[0]
    arguments = ("import", tmp_path / "set", "--format", "coco-wholebody", "--project")
    code, out, err = run(capfd, *arguments, tmp_path / "a", "--json")
    assert code == 0 and json.loads(out)["hands"] == 2 and "index 1" in err
    code, out, err = run(capfd, *arguments, tmp_path / "b", "--strict")
    assert code == 2 and "index 1" in err


def test_wrong_use(tmp_path, capfd):
    for arguments, message in (
        (("import", tmp_path / "none", "--format", "coco", "--project", tmp_path / "p"), "there is no"),
        (("import", tmp_path, "--format", "xml", "--project", tmp_path / "p"), "expected one of"),
        (("import", tmp_path, "--format", "hint", "--project", tmp_path / "p"), "no .json files"),
    ):
        code, _, err = run(capfd, *arguments)
        assert code == 2 and message in err and len(err.strip().splitlines()) <= 2


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_every_format_is_exported(project, tmp_path, name, capfd):
    out = tmp_path / "out"
    code, said, err = run(capfd, "export", project.folder, "--format", name, "--out", out, "--json", "--licence", "CC0")
    assert code == 0, err
    assert json.loads(said)["hands"] == 3 and (out / "README.md").is_file()
    code, _, err = run(
        capfd, "export", project.folder, "--format", name, "--out", out, "--min-corrected", "2", "--overwrite"
    )
    assert code == 2 and "no hands" in err


def test_filters(records):
    assert len(list(Filter(min_corrected=1)(records))) == 2
    assert len(list(Filter(max_sigma=1e-6)(records))) == 0
    best = max(r.provenance["confidence"] for r in records)
    assert len(list(Filter(min_confidence=best)(records))) == 1
    parts = {p: [r.id for r in Filter(part=p, held=0.5)(records)] for p in ("train", "held")}
    assert sorted(parts["train"] + parts["held"]) == sorted(r.id for r in records)
    assert part_of(records[1], 0.5) == part_of(records[2], 0.5)  # one photo
    many = [replace(records[0], provenance={"photo_sha256": str(n)}) for n in range(2000)]
    assert 330 < sum(part_of(r, 0.2) == "held" for r in many) < 470
    for bad in ({"part": "x"}, {"by": "colour"}, {"held": 1.0}):
        with pytest.raises(InputError):
            Filter(**bad)
    with pytest.raises(InputError, match="has no subject"):
        list(Filter(part="held", held=0.5, by="subject")(records))


def test_joints_and_camera_put_the_hand_in_its_place(records, model, photo_file):
    """As from DexYCB or HO3D, whose parameters are MANO's: the free hand is fitted to keypoints and depths."""
    from annotator.formats.transfer.record_meshes import fit
    from annotator.vision.camera import project as to_pixels
    from annotator.vision.photos import read_photo

    photo = read_photo(photo_file)
    (hand,) = model.propose(photo)[:1]
    random = np.random.default_rng(0)
    values = hand.parameters.replace(pose=hand.parameters.pose + random.normal(0, 0.1, (16, 3)),
                                     translation=hand.parameters.translation * 1.1)  # fmt: skip
    joints = model.hand.joints(model.hand.vertices(values, hand.side))
    keypoints = to_pixels(joints, hand.camera)
    record = replace(records[0], photo=photo_file, side=hand.side, K=hand.camera, joints=joints, parameters=None,
                     vertices=None, faces=None, box=np.array([*keypoints.min(0), *keypoints.max(0)]),
                     **labels_of(keypoints, np.ones(21, bool)))  # fmt: skip
    found = fit(record, photo, model)
    assert np.abs(found.keypoints - keypoints).max() < 0.5
    assert np.linalg.norm(found.joints - joints, axis=1).mean() < 0.008
    assert set(found.corrections) == set(range(21))


def test_photos_get_the_people_that_a_data_set_names(records, tmp_path):
    from PIL import Image, ImageOps

    from annotator.formats.transfer.to_project import subject_said

    other = tmp_path / "other.png"
    ImageOps.invert(Image.open(records[0].photo).convert("RGB")).save(other)
    said = {"data_set": "Hands", "subject": "7"}
    named = [replace(one, provenance=dict(one.provenance) | said) for one in records]
    named.append(replace(records[0], id="x", photo=other, provenance=dict(records[0].provenance)))
    with Project.create(tmp_path / "new") as project:
        done = import_records(project, named, "test", lambda: None, subject_of=subject_said)
        by_photo = {entry.photo_id for entry in project.hands()}
        assert done.subjects == {"Hands 7": len({project.known_as(one.photo) for one in records})}
        assert sorted(project.subjects.photos("Hands 7")) == sorted(by_photo)[: done.subjects["Hands 7"]]
        everybody = import_records(project, named, "test", lambda: None, subject_of=lambda _record: "Ada")
        assert everybody.hands == 0 and set(project.subjects.photos("Ada")) == by_photo
