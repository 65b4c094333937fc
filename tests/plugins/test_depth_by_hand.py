"""Depth by a real mouse in the side view: joints pulled along their line of sight, put in order, taken back."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari")
pytest.importorskip("qtpy.QtWidgets")

from napari_hand_mesh.session.session import Session  # noqa: E402

from annotator.correcting import solve  # noqa: E402
from annotator.hand.depth_labels import depths_from_palm, palm_depth  # noqa: E402

TIP = 12


@pytest.fixture
def side_mouse(widget, canvas, request):
    """side_mouse(kind, (x, y) px of the picture from the side, modifier=""): an event of the window system there; kind
    may be "wheel" (one notch towards it)."""
    from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
    from qtpy.QtGui import QMouseEvent, QWheelEvent
    from qtpy.QtWidgets import QApplication

    qtbot = request.getfixturevalue("qtbot")
    kinds = {
        "move": QEvent.Type.MouseMove,
        "press": QEvent.Type.MouseButtonPress,
        "release": QEvent.Type.MouseButtonRelease,
    }
    held = Qt.MouseButton.NoButton

    def send(kind, place, modifier="No"):
        nonlocal held
        picture = widget.side.picture
        modifiers = getattr(Qt.KeyboardModifier, f"{modifier}Modifier")
        across = QPointF(picture.mapToGlobal(QPoint(0, 0))) + QPointF(*place)
        if kind == "wheel":
            notch, none = QPoint(0, 120), Qt.MouseButton.NoButton
            phase = Qt.ScrollPhase.NoScrollPhase
            event = QWheelEvent(QPointF(*place), across, QPoint(), notch, none, modifiers, phase, False)
        else:
            left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
            held = {"move": held, "press": left, "release": none}[kind]
            button = none if kind == "move" else left
            event = QMouseEvent(kinds[kind], QPointF(*place), across, button, held, modifiers)
        QApplication.sendEvent(picture, event)
        qtbot.wait(20)

    return send


def pull(side_mouse, start, end, modifier="No"):
    start, end = np.asarray(start, float), np.asarray(end, float)
    side_mouse("move", start, modifier)
    side_mouse("press", start, modifier)
    for part in (0.3, 0.6, 1.0):
        side_mouse("move", start + (end - start) * part, modifier)


@pytest.fixture
def opened(widget, folder, canvas, wait_until):
    widget.open_project(folder)
    wait_until(lambda: widget.side.hand is widget.session.mesh and widget.side.picture.isVisible())
    widget.swap_views()  # as large as the photo
    wait_until(lambda: widget.side.picture.width() > 300)
    return widget


def test_a_joint_is_pulled_along_its_line_of_sight_and_keeps_its_place_in_the_photo(opened, side_mouse, wait_until):
    widget, session, picture = opened, opened.session, opened.side.picture
    before, version = session.mesh, session.hand.version
    joint = before.joints[TIP]
    start = picture.places()[TIP]
    along = picture.view().sight(joint)
    side_mouse("move", start)
    assert picture.hovered == TIP and widget.viewer.status.startswith("middle tip")
    pull(side_mouse, start, start - 0.02 * along)
    assert session.hand.version == version and widget.layers.hand is not before  # seen on the canvas, not stored
    side_mouse("release", start - 0.02 * along)
    assert session.hand.version == version + 1 and "middle tip nearer by" in widget.status.text()
    said = session.hand.depth_labels.from_palm[TIP]
    assert said == pytest.approx(depths_from_palm(before.joints)[TIP] - 0.02, abs=0.001)  # a pixel is 0.3 mm or so
    moved = depths_from_palm(session.mesh.joints) - depths_from_palm(before.joints)
    assert moved[TIP] < -0.01
    assert np.linalg.norm(session.mesh.keypoints[TIP] - before.keypoints[TIP]) < 0.05 * before.crop_size
    wait_until(lambda: widget.side.evidence.isVisible())
    assert widget.side.evidence.list.item(0).text().startswith("✕ middle tip: ")
    with Session.open(session.project.folder).project as project:  # on the disk
        assert project.hand(session.hand.id).depth_labels.from_palm[TIP] == said
    # the marker stays where it was put; from there it is pulled on
    place = picture.places()[TIP]
    assert np.linalg.norm(place - picture._on_widget(picture._handles())[TIP]) < 1e-6
    item = widget.side.evidence.list.item(0)
    widget.side.evidence.list.itemClicked.emit(item)
    assert not session.hand.depth_labels and "taken back" in widget.status.text()
    plain = solve(before, session.hand_model, {}, session.hand.joint_states, definition=session.definition).hand
    assert np.abs(session.mesh.joints - plain.joints).max() < 1e-4  # as if nobody had said it
    widget.act("undo")
    assert session.hand.depth_labels.from_palm == {TIP: said}
    widget.act("undo")
    assert np.array_equal(session.mesh.vertices, before.vertices) and not session.hand.depth_labels


def test_with_shift_the_whole_hand_comes_nearer(opened, side_mouse):
    session, picture = opened.session, opened.side.picture
    before = session.mesh
    start = picture.places()[TIP]
    end = start - 0.06 * picture.view().sight(before.joints[TIP])
    pull(side_mouse, start, end, "Shift")
    side_mouse("release", end, "Shift")
    assert session.hand.depth_labels.distance == pytest.approx(palm_depth(before.joints) - 0.06, abs=0.002)
    assert not session.hand.depth_labels.from_palm
    moved = session.mesh.joints[:, 2] - before.joints[:, 2]
    assert (moved < -0.03).all() and np.ptp(moved) < 0.02
    assert np.linalg.norm(session.mesh.keypoints - before.keypoints, axis=1).max() < 0.05 * before.crop_size


def test_the_view_turns_zooms_and_says_where_depth_is_not_seen(opened, side_mouse):
    picture, version = opened.side.picture, opened.session.hand.version
    yaw = picture.yaw
    corner = np.array([4.0, 4.0])
    pull(side_mouse, corner, corner + (30, 0))
    side_mouse("release", corner + (30, 0))
    assert picture.yaw != yaw and opened.session.hand.version == version
    opened.side.turn_to(90, 0)
    there = picture.places()[TIP]
    side_mouse("wheel", there)
    assert picture.zoom > 1 and np.linalg.norm(picture.places()[TIP] - there) < 1
    opened.side.turn_to(0, 0)
    there = picture.places()[TIP]
    pull(side_mouse, there, there + (40, 10))
    side_mouse("release", there + (40, 10))
    assert "turn the hand" in opened.status.text() and opened.session.hand.version == version


@pytest.mark.parametrize("by_keys", [False, True])
def test_two_clicks_put_a_joint_in_front_of_another(opened, mouse, side_mouse, by_keys):
    widget, session, layers = opened, opened.session, opened.layers
    depths = depths_from_palm(session.mesh.joints)
    near, far = (4, 8) if depths[4] > depths[8] else (8, 4)  # as it is not yet
    version = session.hand.version
    if by_keys:
        for joint in (near, far):
            widget.choose_joint(joint)
            widget.press("in_front")
    else:
        widget.press("in_front")
        assert "in front" in widget.status.text()
        mouse("press", layers.places[near], layers.camera)
        mouse("release", layers.places[near], layers.camera)
        assert session.hand.version == version and widget.side.picture.picked == [near]
        place = widget.side.picture.places()[far]
        side_mouse("press", place)
        side_mouse("release", place)
    assert session.hand.version == version + 1 and session.hand.depth_labels.in_front == ((near, far),)
    after = depths_from_palm(session.mesh.joints)
    assert after[near] - after[far] < depths[near] - depths[far]
    assert widget.dragging.picking is None
    widget._finish()
    assert " tip in front of " in widget.history.steps[0].words
    widget.act("undo")
    assert not session.hand.depth_labels
    widget.press("in_front")
    widget.press("leave_joint")
    assert widget.dragging.picking is None


def test_hands_that_look_the_same_are_ghosts_to_choose_from(opened, side_mouse, wait_until):
    widget, picture = opened, opened.side.picture
    widget.press("show_alternatives")
    wait_until(lambda: len(picture._ghosts) > 0)
    ghost = picture._ghosts[0]
    places = picture._on_widget(ghost.joints)
    apart = np.linalg.norm(places[:, None] - picture.places()[None], axis=2).min(1)
    others = [picture._on_widget(one.joints) for one in picture._ghosts[1:]]
    joint = int(apart.argmax())
    if apart[joint] > 25 and all(np.linalg.norm(one - places[joint], axis=1).min() > 5 for one in others):
        side_mouse("press", places[joint])
        side_mouse("release", places[joint])
        assert widget.depths.list.currentRow() == 1 and picture._looked_at == 0
        assert np.array_equal(widget.side.hand.vertices, ghost.vertices)
    widget.depths.close_list()
    assert picture._ghosts == ()
