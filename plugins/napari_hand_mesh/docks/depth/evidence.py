"""The list of what a person said of a hand's depth: a click takes one thing back."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QListWidget, QVBoxLayout, QWidget

from annotator.hand.depth_labels import DepthLabels

LEAST, TALL = 22, 66  # px: one line, three lines


class EvidenceList(QWidget):
    """Hidden while nothing was said. taken_back: the `DepthLabels` of a line that was clicked."""

    taken_back = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[DepthLabels] = []
        self.list = QListWidget()
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setMinimumHeight(LEAST)
        self.list.setMaximumHeight(TALL)
        self.list.setStyleSheet("font-size: 11px")
        self.list.setAccessibleName("what was said of depth")
        self.list.setToolTip("what was said of this hand's depth; a click takes it back")
        self.list.itemClicked.connect(lambda item: self.taken_back.emit(self._parts[self.list.row(item)]))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list)
        self.setVisible(False)

    def show_labels(self, labels: DepthLabels | None) -> None:
        """What this hand has; None: no hand."""
        self._parts = [] if labels is None else labels.parts()
        words = [f"✕ {part.words()}" for part in self._parts]
        if words != [self.list.item(row).text() for row in range(self.list.count())]:
            self.list.clear()
            self.list.addItems(words)
        self.setVisible(bool(words))
