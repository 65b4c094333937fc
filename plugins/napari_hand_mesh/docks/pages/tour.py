"""A tour of the first hands: one step at a time, the thing to click framed. It goes on when the step was done, can be
left at any time and called again, and stands in nobody's way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qtpy.QtCore import QPoint, Qt, QTimer, Signal
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_hand_mesh.docks.verdict_bar import quiet

LOOK = 250  # ms between looks whether the step was done
WIDE, PAD = 300, 10  # px


@dataclass(frozen=True)
class TourStep:
    """words: what to do; where: what to click, or nothing; done: whether it was done; a step that needs no deed has
    none, and waits for Next."""

    words: str
    where: Callable[[], QWidget | None]
    done: Callable[[], bool] | None = None


class Tour(QFrame):
    """In a corner of `room`, where hands seldom are. at: which step is shown; ended: the last one was done, or the
    person left."""

    ended = Signal()

    def __init__(self, room: QWidget, steps: list[TourStep]):
        super().__init__(room)
        self.steps, self.at = steps, 0
        self.setFixedWidth(WIDE)
        self.setObjectName("tour")
        self.setStyleSheet("#tour { background: #22303c; border: 2px solid #ffd24a; border-radius: 6px }")
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.RichText)
        self.words.setStyleSheet("color: white; font-size: 13px")
        self.words.setAccessibleName("tour")
        self.next = quiet("Next", "the next step, whether this one was done or not")
        self.leave = quiet("Leave the tour", "the button Tour calls it again")
        self.next.clicked.connect(lambda _checked=False: self.go(self.at + 1))
        self.leave.clicked.connect(lambda _checked=False: self.end())
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.leave)
        row.addWidget(self.next)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(PAD, PAD, PAD, PAD)
        layout.setSpacing(PAD)
        layout.addWidget(self.words)
        layout.addLayout(row)
        self._frame: QFrame | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK)
        self._timer.timeout.connect(self._look)
        self.go(0)
        self._timer.start()

    def go(self, at: int) -> None:
        """Show this step; behind the last one the tour ends."""
        if at >= len(self.steps):
            self.end()
            return
        self.at = at
        self.words.setText(f"<b>{at + 1} of {len(self.steps)}</b>&nbsp; {self.steps[at].words}")
        self.next.setText("Next" if at + 1 < len(self.steps) else "Done")
        self.show()
        self._place()

    def end(self) -> None:
        self._timer.stop()
        if self._frame is not None:
            self._frame.hide()
            self._frame.deleteLater()
            self._frame = None
        self.hide()
        self.deleteLater()
        self.ended.emit()

    def _look(self) -> None:
        done = self.steps[self.at].done
        if done is not None and done():
            self.go(self.at + 1)
        elif self.isVisible():
            self._place()

    def _place(self) -> None:
        """As large as the words, and the frame where the thing to click is now."""
        self.words.setFixedHeight(self.words.heightForWidth(WIDE - 2 * PAD))
        self.setFixedHeight(self.words.height() + self.next.sizeHint().height() + 3 * PAD)
        self.move(PAD, PAD)
        self.raise_()
        target = self.steps[self.at].where()
        if target is None or not target.isVisible():
            if self._frame is not None:
                self._frame.hide()
            return
        window = target.window()
        if self._frame is None or self._frame.parentWidget() is not window:
            if self._frame is not None:
                self._frame.deleteLater()
            self._frame = QFrame(window)
            self._frame.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            self._frame.setStyleSheet("border: 3px solid #ffd24a; border-radius: 4px; background: transparent")
        corner = target.mapTo(window, QPoint(0, 0))
        self._frame.setGeometry(corner.x() - 3, corner.y() - 3, target.width() + 6, target.height() + 6)
        self._frame.show()
        self._frame.raise_()
