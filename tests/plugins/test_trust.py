"""One thing is current everywhere, nothing is lost or judged unseen: the window under a real mouse and real keys."""

from __future__ import annotations

import gc

import numpy as np
import pytest

pytest.importorskip("napari")
pytest.importorskip("qtpy.QtWidgets")

from napari_hand_mesh.docks.frame import typing  # noqa: E402
from napari_hand_mesh.session import verdicts  # noqa: E402
from test_hands import Network  # noqa: E402

from annotator.project import Project, Provenance  # noqa: E402


@pytest.fixture
def network(widget, make_hand):
    widget.background.model = Network(make_hand)
    return widget.background.model


def pull(mouse, widget, start, by):
    """Drag from a place (x, y) photo px by so much, with the real mouse."""
    camera = widget.layers.camera
    for kind, part in (("move", 0), ("press", 0), ("move", 0.3), ("move", 0.6), ("move", 1), ("release", 1)):
        mouse(kind, np.asarray(start) + np.asarray(by) * part, camera)


def settled(widget, wait_until):
    wait_until(lambda: not widget._later.isActive())


def shown_on_canvas(widget):
    """What the canvas shows, told by its own layers: photo and mesh."""
    session, layers = widget.session, widget.layers
    assert np.array_equal(layers.photo.data, session.photo) and layers.hand is session.mesh
    assert all(layer in widget.viewer.layers for layer in layers.all)
    return session.hand.id


def ours(widget):
    return [layer.name for layer in widget.viewer.layers]


NAMES = ["photo", "other hands", "hand mesh", "skeleton", "labels to mesh", "keypoints"]


# -- 1: layers cannot be lost ------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", ["deleted", "all deleted", "renamed", "hidden", "reordered", "replaced"])
def test_a_layer_of_ours_is_made_again_at_once(widget, folder, wait_until, mouse, keyboard, lost):
    widget.open_project(folder)
    settled(widget, wait_until)
    stack, layers = widget.viewer.layers, widget.layers
    if lost == "deleted":
        stack.selection.active = layers.points
        stack.remove_selected()  # what napari's bin does
    elif lost == "all deleted":
        stack.select_all()
        stack.remove_selected()
    elif lost == "renamed":
        layers.points.name = "mine"
    elif lost == "hidden":
        layers.photo.visible = layers.points.visible = False
    elif lost == "reordered":
        stack.move(5, 0)
    else:
        stack.remove(layers.points)
        widget.viewer.add_points(np.zeros((3, 2)), name="keypoints")
    wait_until(lambda: [n for n in ours(widget) if n in NAMES] == NAMES)
    wait_until(lambda: layers.points.visible and layers.photo.visible)
    keyboard("e")
    assert widget.session.project.hand("signing-0153-1").state == "accepted"
    settled(widget, wait_until)
    assert shown_on_canvas(widget) == "signing-0153-2"
    assert "signing-0153-2" in widget.what.text() and widget.history.steps[0].hand == "signing-0153-1"
    start = widget.layers.places[8].copy()
    pull(mouse, widget, start, (9, 6))
    assert 8 in widget.session.mesh.corrections


def test_accept_never_judges_a_hand_that_is_not_on_the_canvas(widget, folder, wait_until, keyboard, monkeypatch):
    widget.open_project(folder)
    settled(widget, wait_until)
    with monkeypatch.context() as broken:
        broken.setattr(widget.layers, "show", lambda *_a, **_k: (_ for _ in ()).throw(RuntimeError("no canvas")))
        with pytest.raises(RuntimeError):
            widget.session.go("signing-0180-1")
    assert widget.session.hand.id == "signing-0180-1"  # while the canvas still shows signing-0153-1
    keyboard("e")
    states = {entry.id: entry.state for entry in widget.session.project.hands()}
    assert set(states.values()) == {"proposed"}
    assert shown_on_canvas(widget) == "signing-0180-1"  # shown now, and said
    assert "look" in widget.status.text()
    keyboard("e")
    assert widget.session.project.hand("signing-0180-1").state == "accepted"


