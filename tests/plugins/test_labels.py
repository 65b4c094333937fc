"""Labels in the window: markers where they were set, lines to the mesh's joints, and what no plausible hand meets."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("napari")
pytest.importorskip("qtpy.QtWidgets")

from napari_hand_mesh.canvas.layers import APART  # noqa: E402
from napari_hand_mesh.canvas.markers import LABEL_COLOUR, STRAINED_COLOUR  # noqa: E402
from qtpy.QtWidgets import QMessageBox  # noqa: E402
from window_steps import drag, press  # noqa: E402

from annotator.correcting import solve  # noqa: E402
from annotator.formats import reader  # noqa: E402
from annotator.hand.definitions import ANATOMICAL, JointDefinition  # noqa: E402
from annotator.hand.joints import BONES  # noqa: E402

FAR = (170, 60)  # px: no hand of the project has its index tip so far from where the network has it


def pull(widget, joint, by, modifiers=()):
    """Drag a marker; where it was let go, (x, y) photo px."""
    start = widget.layers.places[joint].copy()
    path = [tuple(start + np.array(by) * part) for part in (0, 0.5, 1)]
    list(drag(widget.viewer, path, modifiers))
    return path[-1]


def answer(widget, button):
    """Press a button of the one question that is open."""
    (box,) = [one for one in widget.findChildren(QMessageBox) if one.isVisible()]
    words = box.text()
    box.button(getattr(QMessageBox.StandardButton, button)).click()
    return words


@pytest.fixture
def learned(folder):
    """The project's own definition, as a round leaves it: the wrist 12 mm down the arm, knuckles 4 mm up."""
    offsets = np.zeros((21, 3))
    offsets[0], offsets[[5, 9, 13, 17]] = (0.012, 0, 0), (0, 0.004, 0)
    made = JointDefinition("learned", offsets, ANATOMICAL.spread / 2, 40)
    place = folder / "rounds" / "001"
    place.mkdir(parents=True)
    (place / "definition.json").write_text(json.dumps({"definition": made.as_dict(), "adopted": True}))
    return made


def joined(layers):
    """Joints that a line goes to."""
    return np.flatnonzero(layers.labels.data[:, 1].any(1)).tolist()


def test_a_line_joins_marker_and_joint_where_they_are_seen_apart(widget, folder):
    widget.open_project(folder)
    layers, session = widget.layers, widget.session
    assert not layers.labels.visible
    pull(widget, 8, (20, -14))
    label, joint = np.array(session.mesh.corrections[8]), session.mesh.keypoints[8]
    apart = np.linalg.norm(label - joint)
    layers.camera.zoom = 1.5 * APART / apart
    assert layers.labels.visible and joined(layers) == [8]
    assert np.array_equal(layers.labels.data[8, 0], label[::-1])
    assert np.allclose(layers.labels.data[8].sum(0), joint[::-1]) and np.array_equal(layers.points.data[8], label[::-1])
    ends = layers.skeleton.data.sum(1)  # bones end at the mesh's joints, all of them
    assert np.allclose(ends, session.mesh.keypoints[[b for _, b in BONES]][:, ::-1])
    press(widget.viewer, "F")
    assert not layers.labels.visible and not layers.skeleton.visible
    press(widget.viewer, "F")
    assert layers.labels.visible and layers.skeleton.visible
    layers.camera.zoom = 0.8 * APART / apart  # too small to be seen
    assert not layers.labels.visible
    layers.camera.zoom = 1.5 * APART / apart
    assert layers.labels.visible
    pull(widget, 8, (0.1, 10), ("Control",))  # pinned: the mesh is at the marker
    assert np.linalg.norm(session.mesh.keypoints[8] - session.mesh.corrections[8]) < 0.1
    assert not layers.labels.visible
    press(widget.viewer, "Control-Z")
    assert layers.labels.visible
    session.next_open()
    assert not layers.labels.visible


def test_the_line_is_there_while_the_mouse_moves_and_a_hidden_one_stays_hidden(widget, folder):
    widget.open_project(folder)
    layers, start = widget.layers, widget.layers.places[8].copy()
    path = [tuple(start + np.array((40, -30)) * part) for part in (0, 0.5, 1)]
    moves = drag(widget.viewer, path)
    next(moves)
    assert layers.labels.visible and np.allclose(layers.points.data[8], path[1][::-1])
    assert np.allclose(layers.labels.data[8, 0], path[1][::-1]) and widget.session.hand.version == 1
    list(moves)
    press(widget.viewer, "F")
    pull(widget, 8, (8, 8))
    assert not layers.labels.visible


def test_a_marker_is_taken_where_it_is_not_where_the_mesh_is(widget, folder):
    widget.open_project(folder)
    layers = widget.layers
    pull(widget, 8, (60, -50))
    label = np.array(widget.session.mesh.corrections[8])
    layers.camera.zoom = 4.0
    assert layers.joint_at(label[::-1]) == 8
    assert "the mesh is" in layers.describe(8) and "the mesh is" not in layers.describe(4)
    pull(widget, 8, (5, 5))
    assert np.allclose(widget.session.mesh.corrections[8], label + 5)  # not from where the mesh has it


