"""Keeps our layers in the viewer: whoever deletes, renames, hides or reorders one finds it made again at once.

What is put back is the same layer with the same data, so nobody who holds it notices. Layers of others keep their
places between the photo and what lies on it.
"""

from __future__ import annotations

from collections.abc import Sequence

import napari
from napari.layers import Layer
from qtpy.QtCore import QTimer

MODE = "pan_zoom"  # others are for adding, selecting and transforming


class Guard:
    """Of these layers of a viewer, lowest first, with the names they have now. `show` decides what is visible."""

    def __init__(self, viewer: napari.Viewer, layers: Sequence[Layer]):
        self._viewer, self._layers = viewer, tuple(layers)
        self._names = [layer.name for layer in layers]
        self._visible = [layer.visible for layer in layers]
        self._timer = QTimer()  # what is going on with the list must end first
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._mend)
        self._resting = False
        self._watched = [
            *(getattr(viewer.layers.events, name) for name in ("removed", "inserted", "reordered", "changed")),
            *(getattr(layer.events, name) for layer in layers for name in ("name", "visible")),
        ]
        for event in self._watched:
            event.connect(self._soon)
        for layer in layers:
            layer.events.mode.connect(self._stay)

    def stop(self) -> None:
        """From now on anybody may do with them what they like."""
        self._timer.stop()
        for event in self._watched:
            event.disconnect(self._soon)
        self._watched = []
        for layer in self._layers:
            layer.events.mode.disconnect(self._stay)

    def show(self, layer: Layer, visible: bool) -> None:
        """Show or hide a layer; it stays so."""
        self._visible[self._layers.index(layer)] = visible
        if layer.visible != visible:
            layer.visible = visible

    def mend(self) -> None:
        """Put everything back; cheap where nothing is amiss."""
        if not self._watched:
            return
        self._resting = False
        stack = self._viewer.layers
        for other in stack:
            if other not in self._layers and other.name in self._names:
                other.name = f"another layer {other.name}"
        for layer in self._layers:
            if layer not in stack:
                stack.append(layer)
        lowest, *above = self._layers
        wanted = [lowest, *(layer for layer in stack if layer not in self._layers), *above]
        for place, layer in enumerate(wanted):
            if stack[place] is not layer:
                stack.move(stack.index(layer), place)
        for layer, name, visible in zip(self._layers, self._names, self._visible, strict=True):
            if layer.name != name:
                layer.name = name
            if layer.visible != visible:
                layer.visible = visible

    def rest(self) -> None:
        """The window is closing: its layers go, too. `mend` begins anew."""
        self._resting = True

    def _mend(self) -> None:
        if not self._resting:
            self.mend()

    def _soon(self, _event=None) -> None:
        self._timer.start()

    def _stay(self, event) -> None:
        if event.source.mode != MODE:
            event.source.mode = MODE
