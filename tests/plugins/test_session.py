"""What a person does with a project, without a window."""

from __future__ import annotations

import json
import threading
import time

import numpy as np
import pytest
from napari_hand_mesh.canvas.picture import affine_of, mesh_picture, window_of
from napari_hand_mesh.session.navigation import place
from napari_hand_mesh.session.navigation.place import FILE as PLACE_FILE
from napari_hand_mesh.session.session import Session

from annotator.errors import InputError
from annotator.project import Project, Provenance
from annotator.vision.photos import read_photo


@pytest.fixture
def session(folder):
    opened = Session.open(folder)
    yield opened
    opened.close()


def near(session, joint, by):
    """A place beside a keypoint."""
    return tuple(session.mesh.keypoints[joint] + by)


def off(mesh, joint, place):
    """px from the mesh's joint to a place."""
    return np.linalg.norm(mesh.keypoints[joint] - place)


def test_opens_at_the_hand_the_network_is_least_sure_of(session):
    assert [entry.id for entry in session.queue] == ["signing-0153-1", "signing-0153-2", "signing-0180-1"]
    assert session.hand.id == "signing-0153-1" and session.photo.shape == (1080, 620, 3)
    assert session.progress() == (0, 3)
    assert session.why().strip() and session.worth_correcting() in range(21)


def test_a_preview_moves_the_mesh_and_stores_nothing(session):
    before, version = session.mesh, session.hand.version
    place = near(session, 8, (9, -6))
    seen, pinned = session.preview("index_tip", place), session.preview("index_tip", place, exact=True)
    assert seen.corrections == pinned.corrections == {8: place}
    assert off(seen, 8, place) < off(before, 8, place) and off(pinned, 8, place) < 0.1
    assert np.abs(seen.vertices - before.vertices).max() > 1e-4
    assert session.mesh is before and session.project.hand(session.hand.id).version == version


def test_a_drop_is_one_step_that_undo_and_redo_restore_exactly(session):
    first = session.mesh
    calls = []
    session.listeners.append(lambda: calls.append(session.hand.version))
    place = near(session, 8, (9, -6))
    session.drop(8, place)
    second = session.mesh
    assert calls == [2]
    assert second.corrections == {8: place} and off(second, 8, place) < off(first, 8, place)
    assert session.hand.joint_states[8] == "corrected" and session.hand.state == "in work"
    assert session.queue[0].corrections == 1

    session.undo()
    assert np.array_equal(session.mesh.vertices, first.vertices) and session.hand.state == "proposed"
    assert session.hand.joint_states == ("proposed",) * 21
    session.redo()
    assert np.array_equal(session.mesh.vertices, second.vertices) and session.hand.joint_states[8] == "corrected"

    session.drop(8, place, exact=True)
    assert session.mesh.corrections == {8: place} and off(session.mesh, 8, place) < 0.1
    assert session.project.history(session.hand.id)[-1].note["exact"]


def test_holding_the_others_moves_them_less(session):
    place = near(session, 8, (60, 40))
    start = session.mesh.keypoints
    free, held = (session.preview(8, place, hold) for hold in (False, True))
    others = [k for k in range(21) if k != 8]

    def moved(hand):
        return np.linalg.norm(hand.keypoints - start, axis=1)[others].max()

    assert moved(held) < 0.5 * moved(free)
    session.drop(8, place, hold=True)
    assert session.hand.joint_states[8] == "confirmed" and 8 in session.hand.corrections


def test_confirmed_keypoints_stay_when_another_is_moved(session):
    session.set_joint_state("wrist", "confirmed")
    stays = session.mesh.keypoints[0]
    session.drop(12, near(session, 12, (12, 8)))
    assert np.linalg.norm(session.mesh.keypoints[0] - stays) < 1.0
    assert session.hand.joint_states[0] == "confirmed"


