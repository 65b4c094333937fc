"""What a person does at the plugin's window: keys, drags, clicks and answers, by napari's callbacks or a real mouse."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari")
pytest.importorskip("qtpy.QtWidgets")

from napari.utils.interactions import (  # noqa: E402
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
)
from qtpy.QtWidgets import QMessageBox  # noqa: E402
from wrapt import ObjectProxy  # noqa: E402  (napari puts the next event into the one a drag began with)


class Mouse:
    """What napari passes to callbacks."""

    def __init__(self, kind, place, modifiers=()):
        self.type, self.button, self.modifiers = kind, 1, modifiers
        self.position = (place[1], place[0])
        self.is_dragging = kind == "mouse_move"
        self.pos, self.inverted, self.delta = np.array(place), False, (0, 0)
        self.view_direction, self.up_direction, self.dims_displayed = None, None, (0, 1)


def drag(layer, path, modifiers=()):
    """Press at the first place (x, y), move along the others, let go at the last; yields after every move."""
    mouse_press_callbacks(layer, ObjectProxy(Mouse("mouse_press", path[0], modifiers)))
    for place in path[1:]:
        mouse_move_callbacks(layer, ObjectProxy(Mouse("mouse_move", place, modifiers)))
        yield
    mouse_release_callbacks(layer, ObjectProxy(Mouse("mouse_release", path[-1], modifiers)))


def press(target, key):
    """Call what a key is bound to on a viewer or layer."""
    from app_model.types import KeyBinding

    wanted = KeyBinding.from_str(key.replace("Control-", "Ctrl+").replace("Shift-", "Shift+"))
    bound = {KeyBinding.validate(known): call for known, call in target.keymap.items()}
    bound[wanted](target)


def path_of(widget, joint, by, steps=4):
    start = widget.session.mesh.keypoints[joint]
    return [tuple(start + np.array(by) * part) for part in np.linspace(0, 1, steps + 1)]


def answer(widget, label):
    """Press a button of the one question that is open."""
    (box,) = [one for one in widget.findChildren(QMessageBox) if one.isVisible()]
    next(button for button in box.buttons() if button.text().replace("&", "") == label).click()


def click(layer, place):
    list(drag(layer, [place]))


def pull(mouse, widget, start, by):
    """Drag from a place (x, y) photo px by so much, with the real mouse."""
    camera = widget.layers.camera
    for kind, part in (("move", 0), ("press", 0), ("move", 0.3), ("move", 0.6), ("move", 1), ("release", 1)):
        mouse(kind, np.asarray(start) + np.asarray(by) * part, camera)


def settled(widget, wait_until):
    wait_until(lambda: not widget._later.isActive())


def shown_on_canvas(widget):
    """What the canvas shows, told by its own layers: photo and mesh."""
    session, layers = widget.session, widget.layers
    assert np.array_equal(layers.photo.data, session.photo) and layers.hand is session.mesh
    assert all(layer in widget.viewer.layers for layer in layers.all)
    return session.hand.id