def test_closing_takes_our_layers_in_one_go_and_leaves_those_of_others(widget, folder):
    widget.open_project(folder)
    mine, whole = widget.viewer.add_points(np.zeros((3, 2)), name="mine"), []

    def seen(phase, info):
        if phase == "start" and info["generation"] == 2:
            whole.append(phase)

    gc.callbacks.append(seen)
    widget.close_project()
    gc.callbacks.remove(seen)
    assert list(widget.viewer.layers) == [mine]
    assert len(whole) < 3  # napari's own after each of six layers takes seconds in a large project


# -- 2: photos without a hand ------------------------------------------------------------------------------------


def test_a_photo_without_a_hand_is_shown_whole_and_bare(widget, folder, wait_until, mouse, keyboard, sample_photos):
    bare = next(path for path in sample_photos if path.name not in ("signing-0153.jpg", "signing-0180.jpg"))
    with Project.open(folder) as project:
        project.add_photos([bare])
    widget.open_project(folder)
    settled(widget, wait_until)
    keyboard("q", "Shift")
    settled(widget, wait_until)
    session, layers = widget.session, widget.layers
    assert session.hand is None and session.at.path.name == bare.name
    assert not layers.points.shown.any() and not layers.mesh.data.any() and not layers.skeleton.data.any()
    assert np.array_equal(layers.photo.data, session.photo)
    height, width = session.photo.shape[:2]
    middle = layers.camera.center[-2:]
    assert np.allclose(middle, ((height - 1) / 2, (width - 1) / 2), atol=2)
    layers.camera.zoom /= 6  # whatever lay beside the photo is in sight
    screen = widget.viewer.screenshot(flash=False).astype(int)
    for layer in layers.all[1:]:
        layer.visible = False
    alone = widget.viewer.screenshot(flash=False).astype(int)
    assert (np.abs(screen - alone).max(2) > 10).sum() == 0  # the photo alone, to the last pixel
    keyboard("w")
    settled(widget, wait_until)
    assert shown_on_canvas(widget)


def test_a_photo_that_is_zoomed_into_is_whole_again_when_its_hand_is_gone(widget, folder, wait_until, keyboard):
    widget.open_project(folder)
    widget.session.go("signing-0180-1")
    settled(widget, wait_until)
    zoomed = widget.layers.camera.zoom
    keyboard("r", "Shift")  # it is no hand
    keyboard("q", "Shift")
    assert widget.session.hand is None and widget.session.at.path.name == "signing-0180.jpg"
    assert widget.layers.camera.zoom < zoomed


def test_a_photo_whose_only_hand_was_rejected_is_not_without_a_hand(widget, folder, wait_until, keyboard):
    widget.open_project(folder)
    widget.session.go("signing-0180-1")
    settled(widget, wait_until)
    keyboard("r")  # rejected: somebody looked at it, there is a hand
    keyboard("q", "Shift")
    assert widget.session.hand is not None
    widget.session.go("signing-0180-1")
    keyboard("r", "Shift")
    assert "rejected already" in widget.status.text()
    keyboard("z", "Control")
    keyboard("r", "Shift")  # deleted: there is none
    keyboard("q", "Shift")
    assert widget.session.hand is None and widget.session.at.path.name == "signing-0180.jpg"


# -- 3: caption and side view ------------------------------------------------------------------------------------


