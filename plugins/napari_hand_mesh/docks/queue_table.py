"""The queue as a table: hands, their states, how sure the network is, and why to look at them.

Picture and reason of a hand cost some milliseconds, so they are made for rows that are in sight, in a thread.
"""

from __future__ import annotations

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtGui import QColor, QFont

from annotator.project import HandEntry
from napari_hand_mesh.jobs.thumbnails import Thumbnails, blank
from napari_hand_mesh.session.navigation.finding import Wanted
from napari_hand_mesh.session.navigation.hand_queue import OPEN
from napari_hand_mesh.session.session import Session
from napari_hand_mesh.session.words import why_look

ALL = Wanted()
COLUMNS = ("hand", "state", "sure", "why look", "labels", "side", "photo")
ORDERS = ("number", "state", "confidence", "", "corrections", "side", "photo")  # what a column is sorted by
DISPLAY, DECORATION, FOREGROUND, TOOL_TIP, FONT = (
    getattr(Qt.ItemDataRole, f"{name}Role") for name in ("Display", "Decoration", "Foreground", "ToolTip", "Font")
)
COLOURS = {"accepted": "#00a878", "rejected": "#d1605e", "flagged": "#d99a1c", "in work": "#4f9fd8"}


class QueueModel(QAbstractTableModel):
    """Some of a session's hands, in the queue's order."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._session: Session | None = None
        self._entries: list[HandEntry] = []
        self._row: dict[str, int] = {}
        self._states: tuple[str, ...] | None = OPEN
        self._wanted = Wanted()
        self._generation = self._heard = 0  # how far this has followed the session's queue
        self._blank = blank()
        self._bold = QFont()
        self._bold.setBold(True)
        self._colours = {state: QColor(colour) for state, colour in COLOURS.items()}
        self.thumbnails = Thumbnails(why_look, self)
        self.thumbnails.came.connect(self._came)

    def show(self, session: Session | None, states: tuple[str, ...] | None, wanted: Wanted = ALL) -> None:
        """Show a session's hands of these states (None: of all) that are wanted."""
        if session is not self._session:
            self.stop()
            if session is not None:
                self.thumbnails.start(session.project.folder)
        self.beginResetModel()
        self._session, self._states, self._wanted = session, states, wanted
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
        return (self._states is None or entry.state in self._states) and self._wanted.takes(entry)

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

    def data(self, index: QModelIndex, role=DISPLAY):
        """Asked for some hundred times in each painting of the table, so that nothing is made that is not wanted."""
        if role == DISPLAY:
            return self._words(self._entries[index.row()], index.column())
        if role == FONT:
            here = self._session.hand if self._session else None
            return self._bold if here is not None and self._entries[index.row()].id == here.id else None
        if role == DECORATION and index.column() == 0:
            return self.thumbnails.pixmap(self._entries[index.row()]) or self._blank
        if role == FOREGROUND and index.column() == 1:
            return self._colours.get(self._entries[index.row()].state)
        if role == TOOL_TIP:
            entry = self._entries[index.row()]
            line = f"{entry.photo_name}, {entry.side} hand, {entry.corrections} labels"
            line += f", open by {entry.leased_by}" if entry.leased_by else ""
            return f"{line}\n{self._reason(entry)}"
        return None

    def _words(self, entry: HandEntry, column: int) -> str:
        name = COLUMNS[column]
        if name == "hand":
            return entry.id
        if name == "state":
            return entry.state
        if name == "sure":
            return f"{100 * entry.confidence:.0f} %"
        if name == "why look":
            return self._reason(entry)
        if name == "labels":
            return str(entry.corrections or "")
        return entry.side if name == "side" else entry.photo_name

    def _list(self) -> None:
        source = self._session.hand_queue if self._session else None
        queue = source.entries if source else []
        self._generation, self._heard = (source.generation, len(source.news)) if source else (0, 0)
        self._entries = [entry for entry in queue if self._shows(entry)]
        self._row = {entry.id: row for row, entry in enumerate(self._entries)}

    def _reason(self, entry: HandEntry) -> str:
        known = self.thumbnails.reason(entry)
        return "…" if known is None else known

    def _came(self, hands: frozenset[str]) -> None:
        for hand_id in hands:
            row = self._row.get(hand_id)
            if row is not None:
                self.dataChanged.emit(self.index(row, 0), self.index(row, len(COLUMNS) - 1))
