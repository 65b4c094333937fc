"""A question with Yes and No over the window; whoever asks goes on and is called when it is answered with Yes."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox, QWidget


def ask(parent: QWidget, words: str, yes: Callable[[], None]) -> QMessageBox:
    """Ask; the answer at hand (Enter) is No. The box goes away by itself."""
    buttons = QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No
    box = QMessageBox(QMessageBox.Icon.Question, "Hand annotator", words, buttons, parent)
    box.setDefaultButton(QMessageBox.StandardButton.No)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.button(QMessageBox.StandardButton.Yes).clicked.connect(lambda _checked=False: yes())
    box.open()
    return box
