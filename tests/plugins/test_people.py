"""Subjects in a real window: whose hands a photo shows, what is known of that person, renewed meshes."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari")
pytest.importorskip("qtpy.QtWidgets")

from napari_hand_mesh.docks.frame.layout import dock_of  # noqa: E402

from annotator.project import Project  # noqa: E402


def settled(widget, wait_until):
    wait_until(lambda: not widget._later.isActive())


def typed(widget, qtbot, name):
    """A name typed into the form, and Enter."""
    from qtpy.QtCore import Qt

    line = widget.person.names.lineEdit()
    line.setFocus()
    line.selectAll()
    qtbot.keyClicks(line, name)
    with qtbot.waitSignal(widget.person.assigned):
        qtbot.keyClick(line, Qt.Key.Key_Return)


@pytest.fixture
def opened(widget, folder, canvas, wait_until):
    widget.open_project(folder)
    canvas()
    dock_of(widget.person).raise_()  # it is a tab beside the list of hands
    wait_until(widget.person.isVisible)
    settled(widget, wait_until)
    return widget


def test_a_name_that_is_typed_says_whose_hands_the_photo_shows(opened, folder, qtbot, wait_until):
    widget, session = opened, opened.session
    assert "nobody said" in widget.person.known.text() and not widget.person.offers.isEnabled()
    typed(widget, qtbot, "Ada")
    assert session.person().name == "Ada" and session.person().photos == 1
    assert widget.person.known.text().startswith("1 photos, 2 hands, 0 labels") and session.hand.version == 1
    assert "Ada's hands now: 1 more" in widget.status.text()
    with Project.open(folder) as project:
        assert [(one.name, one.photos) for one in project.subjects.all()] == [("Ada", 1)]
    session.go("signing-0180-1")  # another photo
    settled(widget, wait_until)
    assert widget.person.names.currentText() == "" and session.person() is None
    widget.person.names.setCurrentIndex(widget.person.names.findText("Ada"))
    widget.person.names.activated.emit(widget.person.names.currentIndex())
    wait_until(lambda: session.person() is not None)
    assert session.person().photos == 2
    widget.person.back.click()
    assert session.person() is None and "taken back: Ada" in widget.status.text()


def test_a_whole_folder_is_assigned_at_once_and_its_shape_counts(opened, qtbot, wait_until):
    widget, session = opened, opened.session
    widget.person.scope.setCurrentIndex(1)
    typed(widget, qtbot, "Ada")
    assert session.person().photos == 2
    assert session.subject is None
    for joint in range(14):  # enough labels for an estimate
        x, y = session.mesh.keypoints[joint]
        session.drop(joint, (x + 2.0, y - 1.0))
    session.go("signing-0153-2")
    session.go("signing-0153-1")
    assert session.subject is not None
    settled(widget, wait_until)
    assert "shape from 1 hand" in widget.person.known.text() and widget.person.offers.isEnabled()


def ruled(widget, qtbot, name, typed_mm):
    """A size typed into its field, and Enter."""
    from qtpy.QtCore import Qt

    box = widget.person.sizes[name]
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, typed_mm)
    with qtbot.waitSignal(widget.person.measured):
        qtbot.keyClick(box, Qt.Key.Key_Return)


def test_a_size_by_a_ruler_is_typed_kept_and_taken_away(opened, folder, qtbot, wait_until):
    widget, session = opened, opened.session
    box = widget.person.sizes["length"]
    assert not box.isEnabled() and box.text() == "length …"  # nobody said whose hands these are
    typed(widget, qtbot, "Ada")
    assert box.isEnabled()
    ruled(widget, qtbot, "length", "205.5")
    assert session.person().sizes == {"length": 0.2055} and "length 206 mm" in widget.person.known.text()
    assert "Ada: length 205.5 mm" in widget.status.text()
    wait_until(lambda: session.subject is not None)  # corrections count it from now on
    assert session.hand.version == 1
    ruled(widget, qtbot, "width", "20")  # no hand is as narrow
    assert "width of a hand is 20 mm: expected 35 to 130 mm" in widget.status.text()
    assert session.person().sizes == {"length": 0.2055} and widget.person.sizes["width"].value() == 0.0
    widget.person.back.click()
    assert "taken back: Ada: sizes" in widget.status.text()
    assert session.person().sizes == {} and box.text() == "length …"
    ruled(widget, qtbot, "length", "190")
    ruled(widget, qtbot, "length", "0")
    assert session.person().sizes == {} and "no length" in widget.status.text()
    with Project.open(folder) as project:
        assert project.subjects.named("Ada").sizes == {}


def test_renewed_meshes_are_offered_and_taken(opened, qtbot, wait_until):
    widget, session = opened, opened.session
    widget.person.scope.setCurrentIndex(1)
    typed(widget, qtbot, "Ada")
    session.project.subjects.measure("Ada", {"length": 0.215})  # much larger than the mean hand
    session.project.set_state("signing-0180-1", "accepted")
    session.go("signing-0153-2")
    session.go("signing-0153-1")
    settled(widget, wait_until)
    before = session.mesh.vertices
    qtbot.wait(10)
    widget.person.offers.click()
    wait_until(lambda: widget.person.menu is not None)
    words = [action.text() for action in widget.person.menu.actions() if action.text()]
    assert words[0] == "Renew all 2" and words[1].startswith("signing-0153-1: ") and "left alone" in words[-1]
    menu = widget.person.menu
    act = menu.actions()[0]
    menu.hide()
    act.trigger()
    wait_until(lambda: "2 hands have a renewed mesh" in widget.status.text())
    settled(widget, wait_until)
    assert np.abs(session.mesh.vertices - before).max() > 1e-3 and widget.side.hand is session.mesh
    assert session.hand.state == "proposed"  # nobody has touched it
    assert session.project.hand("signing-0180-1").version == 2  # as it was accepted