def test_everything_names_the_new_hand_as_soon_as_another_project_is_open(
    widget, folder, tmp_path, make_hand, sample_photos, mouse, wait_until
):
    other = next(path for path in sample_photos if path.name not in ("signing-0153.jpg", "signing-0180.jpg"))
    with Project.create(tmp_path / "second") as project:
        project.add_proposals(project.add_photo(other), [make_hand(5)], Provenance("test", "d" * 64))
    widget.open_project(folder)
    settled(widget, wait_until)
    before = widget.side.picture.pixmap().toImage()
    widget.open_project(tmp_path / "second")  # and no turn of Qt's loop
    hand = widget.session.hand.id
    assert hand.startswith(other.stem) and hand in widget.what.text()
    assert widget.side.hand is widget.session.mesh and widget.side.picture.pixmap().toImage() != before
    assert widget.layers.hand is widget.session.mesh
    assert widget.queue.model.row_of(hand) == 0


def test_caption_and_side_view_never_speak_of_the_hand_before(widget, folder, wait_until, mouse, keyboard):
    widget.open_project(folder)
    settled(widget, wait_until)
    widget.session.next_open()  # and no turn of Qt's loop
    assert "signing-0153-2" in widget.what.text() and "signing-0153-1" not in widget.what.text()
    assert widget.side.hand in (None, widget.session.mesh)


# -- 4: a box over a hand ----------------------------------------------------------------------------------------


def box_over(mouse, widget, keyboard):
    keyboard("x", "Shift")
    low, high = widget.session.mesh.keypoints.min(0), widget.session.mesh.keypoints.max(0)
    pull(mouse, widget, low, high - low)


@pytest.mark.parametrize("answer", ["replace", "second", "cancel"])
def test_a_box_over_a_hand_asks_what_is_meant(widget, folder, network, mouse, keyboard, wait_until, answer):
    from qtpy.QtWidgets import QMessageBox

    widget.open_project(folder)
    settled(widget, wait_until)
    widget.session.drop(8, tuple(widget.session.mesh.keypoints[8] + 5))
    settled(widget, wait_until)
    version = widget.session.hand.version
    box_over(mouse, widget, keyboard)
    (question,) = [one for one in widget.findChildren(QMessageBox) if one.isVisible()]
    assert "signing-0153-1" in question.text() and network.asked == []
    button = {b.text().replace("&", "").split()[0].lower(): b for b in question.buttons()}[answer]
    button.click()
    if answer == "cancel":
        assert network.asked == [] and len(widget.session.queue) == 3
        return
    wait_until(lambda: widget.session.hand.version != version or widget.session.hand.id != "signing-0153-1")
    stored = widget.session.project.hand("signing-0153-1")
    if answer == "replace":
        assert widget.session.hand.id == "signing-0153-1" and len(widget.session.queue) == 3
        assert 8 in stored.corrections  # what a person set is kept
        assert stored.version == version + 1
        keyboard("z", "Control")
        assert widget.session.project.hand("signing-0153-1").joint_states[8] == "corrected"
    else:
        assert widget.session.hand.id == "signing-0153-3" and stored.version == version


# -- 5: the other side -------------------------------------------------------------------------------------------


def test_the_other_side_keeps_what_a_person_said_of_the_photo_and_says_so(
    widget, folder, network, keyboard, wait_until, mouse
):
    widget.open_project(folder)
    settled(widget, wait_until)
    session = widget.session
    session.drop(8, tuple(session.mesh.keypoints[8] + (6, 4)))
    session.set_joint_state(4, "occluded")
    session.set_joint_state(12, "confirmed")
    label, right = session.mesh.corrections[8], session.mesh.keypoints[12]
    keyboard("s", "Shift")
    wait_until(lambda: session.hand.side == "left")
    assert set(session.mesh.corrections) == {8, 12} and session.mesh.corrections[8] == label
    assert np.allclose(session.mesh.corrections[12], right)
    states = session.hand.joint_states
    assert (states[8], states[4], states[12]) == ("corrected", "occluded", "confirmed")
    said = widget.status.text()
    assert "1 label kept, 1 confirmed keypoint kept, 1 unseen joint kept" in said
    keyboard("z", "Control")
    assert session.hand.side == "right" and session.hand.joint_states[12] == "confirmed"


