"""The queue as a table: hands, their states, how sure the network is, and why to look at them.

Picture and reason of a hand cost some milliseconds, so they are made for rows that are in sight, in a thread.
"""

from __future__ import annotations

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFont
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from annotator.project import HandEntry
from napari_hand_mesh.jobs.thumbnails import SIDE, Thumbnails, blank
from napari_hand_mesh.session.hand_queue import OPEN
from napari_hand_mesh.session.session import Session, why_look

FILTERS = {
    "to do": OPEN, "all": None, "accepted": ("accepted",), "rejected": ("rejected",), "flagged": ("flagged",),
}  # fmt: skip
COLUMNS = ("hand", "state", "sure", "why look")
COLOURS = {"accepted": "#00a878", "rejected": "#d1605e", "flagged": "#d99a1c", "in work": "#4f9fd8"}


class QueueModel(QAbstractTableModel):
    """Some of a session's hands, in the queue's order."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._session: Session | None = None
        self._entries: list[HandEntry] = []
        self._row: dict[str, int] = {}
        self._states: tuple[str, ...] | None = OPEN
        self._generation = self._heard = 0  # how far this has followed the session's queue
        self._blank = blank()
        self.thumbnails = Thumbnails(why_look, self)
        self.thumbnails.came.connect(self._came)

    def show(self, session: Session | None, states: tuple[str, ...] | None) -> None:
        """Show a session's hands of these states (None: of all)."""
        if session is not self._session:
            self.stop()
            if session is not None:
                self.thumbnails.start(session.project.folder)
        self.beginResetModel()
        self._session, self._states = session, states
        self._list()
        self.endResetModel()

    def refresh(self) -> None:
        """Take over what changed in the session's queue; only a changed set of rows resets the view."""
        if self._session is None:
            return
        if self._taken_over():
            return
        before = self._entries
        self._list()
        if [entry.id for entry in before] != [entry.id for entry in self._entries]:
            after, self._entries = self._entries, before
            self.beginResetModel()
            self._entries = after
            self.endResetModel()
            return
        for row, (old, new) in enumerate(zip(before, self._entries, strict=True)):
            if old is not new:
                self.dataChanged.emit(self.index(row, 0), self.index(row, len(COLUMNS) - 1))

    def _taken_over(self) -> bool:
        """Only a few rows changed, none came or went: they are taken over; else False."""
        source = self._session.hand_queue
        if source.generation != self._generation:
            return False
        news, self._heard = source.news[self._heard :], len(source.news)
        for hand_id in dict.fromkeys(news):
            entry, row = source.entry(hand_id), self._row.get(hand_id)
            if (row is None) == self._shows(entry):
                return False
            if row is not None and self._entries[row] is not entry:
                self._entries[row] = entry
                self.dataChanged.emit(self.index(row, 0), self.index(row, len(COLUMNS) - 1))
        return True

    def _shows(self, entry: HandEntry) -> bool:
        return self._states is None or entry.state in self._states

    def stop(self) -> None:
        """No more work in the background."""
        self.thumbnails.stop()

    def row_of(self, hand_id: str) -> int | None:
        return self._row.get(hand_id)

    def entry(self, row: int) -> HandEntry:
        return self._entries[row]

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802
        return len(self._entries)

    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802
        return len(COLUMNS)

    def headerData(self, section, orientation, role=Qt.ItemDataRole.DisplayRole):  # noqa: N802
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return COLUMNS[section]
        return None

    def data(self, index: QModelIndex, role=Qt.ItemDataRole.DisplayRole):
        entry = self._entries[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return (entry.id, entry.state, f"{100 * entry.confidence:.0f} %", self._reason(entry))[index.column()]
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0:
            return self.thumbnails.pixmap(entry) or self._blank
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 1 and entry.state in COLOURS:
            return QColor(COLOURS[entry.state])
        if role == Qt.ItemDataRole.ToolTipRole:
            line = f"{entry.photo_name}, {entry.side} hand, {entry.corrections} corrections"
            return f"{line}\n{self._reason(entry)}"
        if role == Qt.ItemDataRole.FontRole and self._session and self._session.hand:
            font = QFont()
            font.setBold(entry.id == self._session.hand.id)
            return font
        return None

    def _list(self) -> None:
        source = self._session.hand_queue if self._session else None
        queue = source.entries if source else []
        self._generation, self._heard = (source.generation, len(source.news)) if source else (0, 0)
        self._entries = [entry for entry in queue if self._shows(entry)]
        self._row = {entry.id: row for row, entry in enumerate(self._entries)}

    def _reason(self, entry: HandEntry) -> str:
        known = self.thumbnails.reason(entry)
        return "…" if known is None else known

    def _came(self, hand_id: str, _version: int) -> None:
        row = self._row.get(hand_id)
        if row is not None:
            self.dataChanged.emit(self.index(row, 0), self.index(row, len(COLUMNS) - 1))


class QueuePanel(QWidget):
    """Filter, progress and the table. chosen: the id of a hand that was clicked."""

    chosen = Signal(str)

    def __init__(self, parent=None):
        super().__init__(parent)
        self.model = QueueModel(self)
        self.filter = QComboBox()
        self.filter.addItems(list(FILTERS))
        self.filter.currentTextChanged.connect(self._filtered)
        self.progress = QProgressBar()
        self.progress.setFormat("%v of %m judged")
        self.table = QTableView()
        self.table.setModel(self.model)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys stay with the canvas
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setMinimumHeight(110)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(SIDE + 4)
        self.table.setIconSize(QSize(SIDE, SIDE))
        header = self.table.horizontalHeader()
        header.setStretchLastSection(True)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        for column, width in enumerate((196, 84, 50)):
            self.table.setColumnWidth(column, width)
        self.table.clicked.connect(lambda index: self.chosen.emit(self.model.entry(index.row()).id))
        self._session: Session | None = None

        top = QHBoxLayout()
        top.addWidget(QLabel("Show"))
        top.addWidget(self.filter)
        top.addWidget(self.progress, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addLayout(top)
        layout.addWidget(self.table, 1)

    def show_session(self, session: Session | None) -> None:
        self._session = session
        self._filtered(self.filter.currentText())
        self.refresh()

    def refresh(self) -> None:
        """After any change of the session."""
        self.model.refresh()
        if self._session is None:
            return
        done, total = self._session.progress()
        self.progress.setMaximum(max(total, 1))
        self.progress.setValue(done)
        row = self.model.row_of(self._session.hand.id) if self._session.hand else None
        if row is None:
            self.table.clearSelection()
        else:
            self.table.selectRow(row)
            self.table.scrollTo(self.model.index(row, 0))

    def _filtered(self, text: str) -> None:
        self.model.show(self._session, FILTERS[text])
