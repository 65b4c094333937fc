"""The plugin in a real napari: mouse, keys, queue, and the way out. Skipped where there is no display."""

from __future__ import annotations

import numpy as np
import pytest

from annotator.project import Project

napari = pytest.importorskip("napari")

from window_steps import drag, path_of, press  # noqa: E402


def test_a_drag_moves_the_mesh_and_is_stored_and_undone(widget, folder):
    widget.open_project(folder)
    session, layers, points = widget.session, widget.layers, widget.layers.points
    first, picture = session.mesh, np.array(layers.mesh.data)
    path = path_of(widget, 8, (14, -9))
    seen = 0
    for _ in drag(widget.viewer, path):
        seen += not np.array_equal(layers.mesh.data, picture)
        assert session.hand.version == 1  # nothing is stored on the way
    assert seen >= 1
    second = session.mesh
    assert np.abs(second.vertices - first.vertices).max() > 1e-4
    label = second.corrections[8]  # the marker stays at the click, to the last bit; the mesh comes nearer to it
    assert set(second.corrections) == {8} and np.allclose(label, path[-1], atol=1e-9)
    assert np.array_equal(points.data[8], label[::-1])
    assert np.linalg.norm(second.keypoints[8] - label) < np.linalg.norm(first.keypoints[8] - label)
    assert np.allclose(np.delete(points.data, 8, 0), np.delete(second.keypoints, 8, 0)[:, ::-1])
    assert session.hand.joint_states[8] == "corrected" and layers.camera.mouse_pan
    assert not np.allclose(points.face_color[8], points.face_color[0])  # the state by its fill
    assert np.allclose(points.border_color[6], points.border_color[7])  # the finger by its hue,
    assert np.allclose(points.border_color[8], 1)  # but for the joint under the mouse

    press(points, "Control-Z")
    assert np.array_equal(session.mesh.vertices, first.vertices)
    assert np.allclose(points.data, first.keypoints[:, ::-1]) and np.array_equal(layers.mesh.data, picture)
    press(widget.viewer, "Control-Shift-Z")
    assert np.array_equal(session.mesh.vertices, second.vertices)

    press(points, "D")  # the joint that was dragged last
    assert session.hand.joint_states[8] == "occluded"
    widget.close_project()
    assert not widget.viewer.layers
    widget.open_project(folder)
    assert widget.session.hand.id == "signing-0153-1" and widget.session.hand.joint_states[8] == "occluded"
    assert np.array_equal(widget.session.mesh.vertices, second.vertices)
    with Project.open(folder) as project:
        assert project.verify() == [] and set(project.hand("signing-0153-1").corrections) == {8}


def test_a_click_or_a_press_beside_changes_nothing(widget, folder):
    widget.open_project(folder)
    path = path_of(widget, 8, (0.2, 0.2), steps=1)
    list(drag(widget.viewer, path))
    list(drag(widget.viewer, [(1, 1), (30, 30)]))
    assert widget.session.hand.version == 1
    widget.session.set_joint_state(12, "confirmed")
    list(drag(widget.viewer, path_of(widget, 8, (10, 4)), ("Shift",)))
    assert widget.session.hand.joint_states[8] == widget.session.hand.joint_states[12] == "confirmed"


def test_the_21_keypoints_cannot_be_added_to_or_deleted(widget, folder):
    widget.open_project(folder)
    points = widget.layers.points
    places = np.array(points.data)
    points.mode = "add"
    assert points.mode == "pan_zoom"
    points.selected_data = {3}
    press(points, "Delete")
    assert len(points.data) == 21
    points.add((5, 5))
    assert np.array_equal(points.data, places)
    points.remove([2])
    assert np.array_equal(points.data, places)


def test_keys_judge_and_step_through_the_queue(widget, folder, wait_until):
    widget.open_project(folder)
    points, table = widget.layers.points, widget.queue.model
    assert table.rowCount() == 3 and widget.queue.progress.value() == 0
    press(points, "E")
    assert widget.session.hand.id == "signing-0153-2" and table.rowCount() == 2
    assert widget.queue.progress.value() == 1
    press(widget.layers.photo, "W")
    assert widget.session.hand.id == "signing-0180-1"
    assert np.array_equal(widget.layers.photo.data, widget.session.photo)
    press(widget.viewer, "R")
    press(widget.viewer, "Shift-B")
    assert widget.session.hand.id == "signing-0153-2"
    assert widget.session.hand.joint_states == ("confirmed",) * 21
    widget.queue.filter.setCurrentText("rejected")
    assert table.rowCount() == 1 and table.entry(0).id == "signing-0180-1"
    widget.queue.chosen.emit("signing-0153-1")
    assert widget.session.hand.state == "accepted"
    press(widget.viewer, "F")
    assert not widget.layers.skeleton.visible and widget.layers.points.visible
    press(widget.viewer, "Shift-G")
    assert widget.layers.by_uncertainty
    wait_until(lambda: "Why look" in widget.what.text() and "signing-0153-1" in widget.what.text())
    widget.side.turn_to(30, 200)
    assert widget.side.pitch == 90


def test_dropping_a_project_opens_it_in_the_dock(viewer, folder, monkeypatch):
    from napari_hand_mesh.reader import dock

    widget = dock(viewer)
    monkeypatch.setattr(widget, "_network", False)
    viewer.open(str(folder), plugin="hand-mesh-annotator")
    assert widget.session.hand.id == "signing-0153-1"
    assert [layer.name for layer in viewer.layers] == [
        "photo",
        "other hands",
        "hand mesh",
        "skeleton",
        "labels to mesh",
        "keypoints",
    ]
    assert dock(viewer) is widget
