"""A box over a hand asks what is meant, and the other side keeps what a person said of the photo."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari")
pytest.importorskip("qtpy.QtWidgets")

from window_steps import pull, settled  # noqa: E402


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
