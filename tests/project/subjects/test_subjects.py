"""Subjects in a project: whose photos are whose, what a ruler said, the shape in force; kept as the journal is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.correcting import solve
from annotator.errors import InputError
from annotator.hand.joints import JOINT_NAMES
from annotator.project import Project, Provenance
from annotator.project.statements import Statement, in_force
from annotator.project.storage.sqlite import FILE
from annotator.project.subjects.standing import FIRST

SOURCE = Provenance(model="test checkpoint", model_digest="d" * 64)


@pytest.fixture
def photos(project, sample_photos):
    """Ids of five photos of the project."""
    return project.add_photos(sample_photos[:5])


@pytest.fixture
def labelled(project, photos, make_hand, hand_model):
    """Ids of five hands, one on each photo, four labels in each, some px off where the network has the joints."""
    ids = []
    for seed, photo in enumerate(photos):
        hand = make_hand(seed)
        hand_id = project.add_proposal(photo, hand, SOURCE)
        labels = {k: tuple(hand.keypoints[k] * 1.01) for k in (4, 8, 12, 20)}
        project.edit(hand_id, solve(hand, hand_model, labels).hand)
        ids.append(hand_id)
    return ids


def test_photos_belong_to_who_was_named_last(project, photos):
    assert project.subjects.assign("Ada", photos[:3]) == 3
    assert project.subjects.assign("Ada", photos[:2]) == 0, "said before"
    project.subjects.assign("Bob", photos[2:4])
    assert project.subjects.photos("Ada") == photos[:2] and project.subjects.photos("Bob") == photos[2:4]
    assert project.subjects.of_photo(photos[0]).name == "Ada" and project.subjects.of_photo(photos[4]) is None
    project.subjects.assign("", photos[:1])
    assert project.subjects.of_photo(photos[0]) is None
    assert [one.name for one in project.subjects.all()] == ["Ada", "Bob"]
    assert project.verify() == []


def test_sizes_are_kept_and_taken_away(project, photos):
    project.subjects.assign("Ada", photos)
    project.subjects.measure("Ada", {"length": 0.19})
    project.subjects.measure("Ada", {"width": 0.085})
    assert project.subjects.named("Ada").sizes == {"length": 0.19, "width": 0.085}
    project.subjects.measure("Ada", {"length": None})
    assert project.subjects.named("Ada").sizes == {"width": 0.085}
    assert project.subjects.shape_for(photos[0]).sizes == {"width": 0.085}, "a size alone is worth an estimate"


def test_a_shape_is_estimated_when_enough_was_labelled(project, labelled, photos):
    project.subjects.assign("Ada", photos[:2])
    assert not project.subjects.named("Ada").due and project.subjects.shape_for(photos[0]) is None
    project.subjects.assign("Ada", photos)
    assert project.subjects.named("Ada").labels == 4 * len(labelled) >= FIRST
    first = project.subjects.shape_for(photos[0])
    assert first.hands == len(labelled) and not project.subjects.named("Ada").due
    told = len(project.subjects.history())
    assert project.subjects.shape_for(photos[1]).as_dict() == first.as_dict()
    assert len(project.subjects.history()) == told, "what is known is not estimated again"
    project.subjects.measure("Ada", {"length": 0.2})
    assert project.subjects.named("Ada").due
    again = project.subjects.shape_for(photos[0])
    assert again.sizes == {"length": 0.2} and not np.allclose(again.shape, first.shape)


def test_rejected_hands_say_nothing(project, labelled, photos):
    project.subjects.assign("Ada", photos)
    project.set_state(labelled[0], "rejected")
    assert project.subjects.estimate("Ada").hands == len(labelled) - 1


def test_renewed_meshes_are_offered_and_accepted_hands_left_alone(project, labelled, photos, make_hand):
    bare = project.add_proposal(photos[0], make_hand(9), SOURCE)
    project.set_state(labelled[0], "accepted")
    project.subjects.assign("Ada", photos)
    project.subjects.estimate("Ada")
    offered, accepted = project.subjects.renewals("Ada")
    assert {one.hand for one in offered} == {*labelled[1:], bare} and {one.hand for one in accepted} == {labelled[0]}
    before = {hand: project.mesh(hand) for hand in (*labelled, bare)}
    for one in offered:
        project.subjects.renew(one.hand)
    with pytest.raises(InputError, match="is accepted: it is left as it is"):
        project.subjects.renew(labelled[0])
    assert project.mesh(labelled[0]) == before[labelled[0]]
    assert project.mesh(labelled[1]).corrections == before[labelled[1]].corrections
    assert project.hand(bare).state == "proposed", "a proposal is still one"
    assert not project.subjects.renewals("Ada")[0]
    assert project.verify() == []
    project.undo(labelled[1])
    assert project.mesh(labelled[1]) == before[labelled[1]]


def test_an_estimate_does_not_confirm_itself(project, labelled, photos):
    """Renewed hands are read as the network had them: estimating again from them changes nothing."""
    project.subjects.assign("Ada", photos)
    first = project.subjects.estimate("Ada")
    for one in project.subjects.renewals("Ada")[0]:
        project.subjects.renew(one.hand)
    assert np.allclose(project.subjects.estimate("Ada").shape, first.shape, atol=1e-6)


def test_a_proposal_with_its_subjects_shape_keeps_the_networks_own(project, photos, make_hand, hand_model):
    import annotator

    plain, shape = make_hand(3), annotator.Subject(np.full(10, 0.7), 0.01 * np.eye(10), hand_model.digest)
    told = solve(plain, hand_model, {}, subject=shape).hand
    (with_note,) = project.add_proposals(photos[0], [told], SOURCE, without_subject=[plain])
    (without,) = project.add_proposals(photos[1], [plain], SOURCE)
    for hand_id, mesh in ((with_note, told), (without, plain)):
        labels = {k: tuple(plain.keypoints[k] + 5.0) for k in range(21)}
        project.edit(hand_id, mesh.replace(corrections=labels))
    project.subjects.assign("Ada", [photos[0]])
    project.subjects.assign("Bob", [photos[1]])
    ada, bob = project.subjects.estimate("Ada"), project.subjects.estimate("Bob")
    assert np.allclose(ada.shape, bob.shape, atol=1e-6)


def test_undo_and_redo_of_what_was_said(project, photos):
    project.subjects.assign("Ada", photos[:3])
    project.subjects.assign("Bob", photos[:1])
    assert "Bob" in project.subjects.undo()
    assert project.subjects.photos("Ada") == photos[:3]
    assert "Bob" in project.subjects.redo()
    assert project.subjects.photos("Ada") == photos[1:3]
    project.who = "Eve"
    with pytest.raises(InputError, match="nothing that Eve said"):
        project.subjects.undo()
    with pytest.raises(InputError, match="nothing that Eve undid"):
        project.subjects.redo()


def test_undo_is_about_ones_own_words(project, photos):
    project.subjects.assign("Ada", photos[:1])
    project.who = "Eve"
    project.subjects.assign("Ada", photos[1:2])
    project.who = "Ada"
    project.subjects.undo()
    assert project.subjects.photos("Ada") == photos[1:2]


def test_undo_is_about_what_was_said_not_about_estimates_from_it(project, labelled, photos):
    project.subjects.assign("Ada", photos)
    without = project.subjects.shape_for(photos[0])
    project.subjects.measure("Ada", {"length": 0.215})
    large = project.subjects.shape_for(photos[0])  # estimated again: a statement, too
    assert not np.allclose(large.shape, without.shape, atol=0.1)
    assert project.subjects.undo() == "Ada: sizes"
    assert np.allclose(project.subjects.shape_for(photos[0]).shape, without.shape, atol=1e-6)
    assert project.subjects.redo() == "Ada: sizes"  # though the shape was estimated since
    assert np.allclose(project.subjects.shape_for(photos[0]).shape, large.shape, atol=1e-6)
    for expected in ("Ada: sizes", "Ada: photos"):
        assert project.subjects.undo() == expected


def test_a_shape_goes_with_the_size_that_it_was_made_from(project, photos, make_hand):
    project.add_proposal(photos[0], make_hand(), SOURCE)
    project.subjects.assign("Ada", photos[:1])
    project.subjects.measure("Ada", {"length": 0.215})
    assert project.subjects.shape_for(photos[0]) is not None
    project.subjects.undo()
    assert project.subjects.shape_for(photos[0]) is None


@given(st.lists(st.integers(0, 3), max_size=25))
def test_any_walk_of_words_is_what_a_plain_list_says(steps):
    """0, 1: say; 2: undo the last in force; 3: redo what was undone last."""
    told, plain, undone = [], [], []
    for number, step in enumerate(steps, start=1):
        said = Statement(number, "subject", "photos", str(step), {}, "Ada", "")
        if step < 2:
            plain, undone = [*plain, number], []
            told.append(said)
        elif step == 2 and plain:
            told.append(Statement(number, "subject", "undo", "", {}, "Ada", "", plain[-1]))
            undone.append(plain.pop())
        elif step == 3 and undone:
            told.append(Statement(number, "subject", "redo", "", {}, "Ada", "", undone[-1]))
            plain.append(undone.pop())
    assert [one.id for one in in_force(told)] == sorted(plain)


@pytest.mark.parametrize("column, value", [("who", "'Eve'"), ("document", "'{}'"), ("name", "'Bob'")])
def test_any_change_of_what_was_said_is_found(project, photos, raw, column, value):
    project.subjects.assign("Ada", photos[:1])
    project.subjects.assign("Ada", photos)
    with pytest.raises(Exception, match="only be added to"):
        raw(f"update statements set {column} = {value} where id = 1")
    if project._database.engine.dialect.name == "sqlite":
        raw("drop trigger statements_no_update")
    else:
        raw("drop trigger statements_only_grow on statements")
    raw(f"update statements set {column} = {value} where id = 1")
    (wrong,) = project.verify()
    assert "statement 1" in wrong and "is not what was written" in wrong


def test_what_cannot_be_is_refused_and_nothing_is_stored(project, photos):
    with pytest.raises(InputError, match="no photo 99"):
        project.subjects.assign("Ada", [photos[0], 99])
    for name in ("  ", "a\nb", "x" * 81):
        with pytest.raises(InputError, match="no name for a subject"):
            project.subjects.assign(name, photos[:1])
    with pytest.raises(InputError, match="19000 mm"):
        project.subjects.measure("Ada", {"length": 19.0})
    with pytest.raises(InputError, match="no subject 'Ada'.*none yet"):
        project.subjects.estimate("Ada")
    assert project.subjects.history() == []


def test_subjects_survive_reopening_snapshots_and_repair(sqlite_project, sample_photos, make_hand, tmp_path):
    from annotator.project.safety.repairing import repair

    project = sqlite_project
    photos = project.add_photos(sample_photos[:3])
    project.add_proposal(photos[0], make_hand(), SOURCE)
    project.subjects.assign("Ada", photos)
    project.subjects.measure("Ada", {"length": 0.181})
    shape = project.subjects.estimate("Ada")
    copy = project.snapshot()
    repair(project.folder, tmp_path / "repaired")
    for place in (project.folder, copy, tmp_path / "repaired"):
        with Project.open(place) as opened:
            known = opened.subjects.named("Ada")
            assert known.photos == 3 and known.sizes == {"length": 0.181} and known.shape.as_dict() == shape.as_dict()
            assert opened.verify() == []


def test_a_project_of_before_subjects_is_opened(sqlite_project, sample_photos):
    import sqlite3

    photo = sqlite_project.add_photo(sample_photos[0])
    folder = sqlite_project.folder
    sqlite_project.close()
    with sqlite3.connect(folder / FILE) as database:
        database.execute("drop table statements")
        database.execute("update meta set value = '3' where key = 'schema'")
    database.close()
    with Project.open(folder) as opened:
        opened.subjects.assign("Ada", [photo])
        assert opened.subjects.photos("Ada") == [photo] and opened.verify() == []
    assert (folder / f"{FILE}.version-3").is_file()


def test_a_confirmed_keypoint_is_evidence(project, photos, make_hand):
    hand = make_hand(2)
    hand_id = project.add_proposal(photos[0], hand, SOURCE)
    project.edit(
        hand_id,
        hand.replace(corrections={8: tuple(hand.keypoints[8] + 6)}),
        dict.fromkeys(JOINT_NAMES[9:13], "confirmed"),
    )
    project.subjects.assign("Ada", photos[:1])
    assert project.subjects.estimate("Ada").hands == 1
