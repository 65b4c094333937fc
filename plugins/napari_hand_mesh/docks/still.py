"""Widgets that change often and disturb nothing else: words and pictures that move nothing, a bar that waits."""

from __future__ import annotations

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QProgressBar, QWidget


class Still(QWidget):
    """Holds a widget in a place of its size policy and its least and largest size, and passes nothing on.

    A label asks for another layout with every new word, whatever its policy; Qt then lays out all that is round it, up
    to the window, and paints that once more.
    """

    def __init__(self, held: QWidget):
        super().__init__()
        self._held = held
        held.setParent(self)
        self.setSizePolicy(held.sizePolicy())
        self.setMinimumSize(held.minimumSize())
        self.setMaximumSize(held.maximumSize())

    def event(self, event) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._held.sizeHint()  # rich text that is laid out while it is painted is painted twice
        return super().event(event)

    def resizeEvent(self, event) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._held.setGeometry(self.rect())


class Progress(QProgressBar):
    """Is painted with whatever is painted next; Qt's own paints the whole window at once for each value."""

    def show_part(self, done: int, total: int) -> None:
        self.setUpdatesEnabled(False)
        self.setMaximum(total)
        self.setValue(done)
        self.setUpdatesEnabled(True)
