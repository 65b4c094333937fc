"""The dock with the last steps, of all hands: what undo would take back, and what redo would bring back."""

from __future__ import annotations

from datetime import datetime

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from annotator.project.overview.steps import Step, steps_of
from napari_hand_mesh.session.session import Session

SHOWN = 100  # the journal is not limited, the eye is
UNDONE = QColor(128, 128, 128)


class HistoryPanel(QWidget):
    """A list of steps, newest first; those undone are struck out. acted: "undo" or "redo"; chosen: a hand's id."""

    acted = Signal(str)
    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[Step] = []
        self._seen: tuple | None = None
        self.table = QTableWidget(0, 3)
        self.table.setHorizontalHeaderLabels(["step", "hand", "time"])
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.table.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys stay with the canvas
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(22)
        header = self.table.horizontalHeader()
        header.setStretchLastSection(True)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        for column, width in enumerate((110, 100)):
            self.table.setColumnWidth(column, width)
        self.table.setToolTip("click a step to see its hand")
        self.table.cellClicked.connect(lambda row, _column: self.chosen.emit(self.steps[row].hand))
        buttons = QHBoxLayout()
        for name, label in (("undo", "Undo"), ("redo", "Redo")):
            button = QPushButton(label)
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(lambda _checked=False, name=name: self.acted.emit(name))
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addLayout(buttons)
        layout.addWidget(self.table, 1)
        self.setMinimumWidth(200)

    def show_session(self, session: Session | None) -> None:
        """The session's steps as its journal has them now; None: none."""
        newest = [] if session is None else session.project.recent(1)
        seen = (session, newest[0].seq if newest else 0)
        if seen == self._seen:  # looking at another hand is no step
            return
        self._seen = seen
        self.steps = [] if session is None else steps_of(session.project.recent(2 * SHOWN))[:SHOWN]
        self.table.setRowCount(len(self.steps))
        for row, step in enumerate(self.steps):
            time = datetime.fromisoformat(step.at).astimezone().strftime("%H:%M")
            for column, words in enumerate((step.words, step.hand, time)):
                item = QTableWidgetItem(words)
                item.setToolTip(f"{step.at[:19].replace('T', ' ')} UTC, {step.who}: {step.words}")
                if step.undone:
                    font = item.font()
                    font.setStrikeOut(True)
                    item.setFont(font)
                    item.setForeground(UNDONE)
                self.table.setItem(row, column, item)
