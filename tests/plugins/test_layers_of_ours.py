"""The layers of a project cannot be lost or judged unseen, whatever is done to them or selected beside them."""

from __future__ import annotations

import gc

import numpy as np
import pytest

pytest.importorskip("napari")
pytest.importorskip("qtpy.QtWidgets")

from window_steps import pull, settled, shown_on_canvas  # noqa: E402

NAMES = ["photo", "other hands", "hand mesh", "skeleton", "labels to mesh", "keypoints"]


def ours(widget):
    return [layer.name for layer in widget.viewer.layers]


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
