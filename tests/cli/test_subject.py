"""`annotator subject`: whose hands the photos show, and what becomes of their meshes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from annotator.correcting import solve
from annotator.project import Project, Provenance
from annotator.vision.photos import read_photo

SOURCE = Provenance("test", "d" * 64)


@pytest.fixture
def labelled(tmp_path, sample_photos, make_hand, hand_model):
    """A project's folder: five photos in two folders, a hand with four labels on each; the last one is accepted."""
    with Project.create(tmp_path / "project", who="Ada") as project:
        for number, file in enumerate(sample_photos[:5]):
            path = tmp_path / ("first" if number < 3 else "second") / file.name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(file.read_bytes())
            hand = make_hand(number)
            hand_id = project.add_proposal(project.add_photo(path), hand, SOURCE)
            labels = {k: tuple(hand.keypoints[k] * 1.01) for k in (4, 8, 12, 20)}
            project.edit(hand_id, solve(hand, hand_model, labels).hand)
        project.set_state(hand_id, "accepted")
    return tmp_path / "project"


def said(result):
    code, out, err = result
    assert code == 0, err
    return json.loads(out)


def test_photos_of_a_folder_get_a_subject_a_shape_and_offers(run, labelled, tmp_path):
    first = said(run("subject", labelled, "Ada", "--photos", tmp_path / "first", "--json"))["subjects"][0]
    assert (first["photos"], first["hands"], first["labels"]) == (3, 3, 12)
    assert first["shape"]["hands"] == 3, "enough was labelled: it is estimated at once"
    done = said(run("subject", labelled, "Ada", "--photos", tmp_path / "second", "--estimate", "--json"))["subjects"][0]
    assert done["shape"]["hands"] == 5
    assert len(done["offered"]) == 4 and len(done["accepted_apart"]) == 1
    with Project.open(labelled) as project:
        accepted = project.mesh(done["accepted_apart"][0]["hand"])
    renewed = said(run("subject", labelled, "Ada", "--renew", "--who", "Eve", "--json"))
    assert sorted(renewed["renewed"]) == sorted(one["hand"] for one in done["offered"])
    assert renewed["subjects"][0]["offered"] == []
    with Project.open(labelled) as project:
        assert project.mesh(done["accepted_apart"][0]["hand"]) == accepted
        assert project.history(renewed["renewed"][0])[-1].note == {"subject": "Ada"}
        assert project.verify() == []


def test_the_list_says_it_in_words(run, labelled, tmp_path):
    assert "no subjects" in run("subject", labelled)[1]
    run("subject", labelled, "Ada", "--photos", tmp_path / "first")
    code, out, _ = run("subject", labelled, "Ada", "--length", 184)
    assert code == 0 and "length 184 mm" in out and "a renewed mesh is offered to" in out
    assert run("subject", labelled)[1].startswith("Ada: 3 photos, 3 hands, 12 labels, length 184 mm, estimated from 3")
    assert "length" not in run("subject", labelled, "Ada", "--length", 0)[1]


def test_by_folder_undo_and_forget(run, labelled):
    names = [
        one["name"] for one in said(run("subject", labelled, "--by", "folder", "--who", "Ada", "--json"))["subjects"]
    ]
    assert names == ["first", "second"]
    assert run("subject", labelled, "--undo", "--who", "Ada")[1].startswith("taken back: second")
    assert run("subject", labelled, "--redo", "--who", "Ada")[1].startswith("said again: second")
    assert [one["name"] for one in said(run("subject", labelled, "second", "--forget", "--json"))["subjects"]] == [
        "first"
    ]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--length", "180"], "whose?"),
        (["Ada", "--by", "folder"], "leave NAME out"),
        (["--by", "mood"], "expected folder or video"),
        (["Ada", "--photos", "nowhere"], "nowhere: no photo of the project is there"),
        (["Ada", "--length", "19"], "19 mm: expected 80 to 270 mm"),
        (["Nobody"], "no subject 'Nobody'"),
        (["--undo", "--redo"], "do not go together"),
        (["--undo", "--who", "Eve"], "nothing that Eve said"),
    ],
)
def test_wrong_use_is_one_clear_line_and_stores_nothing(run, labelled, arguments, why):
    code, out, err = run("subject", labelled, *arguments)
    assert code == 2 and out == "" and why in err and err.count("\n") == 1
    with Project.open(labelled) as project:
        assert project.subjects.history() == []


def test_propose_and_correct_use_the_photos_subject(run, loaded, labelled, tmp_path, photo_file, hand_model):
    assert run("subject", labelled, "Ada", "--photos", tmp_path / "first", "--photos", tmp_path / "second")[0] == 0
    code, _, err = run("propose", photo_file, "--project", labelled, "--subject", "Ada")
    assert code == 0, err
    with Project.open(labelled) as project:
        photo = next(one for one in project.photos() if one.path.name == photo_file.name)
        assert project.subjects.of_photo(photo.id).name == "Ada"
        (entry,) = project.hands(photo=photo.id)
        shape = project.subjects.named("Ada").shape
        proposed = project.mesh(entry.id)
    (plain,) = loaded.propose(read_photo(photo_file))

    def off(mesh):
        return np.linalg.norm((mesh.parameters.shape - shape.shape) / shape.sigma)

    assert off(proposed) < 0.3 * off(plain) and not proposed.parameters.offsets.any()
    x, y = proposed.keypoints[8] + 8
    assert run("correct", labelled, entry.id, "index_tip", x, y)[0] == 0
    with Project.open(labelled) as project:
        corrected = project.mesh(entry.id)
        assert corrected.corrections == {8: (x, y)} and off(corrected) < 0.3 * off(plain)
        assert project.verify() == []