def test_states_toggle_and_a_dragged_keypoint_is_seen_again(session):
    session.set_joint_state(4, "occluded")
    assert session.hand.joint_states[4] == "occluded"
    session.set_joint_state(4, "occluded")
    assert session.hand.joint_states[4] == "proposed"
    session.set_joint_state(4, "out of frame")
    session.drop(4, near(session, 4, (5, 5)))
    assert session.hand.joint_states[4] == "corrected"
    session.set_joint_state(4, "occluded")
    session.set_joint_state(4, "occluded")
    assert session.hand.joint_states[4] == "corrected"  # what it was without being occluded
    session.confirm_all()
    assert sorted(set(session.hand.joint_states)) == ["confirmed", "corrected"]
    session.undo()
    assert session.hand.joint_states.count("proposed") == 20


def test_the_other_depth_looks_the_same_in_the_photo(session):
    before = session.mesh
    for entry in session.queue:
        session.go(entry.id)
        before = session.mesh
        try:
            words = session.other_depth()
            break
        except InputError as error:
            assert "no other hand" in str(error) and session.hand.version == 1
    else:
        pytest.fail("none of three hands has an alternative")
    assert words and session.hand.version == 2
    apart = np.linalg.norm(session.mesh.keypoints - before.keypoints, axis=1).max()
    assert apart < 2.5 * before.crop_size / 224
    depth = (session.mesh.joints - session.mesh.joints[0] - before.joints + before.joints[0])[:, 2]
    assert np.abs(depth).max() > 0.009
    session.undo()
    assert np.array_equal(session.mesh.vertices, before.vertices)


def test_judging_and_the_next_open_hand(session):
    session.set_state("accepted")
    assert session.progress() == (1, 3)
    assert session.next_open() and session.hand.id == "signing-0153-2"
    session.set_state("rejected")
    assert session.next_open() and session.hand.id == "signing-0180-1"
    assert not session.next_open() and not session.next_open(-1)
    assert session.undo() == "signing-0153-2" and session.hand.state == "proposed"
    assert session.next_open(-1) and session.hand.id == "signing-0180-1"


def test_reopening_resumes_where_the_person_was(folder):
    first = Session.open(folder)
    first.go("signing-0180-1")
    first.drop(8, near(first, 8, (7, 7)))
    mesh, states = first.mesh, first.hand.joint_states
    first.close()
    second = Session.open(folder)
    assert second.hand.id == "signing-0180-1" and second.hand.joint_states == states
    assert np.array_equal(second.mesh.vertices, mesh.vertices)
    second.undo()
    assert second.hand.version == 3 and not second.mesh.corrections
    second.close()


def test_a_slow_disk_holds_nobody_up(folder, monkeypatch):
    writers = []
    write = place._write

    def slowly(*given):
        writers.append(threading.current_thread())
        time.sleep(0.2)
        write(*given)

    session = Session.open(folder)
    monkeypatch.setattr(place, "_write", slowly)
    for entry in session.queue:
        session.go(entry.id)
    deadline = time.monotonic() + 30
    while not writers and time.monotonic() < deadline:
        time.sleep(0.01)
    assert writers and threading.main_thread() not in writers
    session.go(session.queue[1].id)
    assert place.read(folder)["hand"] == session.hand.id  # what waits is known
    session.go(session.queue[2].id)
    here = session.hand.id
    session.close()
    assert json.loads((folder / PLACE_FILE).read_text())["hand"] == here
    assert len(writers) <= 4  # what came together was written together


@pytest.mark.parametrize("written", ["", "[]", '{"hand": "gone-1"}', '{"hand": 3}'])
def test_a_damaged_or_outdated_place_is_no_obstacle(folder, written):
    (folder / PLACE_FILE).write_text(written)
    opened = Session.open(folder)
    assert opened.hand.id == "signing-0153-1"
    opened.close()
    assert json.loads((folder / PLACE_FILE).read_text()) == {"hand": "signing-0153-1"}


def test_another_persons_change_is_not_overwritten(session, folder):
    with Project.open(folder) as other:
        other.set_state(session.hand.id, "flagged")
    with pytest.raises(InputError, match="changed meanwhile"):
        session.drop(8, near(session, 8, (7, 7)))


def test_bad_wishes_are_one_clear_line(session, tmp_path):
    with pytest.raises(InputError, match="nothing to undo"):
        session.undo()
    with pytest.raises(InputError, match="unknown joint"):
        session.set_joint_state("elbow", "occluded")
    with pytest.raises(InputError, match="far outside"):
        session.drop(8, (1e7, 0))
    assert session.hand.version == 1
    with pytest.raises(InputError):
        Session.open(tmp_path / "nothing")


