"""How the work goes, as a page: words, verdicts over time, and where the time went."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from napari_hand_mesh.jobs.progress import Progress

TALL, ROW = 110, 20  # px: of the picture over time, of a bar in the other
COLOUR, QUIET = "#3f9f7f", "#8a939c"


class OverTime(QWidget):
    """Upright bars, each with its number above and its label below where there is room."""

    def __init__(self, bars: Sequence[tuple[str, int]]):
        super().__init__()
        self.bars = list(bars)
        self.setFixedHeight(TALL)
        self.setAccessibleName("verdicts over time")

    def paintEvent(self, _event) -> None:  # noqa: N802
        painter = QPainter(self)
        most, wide = max(count for _, count in self.bars), self.width() / max(len(self.bars), 6)
        every = max(round(44 / wide + 0.49), 1)  # labels that fit beside each other
        for at, (label, count) in enumerate(self.bars):
            high = (TALL - 36) * count / most
            painter.fillRect(QRectF(at * wide + 2, TALL - 18 - high, wide - 4, high), QColor(COLOUR))
            painter.setPen(self.palette().text().color())
            painter.drawText(QRectF(at * wide, TALL - 36 - high, wide, 17), Qt.AlignmentFlag.AlignCenter, str(count))
            if at % every == 0:
                place = QRectF(at * wide, TALL - 17, wide * every, 16)
                painter.drawText(place, Qt.AlignmentFlag.AlignLeft, label)
        painter.end()


class Spent(QWidget):
    """Lying bars with words and minutes."""

    def __init__(self, bars: Sequence[tuple[str, float]]):
        super().__init__()
        self.bars = list(bars)
        self.setFixedHeight(ROW * len(self.bars) + 4)
        self.setAccessibleName("where the time went")

    def paintEvent(self, _event) -> None:  # noqa: N802
        painter = QPainter(self)
        total, words = sum(seconds for _, seconds in self.bars), 220
        for at, (name, seconds) in enumerate(self.bars):
            share = seconds / total
            painter.fillRect(QRectF(words, at * ROW + 3, (self.width() - words - 124) * share, ROW - 6), QColor(COLOUR))
            painter.setPen(self.palette().text().color())
            middle = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, at * ROW, words - 6, ROW), middle, name)
            told = f"{100 * share:.0f} %, {seconds / 60:.1f} min"
            painter.drawText(QRectF(self.width() - 120, at * ROW, 120, ROW), middle | Qt.AlignmentFlag.AlignRight, told)
        painter.end()


class ProgressPage(QDialog):
    """Shown once; it does not follow what is done meanwhile."""

    def __init__(self, progress: Progress, parent: QWidget | None = None):
        super().__init__(parent)
        self.setWindowTitle("Progress")
        layout = QVBoxLayout(self)
        self.told = QLabel(progress.words())
        self.told.setTextFormat(Qt.TextFormat.RichText)
        self.told.setWordWrap(True)
        layout.addWidget(self.told)
        for title, bars, made in (
            ("Verdicts over time", progress.over_time, OverTime),
            ("Where the time went", progress.spent, Spent),
        ):
            if bars:
                layout.addWidget(QLabel(f"<b>{title}</b>"))
                layout.addWidget(made(bars))
        if not progress.people:
            layout.addWidget(QLabel(f"<span style='color:{QUIET}'>Nobody has judged or moved anything yet.</span>"))
        layout.addStretch(1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(620, 440)
