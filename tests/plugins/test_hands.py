"""Which hands there are: another one by a click, a missed one by a box, one of the other side, one that is none."""

from __future__ import annotations

import numpy as np
import pytest

from annotator.project import Project

pytest.importorskip("napari")

from window_steps import click, drag, press  # noqa: E402


def test_a_click_on_another_hand_goes_to_it(widget, folder):
    widget.open_project(folder)
    session, layers = widget.session, widget.layers
    assert set(session.others) == {"signing-0153-2"} and len(layers.others.data) == 20
    other = session.others["signing-0153-2"]
    apart = np.linalg.norm(other.keypoints[:, None] - session.mesh.keypoints[None], axis=-1).min(1)
    joint = int(apart.argmax())
    click(widget.viewer, tuple(session.mesh.keypoints[0] + 400))  # far from both
    assert session.hand.id == "signing-0153-1"
    click(widget.viewer, tuple(other.keypoints[joint]))
    assert session.hand.id == "signing-0153-2" and set(session.others) == {"signing-0153-1"}
    version = session.hand.version
    assert session.hand.version == version  # looking changes nothing


def test_a_box_adds_a_hand_that_was_missed(widget, folder, network, wait_until):
    widget.open_project(folder)
    press(widget.viewer, "Shift-X")
    assert widget.dragging.boxing and not widget.layers.camera.mouse_pan
    moves = drag(widget.viewer, [(300, 420), (200, 300), (120, 150), (60, 80)])
    next(moves), next(moves)
    drawn = widget.layers.others.data
    assert len(drawn) == 4  # the box is seen
    next(moves)
    assert widget.layers.others.data is drawn and [60, 80] in drawn[:, 0, ::-1].tolist()  # moved, not made anew
    list(moves)
    assert not widget.dragging.boxing and widget.layers.camera.mouse_pan
    wait_until(lambda: widget.session.hand.id == "signing-0153-3")
    assert network.asked == [((60.0, 80.0, 300.0, 420.0), [None])]
    assert widget.queue.model.row_of("signing-0153-3") is not None and len(widget.session.others) == 2
    with Project.open(folder) as project:
        assert project.hand("signing-0153-3").provenance["box"] == "drawn by hand"
    press(widget.viewer, "Control-Z")
    assert widget.session.project.hand("signing-0153-3").state == "rejected"
    widget.session.go("signing-0153-1")
    assert "signing-0153-3" not in widget.session.others
    press(widget.viewer, "Control-Shift-Z")
    assert widget.session.hand.id == "signing-0153-3" and widget.session.hand.state == "proposed"
    press(widget.viewer, "Shift-X")
    click(widget.viewer, (50, 50))
    assert "too small" in widget.status.text() and len(widget.session.queue) == 4


def test_the_other_side_is_one_step_and_takes_the_corrections_along(widget, folder, network, wait_until):
    widget.open_project(folder)
    session = widget.session
    session.drop(8, tuple(session.mesh.keypoints[8] + 6))
    corrected = session.mesh
    press(widget.viewer, "Shift-S")
    wait_until(lambda: session.hand.side == "left")
    assert network.asked[0][1] == ["left"]
    assert session.mesh.side == "left" and set(session.hand.corrections) == {8}
    assert session.hand.joint_states[8] == "corrected"
    press(widget.viewer, "Control-Z")
    assert session.hand.side == "right" and np.array_equal(session.mesh.vertices, corrected.vertices)
    assert session.hand.joint_states[8] == "corrected"
    press(widget.viewer, "Control-Shift-Z")
    assert session.hand.side == "left"
    with Project.open(folder) as project:
        assert project.verify() == []


def test_an_answer_for_a_hand_that_changed_meanwhile_is_not_stored(widget, folder, network, wait_until):
    widget.open_project(folder)
    session = widget.session
    press(widget.viewer, "Shift-S")
    session.set_joint_state(3, "occluded")  # before the answer is there
    wait_until(lambda: "changed meanwhile" in widget.status.text())
    assert session.hand.side == "right" and session.hand.joint_states[3] == "occluded"


def test_a_deleted_hand_is_not_drawn_and_comes_back(widget, folder):
    widget.open_project(folder)
    press(widget.viewer, "Shift-R")
    assert widget.session.hand.id == "signing-0153-2" and not widget.session.others
    assert len(widget.layers.others.data) == 0
    press(widget.viewer, "Control-Z")
    assert widget.session.hand.id == "signing-0153-1" and widget.session.hand.state == "proposed"
    assert set(widget.session.others) == {"signing-0153-2"}


def test_the_other_depths_are_listed_looked_at_and_taken(widget, folder, wait_until):
    widget.open_project(folder)
    session = widget.session
    before, picture = session.mesh, np.array(widget.layers.mesh.data)
    press(widget.viewer, "Shift-C")
    wait_until(lambda: widget.depths.isVisibleTo(widget) or "no other hand" in widget.status.text())
    assert widget.depths.list.count() >= 2
    widget.depths.list.setCurrentRow(1)
    assert not np.array_equal(widget.layers.mesh.data, picture) and session.mesh is before
    widget.depths.list.setCurrentRow(0)
    assert np.array_equal(widget.layers.mesh.data, picture)
    widget.depths.list.setCurrentRow(1)
    one = widget.depths.chosen()
    widget.depths.take()
    assert not widget.depths.isVisibleTo(widget)
    assert np.abs(session.mesh.joints - one.hand.joints).max() < 1e-6
    assert np.abs(session.mesh.keypoints - before.keypoints).max() < 2.0 * before.crop_size / 224 + 0.5
    press(widget.viewer, "Control-Z")
    assert np.array_equal(session.mesh.vertices, before.vertices)
