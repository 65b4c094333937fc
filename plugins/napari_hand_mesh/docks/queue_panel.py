"""The column with the queue: filter, search, progress, the table, and verdicts on all hands that are selected in it."""

from __future__ import annotations

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QSizePolicy,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from napari_hand_mesh.docks.queue_table import ORDERS, QueueModel
from napari_hand_mesh.docks.still import Progress
from napari_hand_mesh.docks.verdict_bar import quiet
from napari_hand_mesh.jobs.thumbnails import SIDE
from napari_hand_mesh.session.navigation.finding import Wanted
from napari_hand_mesh.session.navigation.hand_queue import OPEN
from napari_hand_mesh.session.session import Session

FILTERS = {
    "to do": OPEN, "all": None, "accepted": ("accepted",), "rejected": ("rejected",), "flagged": ("flagged",),
}  # fmt: skip
WIDTHS = (140, 66, 44, 260, 44, 44, 120)
ROWS = 8  # at least to be seen
MOVING = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End)


class Table(QTableView):
    """Letters are verdicts, not a search: they go on to the window. moved: keys went to another row."""

    moved = Signal(int)

    def keyPressEvent(self, event) -> None:  # noqa: N802
        if event.key() not in MOVING:
            event.ignore()
            return
        super().keyPressEvent(event)
        if event.modifiers() == Qt.KeyboardModifier.NoModifier:
            self.moved.emit(self.currentIndex().row())


class QueuePanel(QWidget):
    """chosen: the id of a hand that was clicked; judged: (ids, state), of all that are selected."""

    chosen = Signal(str)
    judged = Signal(list, str)

    def __init__(self, parent=None):
        super().__init__(parent)
        self.model = QueueModel(self)
        self.filter = QComboBox()
        self.filter.addItems(list(FILTERS))
        self.filter.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.filter.currentTextChanged.connect(self._filtered)
        self.search = QLineEdit()
        self.search.setPlaceholderText("find: name, left, sure<40, labels>0")
        self.search.setToolTip("words that must be in the hand's name, photo, side, state or person; Enter goes there")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(lambda _text: self._filtered())
        self.search.returnPressed.connect(self._found)
        self.progress = Progress()
        self.progress.setFormat("%v of %m judged")
        self.table = self._table()
        self._session: Session | None = None
        self._shown: str | None = None

        top = QHBoxLayout()
        top.addWidget(self.filter)
        top.addWidget(self.progress, 1)
        many = QHBoxLayout()
        many.setSpacing(3)
        self.many = {}
        for state, label in (("accepted", "✔ Accept"), ("rejected", "✖ Reject"), ("flagged", "⚑ Flag")):
            button = quiet(label, f"{label[2:]} all hands that are selected (Ctrl or Shift and a click)")
            button.setAccessibleName(f"{label[2:]} all that are selected")
            button.clicked.connect(lambda _checked=False, state=state: self.judged.emit(self.selected(), state))
            self.many[state] = button
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            many.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self.search)
        layout.addWidget(self.table, 1)
        layout.addLayout(many)
        self.setMinimumWidth(200)
        self._selected()

    def _table(self) -> Table:
        table = Table()
        table.setModel(self.model)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        table.setAccessibleName("hands")
        table.setStyleSheet("font-size: 11px")  # a hand's whole name in a narrow column
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(SIDE + 4)
        table.setMinimumHeight(ROWS * (SIDE + 4) + 44)  # with header and scroll bar
        table.setIconSize(QSize(SIDE, SIDE))
        header = table.horizontalHeader()
        header.setStretchLastSection(True)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        header.setSortIndicator(ORDERS.index("confidence"), Qt.SortOrder.AscendingOrder)
        header.setToolTip("click to sort; Next follows this order")
        header.sortIndicatorChanged.connect(self._sorted)
        for column, width in enumerate(WIDTHS):
            table.setColumnWidth(column, width)
        table.clicked.connect(self._clicked)
        table.moved.connect(lambda row: self.chosen.emit(self.model.entry(row).id))
        table.selectionModel().selectionChanged.connect(lambda *_: self._selected())
        return table

    def show_session(self, session: Session | None) -> None:
        self._session, self._shown = session, None
        header = self.table.horizontalHeader()
        if session is not None and (header.sortIndicatorSection(), header.sortIndicatorOrder()) != (
            ORDERS.index("confidence"), Qt.SortOrder.AscendingOrder,
        ):  # fmt: skip
            self._sorted(header.sortIndicatorSection(), header.sortIndicatorOrder())
        self._filtered()
        self.refresh()

    def refresh(self) -> None:
        """After any change of the session."""
        self.model.refresh()
        if self._session is None:
            return
        done, total = self._session.progress()
        self.progress.show_part(done, max(total, 1))
        hand = self._session.hand.id if self._session.hand else None
        if hand == self._shown and len(self.selected()) > 1:
            return  # several are selected: that is a person's doing
        self._shown = hand
        row = self.model.row_of(hand) if hand else None
        if row is None:
            self.table.clearSelection()
        else:
            self.table.selectRow(row)
            self.table.scrollTo(self.model.index(row, 0))

    def selected(self) -> list[str]:
        """The ids of the selected hands, from above."""
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return [self.model.entry(row).id for row in rows]

    def _selected(self) -> None:
        count = len(self.table.selectionModel().selectedRows())
        for button in self.many.values():
            button.setEnabled(count > 1)
            button.setText(f"{button.text()[0]} {count}" if count > 1 else f"{button.text()[0]} all")

    def _clicked(self, index) -> None:
        if len(self.table.selectionModel().selectedRows()) <= 1:
            self.chosen.emit(self.model.entry(index.row()).id)

    def _found(self) -> None:
        if self.model.rowCount():
            self.chosen.emit(self.model.entry(0).id)

    def _sorted(self, column: int, order) -> None:
        if self._session is None or not ORDERS[column]:
            return
        self._session.hand_queue.sort(ORDERS[column], order == Qt.SortOrder.DescendingOrder)
        self.refresh()

    def _filtered(self, _text: str = "") -> None:
        self.model.show(self._session, FILTERS[self.filter.currentText()], Wanted(self.search.text().strip()))
