"""`annotator correct`: the stored mesh follows a keypoint that was set."""

from __future__ import annotations

import json

import numpy as np
import pytest

from annotator.hand.joints import joint_index
from annotator.project import Project, Provenance
from annotator.vision.photos import read_photo


@pytest.fixture
def proposed(loaded, tmp_path, photo_file):
    """(folder, hand id) of a project with the model's own proposal on a copy of a photo."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo_file.read_bytes())
    with Project.create(tmp_path / "project") as project:
        (hand_id,) = project.add_proposals(
            project.add_photo(path), loaded.propose(read_photo(path)), Provenance("default", loaded.digest)
        )
    return tmp_path / "project", hand_id


def stored(folder, hand_id):
    with Project.open(folder) as project:
        return project.hand(hand_id), project.mesh(hand_id)


def test_the_stored_mesh_moves_to_the_correction(run, proposed):
    folder, hand_id = proposed
    before, mesh = stored(folder, hand_id)
    x, y = before.keypoints[8] + [10, -6]
    code, out, err = run("correct", folder, hand_id, "index_tip", x, y, "--json", "--who", "Ada")
    assert code == 0 and err == "" and out.count("\n") == 1
    said = json.loads(out)
    after, moved = stored(folder, hand_id)
    assert np.linalg.norm(after.keypoints[8] - (x, y)) < 1.0
    assert said["after_px"] == pytest.approx(np.linalg.norm(after.keypoints[8] - (x, y)), abs=1e-3)
    assert said["before_px"] == pytest.approx(np.hypot(10, 6), abs=1e-3)
    most = 1000 * np.linalg.norm(moved.vertices - mesh.vertices, axis=1).max()
    assert most > 1 and said["moved_mm"] == pytest.approx(most, abs=1e-3)
    assert (after.state, after.version, after.corrections) == ("in work", 2, {8: (x, y)})
    assert after.joint_states[8] == "corrected" and after.joint_states.count("proposed") == 20
    with Project.open(folder) as project:
        event = project.history(hand_id)[-1]
        assert (event.who, event.note["joint"]) == ("Ada", "index_tip")
        assert project.verify() == []


def test_corrections_add_up_and_can_be_undone(run, proposed):
    folder, hand_id = proposed
    before, _ = stored(folder, hand_id)
    places = {"thumb_tip": before.keypoints[4] + [-8, 3], "12": before.keypoints[12] + [4, 9]}
    for joint, (x, y) in places.items():
        assert run("correct", folder, hand_id, joint, x, y)[0] == 0
    after, _ = stored(folder, hand_id)
    assert set(after.corrections) == {4, 12}
    for joint, place in places.items():
        assert np.linalg.norm(after.keypoints[joint_index(joint)] - place) < 1.0
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
    assert code == 2 and "not the photo any more" in err
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
