"""The bar below the photo: verdicts, large and always in the same place, and one line for everything that is said."""

from __future__ import annotations

from collections import deque
from datetime import datetime

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_hand_mesh.docks.still import Progress, Still
from napari_hand_mesh.session import keys

KEPT = 50  # messages that can be read again
TALL = 40  # px of a verdict's button
LINE = 24  # px of the line of words
COLOURS = {"accept": "#1d6b4f", "reject": "#7b3230", "flag": "#76591c"}  # white words on them: contrast above 4.5
ICONS = {"previous_open": "◀", "accept": "✔", "reject": "✖", "flag": "⚑", "next_open": "▶"}


class VerdictBar(QWidget):
    """status: what goes on or went wrong, see `say`; burst: a button that takes back the verdicts of the last moments,
    hidden while there is none; cancel: of work under way. acted: the name of one of keys.ACTIONS."""

    acted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.said: deque[str] = deque(maxlen=KEPT)
        self.status = QLabel()
        self.status.setAccessibleName("message")
        self.status.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        # words never widen or move anything
        self.status.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.status.setFixedHeight(LINE)
        self.status.setStyleSheet("color: #f0b848")
        again = quiet("☰", "what was said before")
        again.setFixedWidth(30)
        again.setAccessibleName("messages")
        again.clicked.connect(lambda _checked=False: self._show_said(again))
        self.burst = quiet("", "undo these verdicts as one")
        self.burst.clicked.connect(lambda _checked=False: self.acted.emit("take_back"))
        self.burst.setVisible(False)
        self.cancel = quiet("Cancel", "stop what goes on: hands that were found stay, a round can go on later")
        self.cancel.setVisible(False)
        self.progress = Progress()
        self.progress.setFixedSize(130, LINE - 4)
        self.progress.setVisible(False)
        words = QHBoxLayout()
        words.setSpacing(6)
        words.addWidget(again)
        words.addWidget(Still(self.status), 1)
        for widget in (self.burst, self.progress, self.cancel):
            widget.setFixedHeight(LINE)
            words.addWidget(widget)
        row = QHBoxLayout()
        row.setSpacing(6)
        self.buttons: dict[str, QPushButton] = {}
        known = {action.name: action for action in keys.ACTIONS}
        for action in (known[name] for name in ICONS):  # from left to right
            label = f"{ICONS[action.name]} {action.button}  {keys.shown(action.key)}"
            button = quiet(label, action.words)
            button.setAccessibleName(action.button)
            button.setFixedHeight(TALL)
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            if action.name in COLOURS:
                colour = COLOURS[action.name]
                button.setStyleSheet(
                    f"QPushButton {{ background: {colour}; color: white; font: bold 14px; padding: 0 }}"
                    f"QPushButton:pressed {{ background: #222222 }}"
                )
            button.clicked.connect(lambda _checked=False, name=action.name: self.acted.emit(name))
            self.buttons[action.name] = button
            row.addWidget(button, 3 if action.name == "accept" else 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 2, 4, 4)
        layout.setSpacing(3)
        layout.addLayout(words)
        layout.addLayout(row)
        self.setFixedHeight(TALL + LINE + 12)

    def say(self, words: str) -> None:
        """Show words about what goes on; none: nothing."""
        if words and (not self.said or self.said[-1][6:] != words):
            self.said.append(f"{datetime.now():%H:%M} {words}")
        self.status.setText(words)
        self.status.setToolTip(words)

    def show_burst(self, count: int, seconds: float) -> None:
        """That so many hands were judged within so short a time; fewer than two: nothing."""
        self.burst.setText(f"↶ {count} verdicts in {max(seconds, 0.1):.1f} s: take all back")
        self.burst.setVisible(count > 1)

    def show_progress(self, done: int, total: int) -> None:
        """Of work under way; total 0: none is."""
        self.progress.setVisible(total > 0)
        if total:
            self.progress.show_part(done, total)

    def _show_said(self, button: QWidget) -> None:
        menu = QMenu(self)
        for words in reversed(self.said):
            menu.addAction(words)
        if not self.said:
            menu.addAction("nothing was said yet").setEnabled(False)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(button.mapToGlobal(button.rect().topLeft()))


def quiet(label: str, tip: str) -> QPushButton:
    """A button that leaves the keys with the canvas."""
    button = QPushButton(label)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return button
