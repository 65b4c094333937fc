"""Words beside the pointer: the joint under the mouse, its state, how unsure the network is of it."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QWidget

AWAY = 18  # px from the pointer: the joint itself stays in sight


class Beside(QLabel):
    """On the canvas, and never in the mouse's way."""

    def __init__(self, canvas: QWidget):
        super().__init__(canvas)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setStyleSheet("background: rgba(20, 20, 20, 200); color: white; padding: 2px 6px; border-radius: 3px")
        self.hide()

    def show_at(self, words: str, x: float, y: float) -> None:
        """Words by the pointer at (x, y) px of the canvas; none: nothing."""
        if not words:
            self.hide()
            return
        self.setText(words)
        self.adjustSize()
        room = self.parentWidget()
        left = x + AWAY if x + AWAY + self.width() < room.width() else x - AWAY - self.width()
        top = y + AWAY if y + AWAY + self.height() < room.height() else y - AWAY - self.height()
        self.move(int(max(left, 0)), int(max(top, 0)))
        self.show()
        self.raise_()
