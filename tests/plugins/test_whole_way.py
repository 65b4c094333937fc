"""The whole way in a real napari: sample, next, drag, undo, redo, accept, export, close, and all is there again."""

from __future__ import annotations

import json

import numpy as np
import pytest

from annotator.hand.definitions import ANATOMICAL

pytest.importorskip("napari")

from window_steps import drag, path_of, press  # noqa: E402


def test_from_the_sample_to_the_export_and_back(viewer, model, tmp_path, wait_until, monkeypatch):
    from napari_hand_mesh import reader

    monkeypatch.setattr(reader, "SAMPLES", 3)
    widget = reader.dock(viewer)
    widget.background.model = model  # as if it was loaded
    viewer.open_sample("hand-mesh-annotator", "hands")
    wait_until(lambda: not widget.background.proposing and widget.session.hand is not None)
    session, folder = widget.session, widget.session.project.folder
    assert len(session.queue) >= 2 and not widget.history.steps

    before = session.hand.id
    press(viewer, "W")
    assert session.hand.id != before
    wait_until(lambda: session.wants_features() is None)
    hand, first = session.hand.id, session.mesh
    viewer.camera.zoom = 1.0  # a move of a few pixels on the screen would be a click
    path = path_of(widget, 8, (10, -7))
    list(drag(widget.viewer, path))
    second = session.mesh
    assert np.abs(second.vertices - first.vertices).max() > 1e-4
    assert np.allclose(widget.layers.points.data[8], path[-1][::-1], atol=1.5)
    wait_until(lambda: [step.words for step in widget.history.steps] == ["index tip moved"])
    press(viewer, "Control-Z")
    assert np.array_equal(session.mesh.vertices, first.vertices)
    wait_until(lambda: widget.history.steps[0].undone)
    press(viewer, "Control-Shift-Z")
    assert np.array_equal(session.mesh.vertices, second.vertices)
    wait_until(lambda: not widget.history.steps[0].undone)
    press(viewer, "E")
    assert session.project.hand(hand).state == "accepted"

    widget.export("freihand", tmp_path / "out")
    wait_until(lambda: widget.background.exported is None)
    (vertices,) = json.loads((tmp_path / "out" / "training_verts.json").read_text())
    assert np.shape(vertices) == (len(second.vertices), 3)

    session.go(hand)
    widget.queue.filter.setCurrentText("accepted")
    widget.opacity.setValue(31)
    camera = widget.layers.camera
    camera.center, camera.zoom = (0.0, 120.5, 80.25), 3.5
    states, version = session.hand.joint_states, session.hand.version
    widget.close_project()
    widget.queue.filter.setCurrentText("all")
    widget.opacity.setValue(80)

    viewer.open(str(folder), plugin="hand-mesh-annotator")
    again = widget.session
    assert (again.hand.id, again.hand.version, again.hand.joint_states) == (hand, version, states)
    assert again.hand.state == "accepted" and np.array_equal(again.mesh.vertices, second.vertices)
    assert np.allclose(widget.layers.points.data, ANATOMICAL.places(second)[:, ::-1])  # labels where they were set
    assert widget.queue.filter.currentText() == "accepted" and widget.queue.model.rowCount() == 1
    assert widget.opacity.value() == 31
    assert camera.center[-2:] == (120.5, 80.25) and camera.zoom == 3.5
    wait_until(lambda: [step.words for step in widget.history.steps] == ["accepted", "index tip moved"])
    press(viewer, "Control-Z")  # the verdict, given before the project was closed
    assert again.hand.state == "in work"
    wait_until(lambda: widget.queue.model.rowCount() == 0)
    widget.close_project()
