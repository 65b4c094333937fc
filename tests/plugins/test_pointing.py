"""Keypoints under a real mouse: the finger brought out, the magnifier, markers that give way to the mesh."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari")
pytest.importorskip("qtpy.QtWidgets")

from napari_hand_mesh.canvas.markers import RINGS, SIZE, SMALLEST  # noqa: E402
from napari_hand_mesh.pointing.magnifier import ARM  # noqa: E402


@pytest.fixture
def space(canvas, request):
    """space(down): the space bar goes down or up, as the window system says it."""
    from qtpy.QtCore import QEvent, Qt
    from qtpy.QtGui import QKeyEvent
    from qtpy.QtWidgets import QApplication

    qtbot = request.getfixturevalue("qtbot")

    def send(down):
        kind = QEvent.Type.KeyPress if down else QEvent.Type.KeyRelease
        target = canvas().window().focusWidget()
        QApplication.sendEvent(target, QKeyEvent(kind, Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier, " "))
        qtbot.wait(20)

    return send


def test_the_finger_under_the_mouse_is_brought_out(widget, folder, mouse):
    widget.open_project(folder)
    layers, camera = widget.layers, widget.layers.camera
    rings, bones = layers.points.border_color.copy(), layers.skeleton.edge_color.copy()
    mouse("move", layers.places[8], camera)
    assert layers.brought_out == 8 and widget._beside.text().startswith("index tip: proposed, ±")
    alpha = layers.points.border_color[:, 3]
    assert (alpha[5:9] == 1).all() and (np.delete(alpha, range(5, 9)) < 0.5).all()
    assert np.array_equal(layers.points.border_color[8], np.ones(4))
    assert np.allclose(layers.points.border_color[5:8], RINGS[5:8])
    assert (layers.skeleton.edge_color[4:8, 3] == 1).all() and (layers.skeleton.edge_color[:4, 3] < 0.5).all()
    mouse("move", layers.places[0], camera)  # the wrist is every finger's
    assert layers.brought_out == 0 and (layers.points.border_color[:, 3] == 1).all()
    mouse("move", layers.places.max(0) + 40, camera)
    assert layers.brought_out is None
    assert np.array_equal(layers.points.border_color, rings)
    assert np.array_equal(layers.skeleton.edge_color, bones)


@pytest.mark.parametrize("turned, mirrored", [(0, False), (1, False), (3, True)])
def test_a_magnifier_shows_the_photo_where_a_keypoint_is_dragged(widget, folder, mouse, wait_until, turned, mirrored):
    widget.open_project(folder)
    layers, camera = widget.layers, widget.layers.camera
    start = layers.places[8].copy()
    mouse("move", start, camera)
    mouse("press", start, camera)
    for part in (0.5, 1.0):
        mouse("move", start + np.array([10, -6]) * part, camera)
    lens = widget._magnifier
    wait_until(lambda: lens.isVisible())
    assert layers.brought_out == 8 and not widget._beside.isVisible()
    layers.turned, layers.mirrored = turned, mirrored  # the drag's own places are of the view as it was
    place = np.array([200.0, 300.0])
    layers.photo.data[280:321, 180:221] = (10, 20, 30)
    lens.show_at(layers, 8, tuple(place), (255, 0, 0))
    beside = int(np.ceil((ARM + 3) / lens.scale))  # to the right of the place, beyond the cross
    layers.photo.data[300, 200 + beside] = (250, 240, 10)
    lens.show_at(layers, 8, tuple(place), (255, 0, 0))
    image = lens.grab().toImage()
    angle = np.deg2rad(90 * turned)
    across, down = np.round([np.cos(angle), np.sin(angle)]) * beside * lens.scale * (-1 if mirrored else 1, 1)
    seen = image.pixelColor(int(lens.width() / 2 + across), int(lens.height() / 2 + down)).getRgb()[:3]
    away = image.pixelColor(int(lens.width() / 2 - across), int(lens.height() / 2 - down)).getRgb()[:3]
    assert seen[0] > 200 and seen != away
    layers.turned, layers.mirrored = 0, False
    mouse("release", start + (10, -6), camera)
    assert not lens.isVisible() and widget.session.hand.version == 2


def test_markers_are_small_on_a_hand_that_is_small_on_the_screen(widget, folder, wait_until):
    widget.open_project(folder)
    layers = widget.layers
    reach = np.ptp(widget.session.mesh.keypoints, axis=0).max()
    layers.camera.zoom = 300 / reach
    wait_until(lambda: layers.points.canvas_size_limits == (SIZE, SIZE))
    layers.camera.zoom = 130 / reach
    wait_until(lambda: abs(layers.points.canvas_size_limits[1] / SIZE - 0.5) < 0.05)
    layers.camera.zoom = 20 / reach
    wait_until(lambda: layers.points.canvas_size_limits == (SMALLEST, SMALLEST))


def test_nothing_lies_over_the_mesh_while_space_is_held(widget, folder, space, wait_until):
    widget.open_project(folder)
    wait_until(lambda: not widget._later.isActive())
    before = widget.viewer.screenshot(flash=False).astype(int)
    space(True)
    assert widget.layers.points.opacity == widget.layers.skeleton.opacity == 0
    bare = widget.viewer.screenshot(flash=False).astype(int)
    assert (np.abs(bare - before).max(2) > 40).sum() > 100
    space(False)
    assert (np.abs(widget.viewer.screenshot(flash=False).astype(int) - before).max(2) > 40).sum() < 20
    assert widget.session.hand.version == 1