def test_strain_is_said_at_once_and_asked_about(widget, folder, wait_until):
    widget.open_project(folder)
    session, layers = widget.session, widget.layers
    hand, confidence = session.hand.id, session.hand.confidence
    start = layers.places[8].copy()
    moves = drag(widget.viewer, [tuple(start), tuple(start + FAR)])
    next(moves)
    assert "no plausible hand has its index tip" in widget.viewer.status  # before the mouse is let go
    list(moves)
    assert "no plausible hand has its index tip" in widget.status.text()
    line = layers.labels.edge_color[8]
    red, plain = (tuple(int(c[k : k + 2], 16) / 255 for k in (1, 3, 5)) for c in (STRAINED_COLOUR, LABEL_COLOUR))
    assert np.allclose(line[:3], red, atol=0.01) and session.hand.confidence < confidence
    (label,) = session.strained()
    assert label.joint == "index_tip" and session.why().startswith(label.words)
    row = widget.queue.model.row_of(hand)
    wait_until(lambda: label.words in widget.queue.model.data(widget.queue.model.index(row, 3)))

    press(layers.points, "E")
    assert session.hand.id == hand and session.hand.state == "in work"
    assert label.words[1:] in answer(widget, "No") and session.hand.state == "in work"
    press(layers.points, "E")
    answer(widget, "Yes")
    assert session.project.hand(hand).state == "accepted" and session.hand.id != hand
    session.go(hand)
    session.drop(8, tuple(start + (3, -2)))
    wait_until(lambda: not widget._later.isActive())
    line = layers.labels.edge_color[8]
    assert not session.strained() and not (layers.labels.visible and np.allclose(line[:3], red, atol=0.01))
    press(layers.points, "E")  # nothing to ask any more
    assert session.project.hand(hand).state == "accepted" and plain != red


def test_a_label_of_a_joint_that_cannot_be_seen_contradicts_nothing(widget, folder):
    widget.open_project(folder)
    session = widget.session
    session.drop(8, tuple(session.mesh.keypoints[8] + FAR))
    assert session.strained()
    session.set_joint_state(8, "occluded")
    assert not session.strained()
    session.set_joint_state(8, "occluded")
    assert session.strained()


def test_the_answer_to_an_old_question_judges_no_other_hand(widget, folder):
    widget.open_project(folder)
    session = widget.session
    session.drop(8, tuple(session.mesh.keypoints[8] + FAR))
    press(widget.layers.points, "E")
    session.go("signing-0180-1")
    answer(widget, "Yes")
    assert {entry.state for entry in session.project.hands()} == {"in work", "proposed"}


def test_the_window_means_the_joints_as_the_project_does(widget, folder, learned):
    widget.open_project(folder)
    session, layers = widget.session, widget.layers
    assert session.definition.name == "learned"
    mesh = session.mesh
    own = learned.keypoints(mesh)
    assert np.linalg.norm(own - mesh.keypoints, axis=1)[0] > 3
    assert np.allclose(layers.points.data, own[:, ::-1])
    assert np.allclose(layers.skeleton.data[0, 0], own[0, ::-1])
    (other,) = session.others.values()
    assert np.allclose(layers.others.data[0, 0], learned.keypoints(other)[0, ::-1])
    place = tuple(own[0] + (9, 4))
    seen = session.preview(0, place)
    told = solve(mesh, session.hand_model, {0: place}, {0: "corrected"}, definition=learned).hand
    untold = solve(mesh, session.hand_model, {0: place}, {0: "corrected"}).hand
    assert np.array_equal(seen.vertices, told.vertices) and np.abs(seen.vertices - untold.vertices).max() > 1e-4
    session.drop(0, place)
    assert np.abs(session.mesh.vertices - told.vertices).max() < 1e-5
    assert session.project.history(session.hand.id)[-1].note["definition"] == "learned"
    assert np.array_equal(layers.points.data[0], place[::-1])


def test_strained_hands_leave_when_the_export_is_told_so(widget, folder, tmp_path, wait_until):
    widget.open_project(folder)
    session = widget.session
    strained = session.hand.id
    session.drop(8, tuple(session.mesh.keypoints[8] + FAR))
    for hand_id in (strained, "signing-0180-1"):
        session.go(hand_id)
        session.set_state("accepted")
    widget.export("coco-wholebody", tmp_path / "a")
    wait_until(lambda: widget.background.exported is None)
    assert "1 hand written" in widget.status.text() and "1 hand left out" in widget.status.text()
    widget.export("coco-wholebody", tmp_path / "b", strained=True)
    wait_until(lambda: widget.background.exported is None)
    assert "2 hands written" in widget.status.text() and "left out" not in widget.status.text()
    read = {name: [hand.id for hand in reader("coco-wholebody").read(tmp_path / name)] for name in "ab"}
    assert read == {"a": ["signing-0180-1"], "b": [strained, "signing-0180-1"]}


def test_lines_come_and_go_while_they_are_hidden(widget, folder):
    widget.open_project(folder)
    layers, session = widget.layers, widget.session
    for joint in (8, 12, 16):
        session.drop(joint, tuple(session.mesh.keypoints[joint] + (25, -18)))
    layers.camera.zoom = 30.0
    assert joined(layers) == [8, 12, 16]
    layers.camera.zoom = 0.01
    assert not layers.labels.visible
    session.undo(), session.undo()
    layers.camera.zoom = 30.0  # one line now
    assert layers.labels.visible and joined(layers) == [8]
    press(widget.viewer, "F")
    session.redo(), session.redo()
    press(widget.viewer, "F")
    assert joined(layers) == [8, 12, 16]
