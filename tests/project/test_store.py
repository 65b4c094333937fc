"""The store's promises, one by one: what goes in comes out, states, provenance, several writers, resuming."""

from __future__ import annotations

import shutil
import threading

import numpy as np
import pytest
from sqlalchemy.exc import DBAPIError

from annotator.errors import InputError
from annotator.hand.mesh import ParametricEstimate
from annotator.project import Project, Provenance
from annotator.vision.photos import photo_hash


@pytest.mark.parametrize("side", ["right", "left"])
def test_the_mesh_comes_back(project, photo_file, make_hand, source, side):
    mesh = make_hand(3, side, corrections={"index_tip": (101.25, 99.1), 0: (7, 8)})
    hand_id = project.add_proposal(project.add_photo(photo_file), mesh, source)
    again = project.mesh(hand_id)
    assert np.abs(again.vertices - mesh.vertices).max() < 1e-6
    assert np.abs(again.keypoints - mesh.keypoints).max() < 1e-3
    assert np.abs(again.keypoint_sigma - mesh.keypoint_sigma).max() < 1e-5
    assert (again.side, again.corrections) == (side, {0: (7.0, 8.0), 8: (101.25, 99.1)})
    np.testing.assert_array_equal(again.faces, mesh.faces)
    stored = project.hand(hand_id)
    np.testing.assert_array_equal(stored.keypoints, again.keypoints)
    np.testing.assert_array_equal(project.mesh(hand_id).vertices, again.vertices)  # rebuilt the same every time


def test_a_mesh_its_parameters_do_not_give_is_refused(project, photo_file, make_hand, source):
    mesh = make_hand(3)
    moved = mesh.replace(vertices=mesh.vertices + (0.001, 0, 0))
    with pytest.raises(InputError, match="1.00 mm from what its parameters give"):
        project.add_proposal(project.add_photo(photo_file), moved, source)
    assert project.hands() == []


def test_proposal_is_only_a_proposal(project, hand_id, photo_file, hand_model):
    hand = project.hand(hand_id)
    assert (hand.state, hand.joint_states, hand.version) == ("proposed", ("proposed",) * 21, 1)
    assert hand.photo.path == photo_file and (hand.photo.height, hand.photo.width) == (1080, 620)
    assert hand.provenance["model_digest"] == "d" * 64
    assert hand.provenance["hand_model_digest"] == hand_model.digest
    assert hand.provenance["photo_sha256"] == photo_hash(photo_file)
    assert hand.provenance["code_version"]


def test_ids_say_where_the_hand_is(project, sample_photos, make_hand, source):
    two = next(path for path in sample_photos if path.stem == "two-hands")
    ids = project.add_proposals(project.add_photo(two), [make_hand(1), make_hand(2, "left")], source)
    assert ids == ["two-hands-1", "two-hands-2"]
    assert [(hand.id, hand.side) for hand in project.hands()] == [(ids[0], "right"), (ids[1], "left")]


def test_edit_marks_what_a_person_did(project, hand_id, make_hand):
    project.set_state(hand_id, "accepted")
    project.edit(hand_id, make_hand(1, corrections={8: (50, 60)}), {"little_tip": "occluded"})
    hand = project.hand(hand_id)
    assert hand.state == "in work"  # what was accepted is another mesh
    assert hand.joint_states[8] == "corrected" and hand.joint_states[20] == "occluded"
    assert set(hand.joint_states[:8]) == {"proposed"}
    project.edit(hand_id, make_hand(2))  # the correction is gone
    assert project.hand(hand_id).joint_states[8] == "proposed"
    assert [event.kind for event in project.history(hand_id)] == ["propose", "state", "edit", "edit"]
    assert {event.who for event in project.history(hand_id)} == {"Ada"}


def test_undo_and_redo_survive_reopening(project, hand_id, make_hand):
    meshes = [make_hand(seed, corrections={seed: (seed, 2.5)}) for seed in (1, 2)]
    for mesh in meshes:
        project.edit(hand_id, mesh)
    project.close()
    with Project.open(project.folder, who="Ada") as again:
        assert again.undo(hand_id) == hand_id
        assert again.hand(hand_id).corrections == {1: (1.0, 2.5)}
        assert again.undo() == hand_id
        assert again.hand(hand_id).state == "proposed"
        with pytest.raises(InputError, match="nothing to undo"):
            again.undo(hand_id)
    with Project.open(project.folder, who="Ada") as again:
        again.redo()
        again.redo()
        assert again.hand(hand_id).corrections == {2: (2.0, 2.5)}
        with pytest.raises(InputError, match="nothing to redo"):
            again.redo()
        assert again.verify() == []


def test_project_wide_undo_takes_the_newest_change(project, photo_file, make_hand, source):
    first, second = project.add_proposals(project.add_photo(photo_file), [make_hand(1), make_hand(2)], source)
    project.set_state(first, "accepted")
    project.set_state(second, "rejected")
    project.set_state(first, "flagged")
    assert [project.undo(), project.undo(), project.undo()] == [first, second, first]
    assert {hand.state for hand in project.hands()} == {"proposed"}
    assert [project.redo(), project.redo(), project.redo()] == [first, second, first]
    assert [hand.state for hand in project.hands()] == ["flagged", "rejected"]


def test_a_change_on_an_old_version_is_refused(project, hand_id, make_hand):
    version = project.hand(hand_id).version
    project.set_state(hand_id, "accepted", version=version)
    with pytest.raises(InputError, match="changed meanwhile"):
        project.edit(hand_id, make_hand(1), version=version)
    assert project.hand(hand_id).state == "accepted"


