"""The window's layout, how things are drawn, and the list of hands: for screens of 1280 x 800 and more."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari")
pytest.importorskip("qtpy.QtWidgets")

from napari_hand_mesh.canvas.markers import FINGERS, LOOKS, RINGS, SIZE  # noqa: E402
from napari_hand_mesh.canvas.picture import STYLES  # noqa: E402
from napari_hand_mesh.canvas.tones import Tones  # noqa: E402
from napari_hand_mesh.docks.frame.layout import NAPARI, dock_of  # noqa: E402
from napari_hand_mesh.session.navigation.hand_queue import OPEN  # noqa: E402
from qtpy.QtCore import QPoint, Qt  # noqa: E402
from qtpy.QtWidgets import QDockWidget, QLabel, QMessageBox, QWidget  # noqa: E402
from window_steps import press, pull, settled  # noqa: E402

from annotator.hand.joint_states import JOINT_STATES  # noqa: E402
from annotator.project import Project  # noqa: E402


@pytest.fixture
def small(widget, canvas, folder, wait_until):
    """The main window is 1280 x 800, with a project open. (It is not handed on: napari looks for who still has it.)"""
    widget.open_project(folder)
    window = widget.arrangement.window
    window.resize(1280, 800)
    wait_until(lambda: window.width() == 1280)
    widget.arrangement.widths(widget.queue, widget.side)
    wait_until(lambda: widget._canvas_size()[0] >= 0.6 * 1280)
    settled(widget, wait_until)


def test_at_1280_by_800_the_photo_is_the_largest_thing(small, widget, wait_until):
    window = widget.arrangement.window
    assert window.height() == 800 and window.minimumSizeHint().height() <= 780
    table = widget.queue.table
    assert table.viewport().height() >= 8 * table.verticalHeader().defaultSectionSize()
    for button in widget.verdicts.buttons.values():
        assert button.isVisible() and button.height() >= 40 and button.width() >= 90
    assert not any(dock.isVisible() for name in NAPARI for dock in window.findChildren(QDockWidget, name))
    low, high = widget.layers.reach(widget.session.mesh)
    filled = (high - low) * widget.layers.camera.zoom / widget._canvas_size()
    wait_until(lambda: ((high - low) * widget.layers.camera.zoom / widget._canvas_size()).max() > 0.97)
    assert filled.max() <= 1.01


def test_docking_makes_the_window_no_taller_than_the_screen(widget, canvas, wait_until):
    canvas()
    window = widget.arrangement.window
    room = window.screen().availableGeometry().height()
    wait_until(lambda: window.minimumSizeHint().height() <= window.height() <= room)


def test_nothing_moves_whatever_is_said(small, widget, wait_until):
    window = widget.arrangement.window

    def places():
        found = [widget.verdicts.mapTo(window, QPoint(0, 0)), widget.what.mapTo(window, QPoint(0, 0))]
        found += [button.mapTo(window, QPoint(0, 0)) for button in widget.verdicts.buttons.values()]
        return found, widget._canvas_size(), window.size()

    before = places()
    for words in ("", "a word", "so many words that no window of any size has room for them " * 9):
        widget.say(words)
        widget.what.setText(words)
        widget.verdicts.show_burst(7, 2.0)
        widget.verdicts.show_progress(3, 9)
        wait_until(lambda: True)
        assert places() == before
    assert [said[6:12] for said in widget.verdicts.said][-2:] == ["a word", "so man"]  # each can be read again


def test_one_click_brings_naparis_own_docks_back(small, widget, wait_until):
    window = widget.arrangement.window
    docks = [dock for name in NAPARI for dock in window.findChildren(QDockWidget, name)]
    widget.tools["show_layers"].click()
    wait_until(lambda: all(dock.isVisible() for dock in docks))
    widget.tools["show_layers"].click()
    wait_until(lambda: not any(dock.isVisible() for dock in docks))


def test_the_side_view_becomes_as_large_as_the_photo_and_comes_back(small, widget, wait_until):
    before = widget.side.picture.width()
    press(widget.viewer, "Control-3")
    wait_until(lambda: dock_of(widget.side).isFloating() and widget.side.picture.width() > 2 * before)
    press(widget.viewer, "Control-3")
    wait_until(lambda: not dock_of(widget.side).isFloating())


def test_nothing_is_cut_where_the_panel_is_as_narrow_as_can_be(small, widget, wait_until):
    for name, tool in widget.tools.items():
        widest = max(tool.fontMetrics().horizontalAdvance(line) for line in tool.text().split("\n"))
        assert widest <= tool.width() - 2, name
    for one in (widget, widget.queue, widget.side):
        dock = dock_of(one)
        title = dock.titleBarWidget()
        seen = [child for child in one.findChildren(QWidget) if child.isVisible()]
        first = min(child.mapTo(dock, child.rect().topLeft()).y() for child in seen)
        assert first >= title.geometry().bottom(), type(one).__name__
        (words,) = (label.text() for label in title.findChildren(QLabel))
        assert words in ("Hand annotator", "Hands", "Side view")  # napari adds the plugin's name


def test_the_side_view_stays_over_the_photo_when_the_window_changes_its_size(small, widget, wait_until):
    widget.swap_views()
    dock, window = dock_of(widget.side), widget.arrangement.window

    def covers():
        photo = window.centralWidget()
        corner = photo.mapToGlobal(photo.rect().topLeft())
        return dock.geometry().topLeft() == corner and dock.size() == photo.size()

    wait_until(covers)
    window.resize(1200, 780)
    wait_until(lambda: window.centralWidget().width() < 0.65 * 1280 and covers())
    dock.move(5, 5)  # a person's own place
    window.resize(1280, 800)
    wait_until(lambda: window.width() == 1280)
    assert (dock.x(), dock.y()) == (5, 5)
    widget.swap_views()


def test_states_and_fingers_share_no_code(widget, folder):
    assert set(LOOKS) == set(JOINT_STATES)
    looks = {(symbol, fill) for symbol, fill, _ in LOOKS.values()}
    assert len(looks) == len(LOOKS)  # told apart without any colour
    assert all(len({round(value, 2) for value in fill[:3]}) == 1 for _, fill, _ in LOOKS.values())  # greys alone
    hues = RINGS[1::4][:5]
    assert len(FINGERS) == len({tuple(hue) for hue in hues}) == 5
    # protan and deutan sight (Vienot, Brettel, Mollon 1999), in linear RGB: every two fingers stay apart
    linear = np.where(hues[:, :3] <= 0.04045, hues[:, :3] / 12.92, ((hues[:, :3] + 0.055) / 1.055) ** 2.4)
    for red, blue in (((0.11238, 0.88762, 0), (0.00401, -0.00401, 1)), ((0.29275, 0.70725, 0), (-0.02234, 0.02234, 1))):
        seen = np.stack([linear @ red, linear @ red, linear @ blue], 1).clip(0) ** (1 / 2.2)
        apart = np.linalg.norm(seen[:, None] - seen[None], axis=2) + np.eye(5)
        assert apart.min() > 0.15


def test_markers_and_bones_keep_their_size_on_the_screen(widget, folder, mouse, wait_until):
    widget.open_project(folder)
    settled(widget, wait_until)
    layers = widget.layers
    assert layers.points.canvas_size_limits == (SIZE, SIZE)
    reach = np.ptp(widget.session.mesh.keypoints, axis=0).max()
    for zoom in (260 / reach, 4.0, 9.0):  # smaller hands have smaller ones
        layers.camera.zoom = zoom
        wait_until(lambda zoom=zoom: abs(layers.skeleton.edge_width * zoom / 2 - 1) < 0.05)


def test_the_joint_under_the_mouse_says_what_it_is(widget, folder, mouse, wait_until):
    widget.open_project(folder)
    settled(widget, wait_until)
    widget.session.set_joint_state(8, "occluded")
    settled(widget, wait_until)
    mouse("move", widget.layers.places[8], widget.layers.camera)
    wait_until(lambda: widget._beside is not None and widget._beside.isVisible())
    assert "index tip: occluded, ±" in widget._beside.text()
    mouse("move", widget.layers.places.min(0) - 12, widget.layers.camera)
    wait_until(lambda: not widget._beside.isVisible())


def test_a_drag_lands_where_it_is_seen_however_the_view_is_turned(widget, folder, mouse, wait_until, canvas):
    widget.open_project(folder)
    settled(widget, wait_until)
    layers, camera = widget.layers, widget.layers.camera
    photo, mesh = layers.photo.data, widget.session.mesh
    for key in ("Control-1", "Control-1", "Control-2", "Control-1"):
        press(widget.viewer, key)
        press(widget.viewer, "Shift-W")
        assert layers.sees(mesh) and layers.photo.data is photo
    assert (layers.turned, layers.mirrored) == (3, True)
    from napari_hand_mesh.canvas.framing import on_canvas

    start, goal = layers.places[8].copy(), layers.places[8] + (9, 4)
    # `mouse` knows an upright view alone: what it is told is where an upright view has what is to be pressed
    upright = [
        np.array(camera.center[:0:-1]) + (on_canvas(layers, place) - np.array(widget._canvas_size()) / 2) / camera.zoom
        for place in (start, goal)
    ]
    pull(mouse, widget, upright[0], upright[1] - upright[0])
    assert np.allclose(widget.session.mesh.corrections[8], goal, atol=1.0)


def test_a_turned_and_mirrored_view_is_upright_in_what_is_opened_next(widget, folder, wait_until, mouse, keys):
    widget.open_project(folder)
    settled(widget, wait_until)
    camera = widget.layers.camera
    for key in "112":
        keys(key, held="Control")
        camera.zoom = 1.7
        widget.layers.centre((200.0, 470.0))
        widget.close_project()
        assert camera.orientation2d == ("down", "right")
        widget.open_project(folder)
        assert (widget.layers.turned, widget.layers.mirrored) == (0, False)
        assert np.allclose((*widget.layers.middle(), camera.zoom), (200, 470, 1.7))


def test_a_turn_leaves_the_hand_as_large_as_it_can_be(widget, folder, wait_until, mouse, keys):
    widget.open_project(folder)
    settled(widget, wait_until)
    low, high = widget.layers.reach(widget.session.mesh)
    for _ in range(4):
        keys("1", held="Control")
        across, down = (high - low)[:: -1 if widget.layers.turned % 2 else 1] * widget.layers.camera.zoom
        room = widget._canvas_size()
        assert np.isclose(max(across / room[0], down / room[1]), 1.0, atol=0.02) and widget.layers.turned in range(4)
    widget.layers.camera.zoom = 3.0  # a person's own
    keys("1", held="Control")
    assert widget.layers.camera.zoom == 3.0


def test_tones_change_what_is_shown_and_nothing_else(widget, folder, wait_until):
    widget.open_project(folder)
    layers, session = widget.layers, widget.session
    photo = session.photo.copy()
    widget.picture.sliders["gamma"].setValue(220)
    assert layers.photo.data.mean() > photo.mean() + 5
    widget.session.go("signing-0180-1")
    assert layers.photo.data.mean() > session.photo.mean() + 5  # kept for the next photo
    widget.picture.show_tones(Tones())
    assert np.array_equal(layers.photo.data, session.photo)
    widget.session.go("signing-0153-1")
    assert np.array_equal(session.photo, photo)
    dark = (photo // 6).astype(np.uint8)
    lifted = Tones.lifting(dark).of(dark)
    assert np.median(lifted) > 3 * np.median(dark) and (np.diff(Tones(0.1, 1.7, 0.6).table().astype(int)) >= 0).all()


def test_one_key_goes_through_the_styles_of_the_mesh(widget, folder):
    widget.open_project(folder)
    seen = {}
    for style in STYLES:
        assert widget.layers.style == style
        seen[style] = int((widget.layers.mesh.data[..., 3] > 0).sum())
        press(widget.viewer, "Shift-F")
    assert widget.layers.style == STYLES[0] and seen["off"] == 0
    assert 0 < seen["outline"] < seen["wireframe"] <= seen["filled"]


# -- the list of hands -----------------------------------------------------------------------------------------


def test_the_list_is_sorted_searched_and_next_follows(widget, folder, wait_until):
    widget.open_project(folder)
    model, header = widget.queue.model, widget.queue.table.horizontalHeader()

    def ids():
        return [model.entry(row).id for row in range(model.rowCount())]

    assert ids() == ["signing-0153-1", "signing-0153-2", "signing-0180-1"]
    header.setSortIndicator(2, Qt.SortOrder.DescendingOrder)
    assert ids() == ["signing-0180-1", "signing-0153-2", "signing-0153-1"]
    widget.session.go("signing-0180-1")
    widget.act("next_open")
    assert widget.session.hand.id == "signing-0153-2"
    for text, found in (("left", 1), ("0153", 2), ("sure<40", 1), ("sure>=50 0153", 1), ("labels>0", 0), ("", 3)):
        widget.search.setText(text)
        assert model.rowCount() == found, text
    widget.search.setText("0180")
    widget.search.returnPressed.emit()
    assert widget.session.hand.id == "signing-0180-1"


def test_several_hands_are_judged_at_once_after_a_question(widget, folder, wait_until):
    widget.open_project(folder)
    widget.queue.filter.setCurrentText("all")
    widget.queue.table.selectAll()
    assert len(widget.queue.selected()) == 3 and widget.queue.many["accepted"].isEnabled()
    widget.queue.many["accepted"].click()
    (box,) = [one for one in widget.findChildren(QMessageBox) if one.isVisible()]
    assert "Accept 3 hands" in box.text()
    next(button for button in box.buttons() if "Accept" in button.text()).click()
    with Project.open(folder) as project:
        assert {entry.state for entry in project.hands()} == {"accepted"}
    widget.act("take_back")
    assert {entry.state for entry in widget.session.project.hands()} <= set(OPEN)
    widget.session.judge([entry.id for entry in widget.session.queue], "rejected")
    widget.act("undo")  # one step, too
    assert {entry.state for entry in widget.session.project.hands()} <= set(OPEN)
    widget.act("redo")
    assert {entry.state for entry in widget.session.queue} == {"rejected"}


def test_an_export_says_before_what_leaves_and_what_does_not(widget, folder, wait_until):
    from napari_hand_mesh.files import ExportDialog

    widget.open_project(folder)
    session = widget.session
    session.drop(8, tuple(session.mesh.keypoints[8] + (170, 60)))  # no plausible hand
    session.set_state("accepted")
    session.go("signing-0153-2")
    session.set_state("accepted")
    session.go("signing-0180-1")
    session.set_state("flagged")
    widget._ask_export()
    (dialog,) = [one for one in widget.findChildren(ExportDialog) if one.isVisible()]
    wait_until(lambda: "1 left out" in dialog.told.text())
    assert "1 hand will be written" in dialog.told.text() and "1 flagged" in dialog.told.text()
    dialog.close()


def test_a_round_asks_before_it_begins(widget, folder):
    widget.open_project(folder)
    widget._ask_round()
    (box,) = [one for one in widget.findChildren(QMessageBox) if one.isVisible()]
    assert "0 accepted hands" in box.text() and not widget.retraining.running
    next(button for button in box.buttons() if "Cancel" in button.text()).click()
    assert not widget.retraining.running
