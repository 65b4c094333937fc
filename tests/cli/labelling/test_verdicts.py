"""Verdicts on many hands at once, steps back and forth, and the list of what was done."""

from __future__ import annotations

import json

import pytest

from annotator.project import Project, Provenance


@pytest.fixture
def many(tmp_path, sample_photos, make_hand):
    """(folder, ids) of nine hands on three photos: two proposed, one accepted on each."""
    with Project.create(tmp_path / "project", who="Ada") as project:
        for at, photo in enumerate(project.add_photos(sample_photos[:3])):
            hands = [make_hand(10 * at + k).replace(confidence=c) for k, c in enumerate((0.9, 0.5, 0.95))]
            ids = project.add_proposals(photo, hands, Provenance("test", "d" * 64))
            project.set_state(ids[2], "accepted", note={"state": "accepted"})
        return tmp_path / "project", [entry.id for entry in project.hands()]


def states(folder) -> dict[str, str]:
    with Project.open(folder) as project:
        return {entry.id: entry.state for entry in project.hands()}


def test_a_pattern_means_the_open_hands_that_the_filters_let_through(run, many):
    folder, ids = many
    before = states(folder)
    said = json.loads(run("reject", folder, "*", "--min-confidence", "0.8", "--dry-run", "--json")[1])
    assert states(folder) == before and said["dry_run"] and len(said["hands"]) == 3
    code, out, _ = run("reject", folder, "*", "--min-confidence", "0.8", "--json", "--who", "Eve")
    said = json.loads(out)
    assert code == 0 and [one["id"] for one in said["hands"]] == ids[0::3]
    assert [one["id"] for one in said["left_out"]] == ids[2::3] and "accepted already" in said["left_out"][0]["why"]
    assert states(folder) == before | dict.fromkeys(ids[0::3], "rejected")
    run("flag", folder, "*", "--state", "accepted", "--who", "Eve")
    assert [states(folder)[one] for one in ids[2::3]] == ["flagged"] * 3
    assert run("undo", folder, "--batch", "--who", "Eve")[0] == 0
    code, out, _ = run("undo", folder, "--batch", "--json", "--who", "Eve")
    assert [one["id"] for one in json.loads(out)["hands"]] == ids[0::3] and states(folder) == before
    assert {one["step"] for one in json.loads(out)["hands"]} == {"rejected"}
    assert run("redo", folder, "--batch", "--who", "Eve")[1].count("did again: rejected by Eve") == 3


def test_photos_choose_hands(run, many, sample_photos):
    folder, ids = many
    assert run("delete", folder, "*", "--photo", sample_photos[1].name)[0] == 0
    assert [one for one, state in states(folder).items() if state == "rejected"] == ids[3:5]
    assert run("reject", folder, "*", "--photo", "no such photo", "--json")[0] == 0
    code, _, err = run("reject", folder, "nobody-*")
    assert code == 2 and "is called like 'nobody-*'" in err
    code, _, err = run("reject", folder, "*", "--state", "asleep")
    assert code == 2 and "unknown hand state" in err


def test_hands_that_may_not_be_accepted_are_left_out_of_a_pattern_and_stop_a_name(run, many, make_hand):
    folder, ids = many
    with Project.open(folder) as project:
        mesh = project.mesh(ids[0])
        far = tuple(mesh.keypoints[8] + 400)
        project.edit(ids[0], mesh.replace(corrections={8: far}))
        project.lease(ids[3])
    code, _, err = run("accept", folder, ids[0], ids[1], "--who", "Eve")
    assert code == 2 and "strained" in err and states(folder)[ids[1]] == "proposed"
    said = json.loads(run("accept", folder, "*", "--json", "--who", "Eve")[1])
    why = {one["id"]: one["why"] for one in said["left_out"]}
    assert "strained" in why[ids[0]] and "in work by" in why[ids[3]]
    assert states(folder)[ids[1]] == "accepted" and states(folder)[ids[0]] == "in work"


def test_undo_says_what_it_took_back_and_history_lists_it(run, many):
    folder, ids = many
    run("accept", folder, ids[0], ids[1], "--who", "Ada")
    code, out, _ = run("undo", folder, "--who", "Ada")
    assert code == 0 and "took back: accepted by Ada; now proposed" in out and "undo --batch" in out
    run("undo", folder, "--who", "Ada")
    run("delete", folder, ids[0], "--who", "Bea")
    steps = json.loads(run("history", folder, ids[0], "--json")[1])["steps"]
    assert [(one["words"], one["who"], one["undone"]) for one in steps] == [
        ("deleted", "Bea", False),
        ("accepted", "Ada", True),
    ]
    assert "proposed by test" in run("history", folder, ids[0])[1]
    everything = json.loads(run("history", folder, "--json", "--limit", "0")[1])["steps"]
    assert len(everything) == 6 and [one["seq"] for one in everything] == sorted(
        (one["seq"] for one in everything), reverse=True
    )
    assert run("history", folder, "nobody")[0] == 2
    assert run("undo", folder, ids[0], "--batch")[0] == 2


def test_confirm_leaves_what_a_person_said(run, many):
    folder, ids = many
    with Project.open(folder) as project:
        project.edit(ids[0], None, {3: "occluded"})
    code, out, _ = run("confirm", folder, ids[0], "--json")
    assert code == 0 and json.loads(out)["hands"][0]["confirmed"] == 20
    with Project.open(folder) as project:
        known = project.hand(ids[0]).joint_states
    assert known[3] == "occluded" and known.count("confirmed") == 20


def test_status_by_photo(run, many, sample_photos):
    folder, _ = many
    with Project.open(folder) as project:
        bare = project.add_photo(sample_photos[5])
    found = json.loads(run("status", folder, "--by-photo", "--json")[1])["by_photo"]
    assert [one["hands"] for one in found] == [3, 3, 3, 0] and found[3]["id"] == bare
    assert found[0]["states"] == {"proposed": 2, "accepted": 1}
    assert len(json.loads(run("status", folder, "--by-photo", "--state", "accepted", "--json")[1])["by_photo"]) == 3
    out = run("status", folder, "--by-photo")[1]
    assert "2 proposed, 1 accepted" in out and f"{sample_photos[5].name}" in out and "no hand" in out
    assert len(json.loads(run("status", folder, "*-2", "--json")[1])["hands"]) == 3
