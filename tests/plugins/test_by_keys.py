"""A hand corrected by keys of the window system alone: no mouse."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari")
pytest.importorskip("qtpy.QtWidgets")

from annotator.hand.depth_labels import depths_from_palm  # noqa: E402
from annotator.project import Project  # noqa: E402


def test_a_joint_is_chosen_nudged_and_stored_as_one_step(widget, folder, keys, wait_until):
    widget.open_project(folder)
    session, layers = widget.session, widget.layers

    def canvas_words():
        return widget._beside.text().split(":")[0]

    keys("2")
    assert widget._chosen_joint == 8 and canvas_words() == "index tip" and layers.brought_out == 8
    keys("2")
    assert canvas_words() == "index dip"
    keys("2", "2", "2")
    assert canvas_words() == "index tip"
    start, picture = layers.places[8].copy(), np.array(layers.mesh.data)
    widget._resting.setInterval(600_000)  # a busy machine presses keys slowly
    keys("Left", "Left", "Up")
    keys("Right", held="Shift")
    wait_until(lambda: not np.array_equal(layers.mesh.data, picture))
    assert session.hand.version == 1  # seen, not stored yet
    widget._resting.start(10)  # the keys rest
    wait_until(lambda: session.hand.version == 2)
    assert np.allclose(session.mesh.corrections[8], start + (8, -1))
    assert session.hand.joint_states[8] == "corrected" and "index tip: corrected" in widget._beside.text()
    widget._resting.setInterval(600_000)
    keys("Down", "E")  # a verdict does not wait for the nudge, nor lose it
    assert np.allclose(session.project.mesh("signing-0153-1").corrections[8], start + (8, 0))
    assert session.project.hand("signing-0153-1").state == "accepted" and session.hand.id == "signing-0153-2"
    assert widget._chosen_joint is None
    with Project.open(folder) as project:
        assert project.verify() == []


def test_arrows_go_where_they_point_however_the_view_is_turned(widget, folder, keys):
    widget.open_project(folder)
    keys("0")
    start = widget.layers.places[0].copy()
    for turned, mirrored, moved in ((1, False, (0, 1)), (2, False, (1, 0)), (0, True, (1, 0)), (1, True, (0, -1))):
        widget.layers.turn(turned, mirrored)
        keys("Left")
        widget.settle()
        assert np.allclose(widget.session.mesh.corrections[0], start + moved), (turned, mirrored)
        keys("Z", held="Control")
        keys("0")


def test_states_and_depth_of_a_chosen_joint(widget, folder, keys):
    widget.open_project(folder)
    session = widget.session
    keys("3", "D")
    assert session.hand.joint_states[12] == "occluded"
    keys("N", "B")
    assert session.hand.joint_states[13] == "confirmed" and session.hand.joint_states[12] == "occluded"
    keys("N", held="Shift")
    assert widget._chosen_joint == 12
    keys("4")
    before, version = depths_from_palm(session.mesh.joints)[16], session.hand.version
    keys("PageDown", "PageDown")
    assert session.hand.version == version + 2 and "ring tip nearer by 4 mm" in widget.status.text()
    assert np.isclose(session.hand.depth_labels.from_palm[16], before - 0.008, atol=2e-4)
    assert depths_from_palm(session.mesh.joints)[16] < before - 0.003
    keys("PageUp")
    assert np.isclose(session.hand.depth_labels.from_palm[16], before - 0.004, atol=2e-4)
    for _ in range(3):
        keys("Z", held="Control")
    assert np.isclose(depths_from_palm(session.mesh.joints)[16], before)
    keys("Escape", "D")
    assert "choose one by a number" in widget.status.text()


def test_the_mouse_takes_over_from_the_keys(widget, folder, keys, mouse):
    widget.open_project(folder)
    keys("1", "Left")
    mouse("move", widget.layers.places[20], widget.layers.camera)
    assert widget._chosen_joint is None and widget.session.hand.version == 2  # the nudge is stored
    keys("D")
    assert widget.session.hand.joint_states[20] == "occluded"
