"""A question over the window; whoever asks goes on and is called with the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

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


def choose(
    parent: QWidget, words: str, answers: Mapping[str, Callable[[], None]], otherwise: Callable[[], None]
) -> QMessageBox:
    """Ask which of these (label -> what is done); the answer at hand is Cancel, which does `otherwise`."""
    box = QMessageBox(QMessageBox.Icon.Question, "Hand annotator", words, QMessageBox.StandardButton.NoButton, parent)
    for label, call in answers.items():
        button = box.addButton(label, QMessageBox.ButtonRole.ActionRole)
        button.clicked.connect(lambda _checked=False, call=call: call())
    cancel = box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
    cancel.clicked.connect(lambda _checked=False: otherwise())
    box.setDefaultButton(cancel)
    box.setEscapeButton(cancel)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()
    return box
