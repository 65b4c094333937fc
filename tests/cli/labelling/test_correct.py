"""`annotator correct`: the stored mesh follows a keypoint that was set."""

from __future__ import annotations

import json

import numpy as np
import pytest

from annotator.formats import reader
from annotator.hand.definitions import JointDefinition
from annotator.hand.joints import joint_index
from annotator.project import Project, Provenance


@pytest.fixture
def proposed(loaded, seen, tmp_path, photo_file):
    """(folder, hand id) of a project with the model's own proposal on a copy of a photo."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo_file.read_bytes())
    with Project.create(tmp_path / "project") as project:
        (hand_id,) = project.add_proposals(project.add_photo(path), seen, Provenance("default", loaded.digest))
    return tmp_path / "project", hand_id


def stored(folder, hand_id):
    with Project.open(folder) as project:
        return project.hand(hand_id), project.mesh(hand_id)


def apart(hand, joint, place):
    return np.linalg.norm(hand.keypoints[joint] - place)


def test_the_label_is_kept_and_the_stored_mesh_moves_towards_it(run, proposed):
    folder, hand_id = proposed
    before, mesh = stored(folder, hand_id)
    x, y = before.keypoints[8] + [10, -6]
    code, out, err = run("correct", folder, hand_id, "index_tip", x, y, "--json", "--who", "Ada")
    assert code == 0 and err == "" and out.count("\n") == 1
    said = json.loads(out)
    after, moved = stored(folder, hand_id)
    assert apart(after, 8, (x, y)) < apart(before, 8, (x, y))
    assert said["after_px"] == said["apart_px"] == pytest.approx(apart(after, 8, (x, y)), abs=1e-3)
    assert said["before_px"] == pytest.approx(np.hypot(10, 6), abs=1e-3)
    most = 1000 * np.linalg.norm(moved.vertices - mesh.vertices, axis=1).max()
    assert (said["definition"], said["strained"]) == ("anatomical", [])
    assert most > 0.5 and said["moved_mm"] == pytest.approx(most, abs=1e-3)
    assert (after.state, after.version, after.corrections) == ("in work", 2, {8: (x, y)})
    assert after.joint_states[8] == "corrected" and after.joint_states.count("proposed") == 20
    with Project.open(folder) as project:
        event = project.history(hand_id)[-1]
        assert (event.who, event.note["joint"], event.note["definition"]) == ("Ada", "index_tip", "anatomical")
        assert project.verify() == []


def test_exact_pins_the_mesh_to_every_label(run, proposed):
    folder, hand_id = proposed
    before, _ = stored(folder, hand_id)
    places = {8: tuple(before.keypoints[8] + [10, -6]), 16: tuple(before.keypoints[16] + [-7, 5])}
    assert run("correct", folder, hand_id, 8, *places[8])[0] == 0
    code, out, _ = run("correct", folder, hand_id, 16, *places[16], "--exact", "--json")
    after, _ = stored(folder, hand_id)
    assert code == 0 and after.corrections == places
    assert all(apart(after, joint, place) < 0.5 for joint, place in places.items())
    assert json.loads(out)["apart_px"] < 0.5
    with Project.open(folder) as project:
        assert project.history(hand_id)[-1].note["exact"]


def test_labels_are_read_as_the_project_means_the_joints(run, proposed):
    folder, hand_id = proposed
    offsets = np.zeros((21, 3))
    offsets[0] = (0.015, 0, 0)
    learned = JointDefinition("learned", offsets, np.full(21, 0.001), 30)
    (folder / "rounds" / "001").mkdir(parents=True)
    content = {"definition": learned.as_dict(), "adopted": True}
    (folder / "rounds" / "001" / "definition.json").write_text(json.dumps(content))
    before, mesh = stored(folder, hand_id)
    x, y = learned.keypoints(mesh)[0]  # the mesh is right, as this project means the wrist
    code, out, _ = run("correct", folder, hand_id, "wrist", x, y, "--json")
    said = json.loads(out)
    after, moved = stored(folder, hand_id)
    assert code == 0 and said["definition"] == "learned" and said["before_px"] == 0.0
    assert said["apart_px"] == pytest.approx(np.linalg.norm(learned.keypoints(moved)[0] - (x, y)), abs=1e-3)
    assert said["apart_px"] < 0.1 * apart(before, 0, (x, y))


def test_a_label_that_no_hand_meets_is_said_and_not_accepted_unasked(run, proposed, tmp_path):
    folder, hand_id = proposed
    before, _ = stored(folder, hand_id)
    with Project.open(folder) as project:
        mesh, at = project.mesh(hand_id), before.photo.id
        second = project.add_proposal(at, mesh, Provenance("default", "d" * 64))
    x, y = before.keypoints[8] + [-400, 0]
    code, out, _ = run("correct", folder, hand_id, "index_tip", x, y)
    words = "no plausible hand has its index tip where it was set"
    assert code == 0 and words in out
    code, out, _ = run("correct", folder, hand_id, "index_tip", x, y, "--json")
    ((said,), after) = json.loads(out)["strained"], stored(folder, hand_id)[0]
    assert said["joint"] == "index_tip" and said["pixels"] == pytest.approx(apart(after, 8, (x, y)), abs=0.01)
    assert said["sigmas"] > 4 and after.confidence < before.confidence and after.corrections == {8: (x, y)}

    code, out, err = run("accept", folder, second, hand_id)
    assert (code, out) == (2, "") and err.count("\n") == 1 and hand_id in err and "index_tip" in err and words in err
    assert stored(folder, second)[0].state == "proposed" and stored(folder, hand_id)[0].state == "in work"
    assert run("reject", folder, hand_id)[0] == 0
    assert run("accept", folder, second, hand_id, "--force")[0] == 0
    assert stored(folder, hand_id)[0].state == "accepted"

    code, out, _ = run("export", folder, "--format", "coco-wholebody", "--out", tmp_path / "a", "--json")
    assert code == 0 and (json.loads(out)["hands"], json.loads(out)["strained_left_out"]) == (1, 1)
    assert [hand.id for hand in reader("coco-wholebody").read(tmp_path / "a")] == [second]
    code, out, _ = run("export", folder, "--format", "coco-wholebody", "--out", tmp_path / "b")
    assert "1 hand left out, with labels that no plausible hand meets" in out
    only = ("--format", "coco-wholebody", "--min-corrected", 1, "--out", tmp_path / "c")
    code, _, err = run("export", folder, *only)
    assert code == 2 and "no hands to export: 1 hand left out" in err
    code, out, _ = run("export", folder, *only, "--strained", "--json")
    assert code == 0 and (json.loads(out)["hands"], json.loads(out)["strained_left_out"]) == (1, 0)
    (hand,) = reader("coco-wholebody").read(tmp_path / "c")
    assert hand.provenance["strained"] == ["index_tip"] and tuple(hand.keypoints[8]) == (x, y)

    code, out, _ = run("correct", folder, hand_id, "index_tip", "--state", "occluded", "--json")
    assert json.loads(out)["strained"] == []  # what cannot be seen contradicts nothing
    assert run("accept", folder, hand_id)[0] == 0


def test_corrections_add_up_and_can_be_undone(run, proposed):
    folder, hand_id = proposed
    before, _ = stored(folder, hand_id)
    places = {"thumb_tip": before.keypoints[4] + [-8, 3], "12": before.keypoints[12] + [4, 9]}
    for joint, (x, y) in places.items():
        assert run("correct", folder, hand_id, joint, x, y)[0] == 0
    after, _ = stored(folder, hand_id)
    assert after.corrections == {joint_index(joint): tuple(place) for joint, place in places.items()}
    for joint, place in places.items():
        assert apart(after, joint_index(joint), place) < apart(before, joint_index(joint), place)
    assert run("undo", folder, hand_id)[0] == 0
    assert set(stored(folder, hand_id)[0].corrections) == {4}
    assert run("undo", folder, hand_id)[0] == 0
    assert np.array_equal(stored(folder, hand_id)[0].keypoints, before.keypoints)


def test_a_joint_may_be_put_outside_the_photo(run, proposed):
    folder, hand_id = proposed
    code, out, err = run("correct", folder, hand_id, "little_tip", "-3.5", "300", "--json")
    assert code == 0, err
    assert stored(folder, hand_id)[0].corrections == {20: (-3.5, 300.0)}


@pytest.mark.parametrize(
    ("joint", "x", "y", "said"),
    [
        ("elbow", 10, 10, "elbow"),
        ("21", 10, 10, "21"),
        ("wrist", "nan", 10, "far outside"),
        ("wrist", 1e6, 10, "far outside"),
        ("wrist", "left", 10, "number"),
    ],
)
def test_wrong_corrections_change_nothing(run, proposed, joint, x, y, said):
    folder, hand_id = proposed
    code, out, err = run("correct", folder, hand_id, joint, x, y)
    assert code == 2 and out == "" and said in err and err.count("\n") == 1
    assert stored(folder, hand_id)[0].version == 1


def test_a_hand_or_photo_that_is_not_there(run, proposed, tmp_path, photo_file):
    folder, hand_id = proposed
    code, _, err = run("correct", folder, "nobody", "wrist", 10, 10)
    assert code == 2 and "nobody" in err
    code, _, err = run("correct", tmp_path / "none", hand_id, "wrist", 10, 10)
    assert code == 2 and "no project" in err
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(photo_file.with_name("signing-0126.jpg").read_bytes())
    code, _, err = run("correct", folder, hand_id, "wrist", 10, 10)
    assert code == 2 and "not the one any more" in err
    photo.unlink()
    code, _, err = run("correct", folder, hand_id, "wrist", 10, 10)
    assert code == 2 and "does not exist" in err
    assert stored(folder, hand_id)[0].version == 1


def test_a_state_alone_leaves_the_mesh_and_a_correction_heeds_states(run, proposed):
    folder, hand_id = proposed
    before, mesh = stored(folder, hand_id)
    code, out, _ = run("correct", folder, hand_id, "wrist", "--state", "confirmed", "--json")
    assert code == 0 and json.loads(out)["joint_state"] == "confirmed"
    _, same = stored(folder, hand_id)
    assert np.array_equal(same.vertices, mesh.vertices)
    assert run("correct", folder, hand_id, "middle_tip", *(before.keypoints[12] + [9, -9]))[0] == 0
    after, _ = stored(folder, hand_id)
    assert np.linalg.norm(after.keypoints[0] - before.keypoints[0]) < 0.5  # held, to half a pixel
    assert after.joint_states[0] == "confirmed" and after.joint_states[12] == "corrected"


def test_a_depth_relation_on_the_command_line(run, proposed):
    folder, hand_id = proposed
    _, mesh = stored(folder, hand_id)
    near, far = (8, 12) if mesh.joints[8, 2] > mesh.joints[12, 2] else (12, 8)
    code, out, _ = run("correct", folder, hand_id, near, "--in-front-of", far, "--json")
    assert code == 0 and json.loads(out)["moved_mm"] > 0
    _, after = stored(folder, hand_id)
    gap = after.joints[far, 2] - after.joints[near, 2]
    assert gap > mesh.joints[far, 2] - mesh.joints[near, 2] and gap > -0.003


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("wrist",), "needs X and Y"),
        (("wrist", 5), "needs X and Y"),
        (("wrist", "--state", "lost"), "unknown joint state"),
        (("wrist", "--in-front-of", "wrist"), "in front of itself"),
        (("wrist", "--behind", "elbow"), "elbow"),
    ],
)
def test_what_is_not_understood_of_a_joint(run, proposed, arguments, words):
    code, _, err = run("correct", *proposed, *arguments)
    assert code == 2 and words in err and err.count("\n") == 1


def test_alternatives_are_listed_and_taken(run, proposed):
    folder, hand_id = proposed
    before, mesh = stored(folder, hand_id)
    code, out, _ = run("alternatives", folder, hand_id, "--json")
    listed = json.loads(out)["alternatives"]
    assert code == 0 and stored(folder, hand_id)[0].version == before.version
    code, _, err = run("alternatives", folder, hand_id, "--take", len(listed) + 1)
    assert code == 2 and "there is no number" in err
    if listed:
        assert run("alternatives", folder, hand_id, "--take", 1)[0] == 0
        after, other = stored(folder, hand_id)
        assert np.abs(after.keypoints - before.keypoints).max() < 5 and not np.allclose(other.joints, mesh.joints)