def test_setting_the_same_state_again_is_no_event(project, hand_id):
    assert project.set_state(hand_id, "accepted") == project.set_state(hand_id, "accepted") == 2


def test_resume(project, photo_file, sample_photos, source):
    digest = photo_hash(photo_file)
    assert not project.has_photo(digest)
    photo = project.add_photo(photo_file)
    assert project.has_photo(digest) and not project.has_photo(digest, source.model_digest)
    assert project.add_proposals(photo, [], source) == []  # no hand found: not looked at again
    assert project.has_photo(digest, source.model_digest)
    assert not project.has_photo(digest, "another model")
    assert project.status()["looked_at"] == 1


def test_the_same_content_is_the_same_photo(project, photo_file, tmp_path):
    copy = shutil.copy(photo_file, tmp_path / "copy of it.jpg")
    assert project.add_photo(photo_file) == project.add_photo(copy)


def test_photos_that_moved_with_the_project_are_found(tmp_path, photo_file):
    (tmp_path / "before" / "photos").mkdir(parents=True)
    copy = shutil.copy(photo_file, tmp_path / "before" / "photos")
    with Project.create(tmp_path / "before" / "project") as project:
        photo = project.add_photo(copy)
    (tmp_path / "before").rename(tmp_path / "näch her")
    with Project.open(tmp_path / "näch her" / "project") as project:
        assert project.photo(photo).path == tmp_path / "näch her" / "photos" / photo_file.name


def test_list_by_state_photo_and_page(project, sample_photos, make_hand, source):
    photos = project.add_photos(sample_photos[:2])
    ids = [project.add_proposal(photo, make_hand(k), source) for k, photo in enumerate(photos * 2)]
    project.set_state(ids[1], "accepted")
    assert [hand.id for hand in project.hands("accepted")] == [ids[1]]
    assert [hand.id for hand in project.hands(["proposed", "accepted"])] == ids
    assert [hand.id for hand in project.hands(photo=photos[0])] == [ids[0], ids[2]]
    page = project.hands(limit=3)
    assert [hand.id for hand in project.hands(after=page[-1].number)] == ids[3:]
    assert project.status()["states"]["proposed"] == 3


def test_two_writers_lose_nothing(project, hand_id):
    """Two connections, many changes each, at the same time."""

    def work(states):
        with Project.open(project.folder) as mine:
            for _ in range(20):
                for state in states:
                    mine.set_state(hand_id, state)

    threads = [threading.Thread(target=work, args=(s,)) for s in (("accepted", "flagged"), ("rejected", "in work"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = project.history(hand_id)
    # a state already in force is no event; every other change of the 80 is there, numbered without a gap
    assert 40 <= len(history) - 1 <= 80
    assert [event.version for event in history] == list(range(1, len(history) + 1))
    assert project.verify() == []


def test_an_edit_is_small(project, hand_id, make_hand, raw):
    for seed in range(5):
        project.edit(hand_id, make_hand(seed, corrections={seed: (seed, 1.5)}))  # every number changes: the worst case
    sizes = [size for (size,) in raw("select length(delta) from events where kind = 'edit'")]
    assert len(sizes) == 5 and max(sizes) < 2000


def test_the_journal_cannot_be_changed(project, hand_id, raw):
    for statement in ("update events set who = 'nobody'", "delete from events", "delete from reviews"):
        if "reviews" in statement:
            project.set_state(hand_id, "accepted")
            project.who = "Bob"
            project.review(hand_id, True)
        with pytest.raises(DBAPIError, match="only be added to"):
            raw(statement)


def test_verify_finds_a_changed_record(project, hand_id, raw):
    raw("update hands set state = 'accepted'")
    assert len(project.verify()) == 1 and hand_id in project.verify()[0]
    ((record,),) = raw("select record from records")
    raw("update records set record = :record", record=b"\x01" + bytes(record)[1:])
    assert len(project.verify()) == 1 and hand_id in project.verify()[0]


def test_unknown_things_are_named(project, hand_id, make_hand):
    for call, text in (
        (lambda: project.hand("nobody"), "no hand 'nobody'"),
        (lambda: project.photo(99), "no photo 99"),
        (lambda: project.set_state(hand_id, "fine"), "unknown hand state 'fine'"),
        (lambda: project.edit(hand_id, joint_states={"index_tip": "fine"}), "unknown joint state 'fine'"),
        (lambda: project.edit(hand_id, joint_states={"sixth": "occluded"}), "unknown joint 'sixth'"),
        (lambda: project.edit(hand_id, joint_states=["occluded"]), "expected 21 joint states"),
        (lambda: project.edit(hand_id), "needs a mesh"),
        (lambda: project.add_proposal(1, make_hand(), Provenance("", "")), "needs its model's digest"),
    ):
        with pytest.raises(InputError, match=text):
            call()
    assert project.hand(hand_id).version == 1


def test_the_parametric_stage_comes_back_if_it_gave_its_parameters(project, photo_file, make_hand, source):
    class WithParameters(ParametricEstimate):
        parameters = None

    mesh = make_hand(5, "left")
    first = WithParameters(mesh.parametric.vertices, mesh.parametric.joints, mesh.parametric.keypoints)
    offsets = np.zeros_like(mesh.parameters.offsets)
    object.__setattr__(first, "parameters", mesh.parameters.replace(offsets=offsets))
    photo = project.add_photo(photo_file)
    with_it, without = project.add_proposals(photo, [mesh.replace(parametric=first), mesh], source)
    assert np.abs(project.mesh(with_it).parametric.vertices - mesh.parametric.vertices).max() < 1e-6
    assert np.abs(project.mesh(with_it).parametric.keypoints - mesh.parametric.keypoints).max() < 1e-3
    assert project.mesh(without).parametric is None
