"""The list of hands that look the same in the photo: each can be looked at, and one taken."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QListWidget, QPushButton, QVBoxLayout, QWidget

from annotator.correcting.depth.alternatives import Alternative
from annotator.hand.mesh import HandMesh


class DepthList(QWidget):
    """Hidden until `show_found`. looked_at: an `Alternative`, or None for the hand as it is; taken: an
    `Alternative`; changed: the list, or which of it is looked at."""

    looked_at = Signal(object)
    taken = Signal(object)
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._found: tuple[Alternative, ...] = ()
        self.list = QListWidget()
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setMaximumHeight(96)
        self.list.currentRowChanged.connect(lambda row: self.looked_at.emit(self.chosen(row)))
        self.list.currentRowChanged.connect(lambda _row: self.changed.emit())
        take, close = QPushButton("Take this one"), QPushButton("Keep it as it is")
        take.clicked.connect(lambda _checked=False: self.take())
        close.clicked.connect(lambda _checked=False: self.close_list())
        row = QHBoxLayout()
        for button in (take, close):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(QLabel("Other hands that look the same in the photo:"))
        layout.addWidget(self.list)
        layout.addLayout(row)
        self.setVisible(False)

    def show_found(self, found: Sequence[Alternative]) -> None:
        """List these beside the hand as it is."""
        self._found = tuple(found)
        self.list.blockSignals(True)
        self.list.clear()
        self.list.addItem("as it is")
        for one in self._found:
            self.list.addItem(f"{one.words}: up to {one.moved_mm:.0f} mm in depth, strain {one.strain:.1f}")
        self.list.setCurrentRow(0)
        self.list.blockSignals(False)
        self.setVisible(True)
        self.changed.emit()

    @property
    def hands(self) -> list[HandMesh]:
        """Those that are listed, in their order."""
        return [one.hand for one in self._found]

    @property
    def looked_at_number(self) -> int | None:
        """Which of `hands` is looked at; None: the hand as it is."""
        row = self.list.currentRow()
        return row - 1 if 0 < row <= len(self._found) else None

    def chosen(self, row: int | None = None) -> Alternative | None:
        """The one of this row (None: the current one); None for the hand as it is."""
        row = self.list.currentRow() if row is None else row
        return self._found[row - 1] if 0 < row <= len(self._found) else None

    def take(self) -> None:
        one = self.chosen()
        self.forget()
        if one is not None:
            self.taken.emit(one)

    def close_list(self) -> None:
        if self.isVisible():
            self.looked_at.emit(None)
        self.forget()

    def forget(self) -> None:
        """Another hand, or another mesh: the list is of no use any more."""
        shown, self._found = bool(self._found), ()
        self.setVisible(False)
        if shown:
            self.changed.emit()