# -- 6: keys -----------------------------------------------------------------------------------------------------


def test_keys_typed_elsewhere_judge_nothing(widget, folder, keyboard, wait_until, canvas, monkeypatch):
    monkeypatch.setattr(typing, "TEXT", 60.0)  # s: a busy machine types slowly
    widget.open_project(folder)
    settled(widget, wait_until)
    session = widget.session
    widget.search.setFocus()
    keyboard("freihand")
    assert {entry.state for entry in session.project.hands()} == {"proposed"}
    assert widget.search.text() == "freihand"
    widget.asking.setFocus()  # the button of a form that did not open
    keyboard("fert")
    assert {entry.state for entry in session.project.hands()} == {"proposed"}
    canvas().setFocus()
    keyboard("handmesher")  # letters that are no keys of ours: this is being typed
    assert {entry.state for entry in session.project.hands()} == {"proposed"}
    assert "typed" in widget.status.text()
    widget.typing.forget()
    keyboard("e")
    assert session.project.hand("signing-0153-1").state == "accepted"


def test_verdict_keys_work_from_the_queue_and_the_canvas(widget, folder, keyboard, wait_until, canvas):
    widget.open_project(folder)
    settled(widget, wait_until)
    widget.queue.table.setFocus()
    keyboard("e")
    canvas().setFocus()
    keyboard("r")
    states = {entry.id: entry.state for entry in widget.session.project.hands()}
    assert states["signing-0153-1"] == "accepted" and states["signing-0153-2"] == "rejected"


def test_a_burst_of_verdicts_is_shown_and_taken_back_as_one(widget, folder, keyboard, wait_until, mouse, monkeypatch):
    monkeypatch.setattr(verdicts, "WITHIN", 60.0)  # s: a busy machine judges slowly
    widget.open_project(folder)
    settled(widget, wait_until)
    session = widget.session
    keyboard("ere")
    states = {entry.id: entry.state for entry in session.project.hands()}
    assert sorted(states.values()) == ["accepted", "accepted", "rejected"]
    assert widget.verdicts.burst.isVisible() and "3 verdicts" in widget.verdicts.burst.text()
    widget.verdicts.burst.click()
    assert {entry.state for entry in session.project.hands()} == {"proposed"}
    assert session.hand.id == "signing-0153-1" and not widget.verdicts.burst.isVisible()


# -- 7: whatever layer is selected -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["photo", "hand mesh", None, "foreign"])
def test_a_first_drag_takes_the_keypoint_whatever_layer_is_selected(widget, folder, mouse, wait_until, name):
    widget.open_project(folder)
    settled(widget, wait_until)
    stack, camera = widget.viewer.layers, widget.layers.camera
    if name == "foreign":
        stack.selection.active = widget.viewer.add_image(np.zeros((4, 4)), name=name)
    elif name is None:
        stack.selection.active = None
    else:
        stack.selection.active = stack[name]
    view = camera.center, camera.zoom
    pull(mouse, widget, widget.layers.places[8].copy(), (11, -7))
    assert 8 in widget.session.mesh.corrections and (camera.center, camera.zoom) == view
    pull(mouse, widget, widget.layers.places.min(0) - 12, (30, 12))  # beside every keypoint the photo moves
    wait_until(lambda: camera.center != view[0], timeout=10_000)
    assert widget.session.hand.version == 2


def test_verdicts_of_letters_that_were_typed_fast_are_taken_back(widget, folder, keyboard, wait_until, monkeypatch):
    monkeypatch.setattr(typing, "FAST", 60.0)
    monkeypatch.setattr(verdicts, "WITHIN", 60.0)
    widget.open_project(folder)
    settled(widget, wait_until)
    keyboard("reh")  # two verdicts, then a letter that is no key of ours: "rehearsal"
    assert {entry.state for entry in widget.session.project.hands()} == {"proposed"}
    assert "typed" in widget.status.text()