def test_the_network_has_its_word_and_labels_stay(model, photo_file, tmp_path):
    """A label within what the network doubts moves the mesh by the solver alone, before and after letting go; one that
    says that the network is wrong is a prompt first. Labels are kept as they were set, confirmed keypoints hold."""
    with Project.create(tmp_path / "own") as project:
        hands = model.propose(read_photo(photo_file))
        project.add_proposals(project.add_photo(photo_file), hands[:1], Provenance("default", model.digest))
    session = Session.open(tmp_path / "own")
    session.model = model
    key, photo, mesh = session.wants_features()
    session.keep_features(key, model.remember(photo, mesh))
    assert session.wants_features() is None
    session.set_joint_state(0, "confirmed")
    assert session.wants_features() is None  # the crop is the same
    before, place = session.mesh, near(session, 8, (9, -6))
    on_the_way = session.preview(8, place)
    session.drop(8, place)
    assert session.mesh.corrections == {8: place} and off(session.mesh, 8, place) < off(before, 8, place)
    assert np.linalg.norm(session.mesh.keypoints[0] - before.keypoints[0]) < 1.5
    assert np.abs(session.mesh.vertices - on_the_way.vertices).max() < 1e-5

    before, far = session.mesh, near(session, 16, (45, 30))
    alone = session.preview(16, far)
    session.drop(16, far)
    assert session.mesh.corrections == {8: place, 16: far}
    assert off(session.mesh, 16, far) < 0.8 * off(before, 16, far)
    assert np.abs(session.mesh.vertices - alone.vertices).max() > 1e-4
    session.drop(16, far, exact=True)
    assert off(session.mesh, 16, far) < 0.5 and off(session.mesh, 8, place) < 0.5
    session.close()


def test_the_picture_of_the_mesh_lies_on_its_keypoints(session):
    hand = session.mesh
    window = window_of(hand)
    alpha = mesh_picture(hand, window)[..., 3]
    assert alpha.shape == (window.pixels, window.pixels) and 0.05 < (alpha > 0).mean() < 0.6
    affine = affine_of(window)
    places = np.c_[hand.keypoints[:, ::-1], np.ones(21)] @ np.linalg.inv(affine).T
    rows, columns = np.rint(places[:, :2]).astype(int).T
    assert (alpha[rows, columns] > 0).mean() > 0.9
    covered = np.c_[np.argwhere(alpha > 0), np.ones((alpha > 0).sum())] @ affine.T
    flat = hand.vertices @ hand.camera.T
    flat = (flat[:, :2] / flat[:, 2:])[:, ::-1]
    pixel = 2 * window.size / window.pixels
    assert np.allclose([covered[:, :2].min(0), covered[:, :2].max(0)], [flat.min(0), flat.max(0)], atol=pixel)


def test_the_picture_stays_while_the_hand_moves_inside_it(session):
    window = window_of(session.mesh)
    assert window_of(session.preview(8, near(session, 8, (6, -4))), window) is window
    far = session.mesh.replace(vertices=session.mesh.vertices + (0.2, 0, 0))
    assert window_of(far, window) is not window


def test_a_drag_keeps_the_subjects_shape(folder):
    import annotator

    model = annotator.load_hand()
    with Project.open(folder) as project:
        project.subjects.assign("Ada", [1])
        project.subjects.measure("Ada", {"length": 0.2})
        shape = project.subjects.shape_for(1)
    with_subject = Session.open(folder)
    assert with_subject.subject.as_dict() == shape.as_dict()
    place = near(with_subject, 8, (9, -6))
    seen = with_subject.preview(8, place)
    with_subject.drop(8, place)
    for mesh in (seen, with_subject.mesh):
        rest = model.joints(model.template + model.shape_directions @ mesh.parameters.shape)[[0, 9, 10, 11, 12]]
        assert np.linalg.norm(np.diff(rest, axis=0), axis=1).sum() == pytest.approx(0.2, abs=0.004)
    with_subject.close()
