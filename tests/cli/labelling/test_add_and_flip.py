"""What the window does beside corrections, without it: a hand by a box, the other side, holding keypoints still."""

from __future__ import annotations

import json

import numpy as np
import pytest

from annotator.project import Project, Provenance
from annotator.vision.photos import read_photo


@pytest.fixture
def proposed(loaded, tmp_path, photo_file):
    """(folder, hand id) of a project with the model's own proposal on a photo."""
    with Project.create(tmp_path / "project") as project:
        (hand_id,) = project.add_proposals(
            project.add_photo(photo_file), loaded.propose(read_photo(photo_file)), Provenance("default", loaded.digest)
        )
    return tmp_path / "project", hand_id


def test_a_hand_is_added_by_its_box_and_undo_takes_it_out(run, proposed, photo_file):
    folder, first = proposed
    with Project.open(folder) as project:
        keypoints = project.hand(first).keypoints
        box = [*(keypoints.min(0) - 20), *(keypoints.max(0) + 20)]
    code, out, err = run("add", folder, photo_file.name, "--box", *box, "--side", "right", "--json")
    said = json.loads(out)
    assert code == 0 and said["side"] == "right" and said["same_place"] == [first] and first in err
    with Project.open(folder) as project:
        hand = project.hand(said["id"])
        off = np.linalg.norm(hand.keypoints - keypoints, axis=1).mean()
        assert off < 0.05 * np.ptp(keypoints, axis=0).max() and hand.state == "proposed"
        assert len(project.photos()) == 1 and np.array_equal(project.mesh(first).camera, hand.K)
        assert project.history(said["id"])[-1].note["box"] == pytest.approx(said["box"], abs=0.01)
    run("undo", folder)
    with Project.open(folder) as project:
        assert project.hand(said["id"]).state == "rejected"


def test_a_photo_that_a_box_was_drawn_on_is_still_looked_at(run, loaded, tmp_path, photo_file):
    with Project.create(tmp_path / "p"):
        pass
    code, out, _ = run("add", tmp_path / "p", photo_file, "--box", 150, 250, 420, 700, "--json")
    assert code == 0 and json.loads(out)["id"] == "signing-0153-1"
    out = run("propose", photo_file, "--project", tmp_path / "p", "--json")[1]
    assert json.loads(out)["photos"] == 1 and json.loads(out)["skipped"] == 0


@pytest.mark.parametrize(
    ("photo", "box", "words"),
    [
        ("signing-0153.jpg", (0, 0, 5, 900), "less than 12 px"),
        ("signing-0153.jpg", (-500, -500, -100, -100), "less than 12 px"),
        ("signing-0153.jpg", ("nan", 0, 5, 5), "four numbers"),
        ("other.jpg", (0, 0, 100, 100), "no photo"),
    ],
)
def test_a_box_that_holds_nothing_is_refused(run, proposed, photo, box, words):
    folder, first = proposed
    code, out, err = run("add", folder, photo, "--box", *box)
    assert (code, out) == (2, "") and words in err and err.count("\n") == 1
    with Project.open(folder) as project:
        assert [entry.id for entry in project.hands()] == [first]


def test_flipping_keeps_what_was_said_of_the_photo(run, proposed):
    folder, hand_id = proposed
    with Project.open(folder) as project:
        before = project.hand(hand_id)
        place = tuple(before.keypoints[8] + (4, -3))
        fixed = project.mesh(hand_id).replace(corrections={8: place})
        project.edit(hand_id, fixed, {8: "corrected", 0: "confirmed", 20: "occluded"})
        wrist = project.hand(hand_id).keypoints[0]
    code, out, _ = run("flip", folder, hand_id, "--json", "--who", "Ada")
    (said,) = json.loads(out)["hands"]
    assert code == 0 and (said["side"], said["kept"]) == ("left", 2)
    with Project.open(folder) as project:
        after = project.hand(hand_id)
        assert after.side == "left" and after.corrections == {0: pytest.approx(wrist), 8: place}
        assert [after.joint_states[k] for k in (8, 0, 20)] == ["corrected", "confirmed", "occluded"]
        assert np.array_equal(after.K, before.K) and project.mesh(hand_id).side == "left"
        assert project.verify() == []
    assert json.loads(run("flip", folder, hand_id, "--side", "left", "--json")[1])["hands"] == []
    assert "is a left hand by Ada; now in work" in run("undo", folder, "--who", "Ada")[1]
    with Project.open(folder) as project:
        assert project.hand(hand_id).side == "right"
    assert json.loads(run("flip", folder, hand_id, "--fresh", "--json")[1])["hands"][0]["kept"] == 0


def test_hold_keeps_the_others_in_place(run, proposed):
    folder, hand_id = proposed
    with Project.open(folder) as project:
        before = project.hand(hand_id).keypoints
    place = before[8] + (14, -10)

    def others(*more) -> float:
        assert run("correct", folder, hand_id, "index_tip", *place, *more)[0] == 0
        with Project.open(folder) as project:
            hand = project.hand(hand_id)
        moved = np.linalg.norm(hand.keypoints - before, axis=1)
        run("undo", folder)
        assert hand.joint_states[8] == ("confirmed" if more else "corrected")
        return float(np.delete(moved, 8).mean())

    assert others("--hold") < others()
    assert run("correct", folder, hand_id, "wrist", "--hold", "--state", "occluded")[0] == 2
