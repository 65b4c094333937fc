"""Docks that come and go with the annotator's own: queue and history below the canvas at first, the side view beside
it."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Mapping

import napari
from qtpy.QtWidgets import QWidget

from napari_hand_mesh.docks.queue_panel import QueuePanel
from napari_hand_mesh.docks.video.panel import VideoPanel


class Companions:
    """Docks these widgets, name -> (widget, area): "bottom", "right"; a person may put them anywhere."""

    def __init__(self, viewer: napari.Viewer, widgets: Mapping[str, tuple[QWidget, str]]):
        self._viewer = weakref.ref(viewer)  # this is kept until the widget is destroyed, the viewer need not be
        self._widgets = dict(widgets)
        for name, (widget, area) in self._widgets.items():
            viewer.window.add_dock_widget(widget, name=name, area=area)

    def remove(self) -> None:
        """Take them off again; also when the window itself is going."""
        for widget, _area in self._widgets.values():
            with contextlib.suppress(RuntimeError, LookupError, AttributeError):  # gone with the window already
                if isinstance(widget, QueuePanel):
                    widget.model.stop()
                if isinstance(widget, VideoPanel):
                    widget.stop()
                self._viewer().window.remove_dock_widget(widget)
        self._widgets.clear()
