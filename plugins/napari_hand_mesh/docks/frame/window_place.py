"""How a person left the window: layout of the docks, camera, filter, opacity; noted in the project, put back when it
is opened again.

Only QMainWindow's own `saveState` and `restoreState` are used, on whatever window the dock sits in.
"""

from __future__ import annotations

import base64
import binascii
from typing import Protocol

from qtpy.QtCore import QByteArray, QEvent, QObject, QTimer
from qtpy.QtWidgets import QComboBox, QMainWindow, QSlider, QWidget

from napari_hand_mesh.canvas.layers import HandLayers
from napari_hand_mesh.docks.controls import MODES
from napari_hand_mesh.docks.queue_panel import QueuePanel
from napari_hand_mesh.session.navigation import place
from napari_hand_mesh.session.session import Session

EVERY = 2000  # ms between looks whether something changed


class Placed(Protocol):
    """What is asked of the widget whose window is noted, which is a QWidget."""

    session: Session | None
    layers: HandLayers | None
    queue: QueuePanel
    opacity: QSlider
    mode: QComboBox

    def window(self) -> QWidget: ...


class WindowPlace(QObject):
    """Of one widget, while a project is open in it."""

    def __init__(self, widget: Placed):
        super().__init__(widget)
        self._widget = widget
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY)
        self._timer.timeout.connect(self.note)

    def restore(self) -> None:
        """Put everything back as far as it was noted and still makes sense, and watch it from now on."""
        widget, noted = self._widget, place.read(self._widget.session.project.folder)
        window = self._window()
        try:
            if window is not None and "docks" in noted:
                window.restoreState(QByteArray(base64.b64decode(noted["docks"], validate=True)))
            if isinstance(noted.get("filter"), str):
                widget.queue.filter.setCurrentText(noted["filter"])
            if "opacity" in noted:
                widget.opacity.setValue(int(noted["opacity"]))
            if noted.get("mode") in MODES:
                widget.mode.setCurrentText(noted["mode"])
            camera = noted.get("camera", {})
            if widget.session.hand is not None and camera.get("hand") == widget.session.hand.id:
                row, column, zoom = float(camera["row"]), float(camera["column"]), float(camera["zoom"])
                widget.layers.centre((column, row))
                widget.layers.camera.zoom = zoom
                widget.layers.thin()
        except (TypeError, ValueError, KeyError, AttributeError, binascii.Error):
            pass  # damaged, or of another version: the window stays as it is
        if window is not None:
            window.installEventFilter(self)
        self._timer.start()

    def note(self) -> None:
        """Note how things are now."""
        widget = self._widget
        if widget.session is None or widget.layers is None:
            return
        news = {"filter": widget.queue.filter.currentText(), "opacity": widget.opacity.value()}
        news["mode"] = widget.mode.currentText()
        if widget.session.hand is not None:
            camera = widget.layers.camera
            column, row = (round(float(value), 3) for value in widget.layers.middle())
            zoom = round(float(camera.zoom), 6)
            news["camera"] = {"hand": widget.session.hand.id, "row": row, "column": column, "zoom": zoom}
        window = self._window()
        if window is not None and window.isVisible():
            news["docks"] = base64.b64encode(bytes(window.saveState())).decode("ascii")
        place.note(widget.session.project.folder, **news)

    def stop(self) -> None:
        """Note it a last time; the project is closed."""
        self._timer.stop()
        self.note()
        window = self._window()
        if window is not None:
            window.removeEventFilter(self)

    def eventFilter(self, _watched, event) -> bool:  # noqa: N802
        if event.type() == QEvent.Type.Close:
            self.note()
            if self._widget.layers is not None:
                self._widget.layers.guard.rest()
        return False

    def _window(self) -> QMainWindow | None:
        window = self._widget.window()
        return window if isinstance(window, QMainWindow) else None
