"""Tracks by frame, painted: a lane each, with pictures, states and doubts; a click goes to a frame, the wheel zooms."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QRect, QSize, Qt, Signal
from qtpy.QtGui import QBrush, QColor, QImage, QPainter, QPen, QPixmap
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from napari_hand_mesh.jobs.thumbnails import Thumbnails
from napari_hand_mesh.session.session import Session
from napari_hand_mesh.session.video.lanes import MARKS, Columns, Lane
from napari_hand_mesh.session.video.timeline import Timeline
from napari_hand_mesh.session.words import why_look

# px, from above: numbers of frames; of each lane its pictures, states and doubts
RULER, PICTURE, STATES, DOUBTS, MARGIN = 16, 34, 10, 8, 4
HEAD = 62  # px at the left: which track it is
LANES = 4  # at most at once; two of them have pictures
CLOSEST = 12  # frames that fill the strip at the nearest zoom
# apart in lightness as well as in hue: told apart by people with the common colour blindnesses
COLOURS = {
    "proposed": "#5b7083", "bridged": "#8f8f8f", "propagated": "#b07aa1", "corrected": "#f2b134",
    "accepted": "#00a878", "rejected": "#d1605e", "flagged": "#ffe28a",
}  # fmt: skip
BACK, GAP, INK, HERE, DOUBT, DOUBTFUL = "#20242a", "#2b3038", "#c8ccd2", "#ffffff", "#7fb2e5", "#ff6b5e"


class StripView(QWidget):
    """chosen: a hand's id that was clicked; missed: words about a click where no hand is."""

    chosen = Signal(str)
    missed = Signal(str)

    def __init__(self, timeline: Timeline) -> None:
        super().__init__()
        self.timeline = timeline
        self.first, self.last = 0.0, 1.0  # frames that are in sight, [first, last)
        self._span: tuple[int, int] | None = None
        self._session: Session | None = None
        self._drawn: tuple[tuple, QPixmap] | None = None  # all but the person's place, and what it was drawn from
        self._came_in = 0  # pictures so far
        self.thumbnails = Thumbnails(why_look, self)
        self.thumbnails.came.connect(self._came)
        self.setFixedHeight(RULER + 2 * (PICTURE + STATES + DOUBTS + MARGIN))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys stay with the canvas
        self.setMouseTracking(True)
        self.setAccessibleName("tracks by frame")

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(600, self.height())

    def show_session(self, session: Session | None) -> None:
        """The session's video, after any change; the person's frame is in sight."""
        if session is not self._session:
            self.thumbnails.stop()
            self._session = session
            if session is not None:
                self.thumbnails.start(session.project.folder)
        span = self.timeline.span()
        if span != self._span:
            self._span = span
            self.first, self.last = map(float, span)
        entry = self.timeline.entry()
        if entry is not None and not self.first <= (entry.frame or 0) < self.last:
            self.look((entry.frame or 0) - (self.last - self.first) / 2, self.last - self.first)
        self.update()

    def look(self, first: float, count: float) -> None:
        """Bring `count` frames from `first` on into sight, as far as there are so many."""
        low, high = self.timeline.span()
        count = float(np.clip(count, min(CLOSEST, high - low), high - low))
        self.first = float(np.clip(first, low, high - count))
        self.last = self.first + count
        self.update()

    def _came(self, _hands: frozenset[str]) -> None:
        self._came_in += 1
        self.update()

    # -- where things are ------------------------------------------------------------------------------------
    def lanes(self) -> list[tuple[Lane, QRect, bool]]:
        """The lanes that are drawn, each with its place and whether it has pictures."""
        shown = self.timeline.shown(self.first, self.last, LANES)
        found, y = [], RULER
        for lane in shown:
            pictures = len(shown) <= 2 or lane is self.timeline.lane
            height = (PICTURE if pictures else 0) + STATES + DOUBTS
            found.append((lane, QRect(HEAD, y, max(self.width() - HEAD, 1), height), pictures))
            y += height + MARGIN
        return found

    def x_of(self, frame: float) -> float:
        return HEAD + (frame - self.first) / (self.last - self.first) * max(self.width() - HEAD, 1)

    def frame_at(self, x: float) -> float:
        return self.first + (x - HEAD) / max(self.width() - HEAD, 1) * (self.last - self.first)

    def _under(self, x: float, y: float) -> tuple[Lane, int] | None:
        """(lane, row) of the hand nearest to a place of the strip; None: no lane is there."""
        for lane, place, _ in self.lanes():
            if place.top() <= y < place.bottom() + MARGIN and x >= HEAD:
                return lane, lane.nearest(self.frame_at(x) - lane.step / 2)
        return None

    # -- mouse -----------------------------------------------------------------------------------------------
    def mousePressEvent(self, event) -> None:  # noqa: N802
        under = self._under(event.pos().x(), event.pos().y())
        if under is None:
            return
        lane, row = under
        frame, entry = int(self.frame_at(event.pos().x())), lane.entries[row]
        off = max(lane.frames[row] - frame, frame - (lane.frames[row] + lane.step - 1), 0)
        pixel = (self.last - self.first) / max(self.width() - HEAD, 1)
        if off > max(2 * pixel, lane.step):
            self.missed.emit(
                f"track {lane.track} has no hand in frame {frame}; the nearest is in frame {lane.frames[row]}"
            )
            return
        self.chosen.emit(entry.id)

    def mouseMoveEvent(self, event) -> None:  # noqa: N802
        under = self._under(event.pos().x(), event.pos().y())
        if under is None:
            return
        lane, row = under
        entry = lane.entries[row]
        words = f"frame {entry.frame} ({entry.seconds:.2f} s), track {lane.track}: {lane.mark(row)}"
        words += f", {', '.join(entry.reasons)}" if entry.reasons else ""
        QToolTip.showText(event.globalPos(), f"{words}, {100 * entry.confidence:.0f} % sure", self)

    def wheelEvent(self, event) -> None:  # noqa: N802
        count = self.last - self.first
        turn = event.angleDelta()
        if turn.x() and not turn.y():  # a wheel that goes sideways
            self.look(self.first - turn.x() / 1200 * count, count)
            return
        at, factor = self.frame_at(event.position().x()), 0.8 ** (turn.y() / 120)
        self.look(at - (at - self.first) * factor, count * factor)
        event.accept()

    # -- painting --------------------------------------------------------------------------------------------
    def paintEvent(self, _event) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._background())
        entry = self.timeline.entry()
        if entry is not None:
            x, wide = self.x_of(entry.frame or 0), self.x_of((entry.frame or 0) + 1) - self.x_of(entry.frame or 0)
            painter.setPen(QPen(QColor(HERE), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRect(int(x) - (0 if wide > 3 else 1), RULER - 3, max(int(wide) - 1, 2), self.height()))
        painter.end()

    def _background(self) -> QPixmap:
        """All but the person's place; the same picture while nothing in it has changed, as from frame to frame."""
        lanes = self.timeline.lanes
        scale = self.devicePixelRatioF()
        of = (
            self.first, self.last, self.width(), self.height(), scale, self._came_in, self.timeline.lane,
            *((lane, lane.changes) for lane in lanes),
        )  # fmt: skip
        if self._drawn is not None and self._drawn[0] == of:
            return self._drawn[1]
        pixmap = QPixmap(int(np.ceil(self.width() * scale)), int(np.ceil(self.height() * scale)))
        pixmap.setDevicePixelRatio(scale)
        pixmap.fill(QColor(BACK))
        painter = QPainter(pixmap)
        if lanes:
            font = self.font()
            font.setPixelSize(10)
            painter.setFont(font)
            self._rule(painter)
            for lane, place, pictures in self.lanes():
                self._paint(painter, lane, place, pictures)
        else:
            painter.setPen(QColor(INK))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "this photo is on no track of a video")
        painter.end()
        self._drawn = of, pixmap
        return pixmap

    def _rule(self, painter: QPainter) -> None:
        """Numbers of frames."""
        wide = max(self.width() - HEAD, 1)
        rough = (self.last - self.first) * 70 / wide
        power = 10 ** np.floor(np.log10(max(rough, 1)))
        step = max(int(next(k * power for k in (1, 2, 5, 10) if k * power >= rough)), 1)
        painter.setPen(QColor(INK))
        for frame in range(-(-int(np.ceil(self.first)) // step) * step, int(self.last) + 1, step):
            x = int(self.x_of(frame))
            painter.drawLine(x, RULER - 4, x, RULER - 1)
            painter.drawText(x + 3, RULER - 5, str(frame))

    def _paint(self, painter: QPainter, lane: Lane, place: QRect, pictures: bool) -> None:
        own = lane is self.timeline.lane
        painter.fillRect(place, QColor(GAP))
        painter.setPen(QColor(HERE if own else INK))
        label = f"{'▸ ' if own else ''}{lane.track} {lane.side}"
        painter.drawText(QRect(2, place.top(), HEAD - 4, place.height()), Qt.AlignmentFlag.AlignVCenter, label)
        columns = lane.columns(self.first, self.last, place.width())
        top = place.top() + (PICTURE if pictures else 0)
        painter.drawImage(place.left(), top, _bars(columns))
        for x, count, mark in columns.runs():
            if mark == "bridged":  # nobody saw these
                bar = QRect(place.left() + x, top, count, STATES)
                painter.fillRect(bar, QBrush(QColor(BACK), Qt.BrushStyle.BDiagPattern))
        if pictures and self._session is not None:
            self._pictures(painter, lane, place)

    def _pictures(self, painter: QPainter, lane: Lane, place: QRect) -> None:
        """As many as have room, each of the frame in its middle."""
        beside = max(PICTURE, self.x_of(self.first + lane.step) - HEAD)
        wide = beside / place.width() * (self.last - self.first)  # frames that one picture stands for
        for at in range(max(int(place.width() // beside), 1)):
            middle = self.first + (at + 0.5) * wide
            row = lane.nearest(middle - lane.step / 2)
            if abs(int(lane.frames[row]) + lane.step / 2 - middle) > max(lane.step, wide):
                continue  # a gap
            pixmap = self.thumbnails.pixmap(lane.entries[row])
            if pixmap is not None:
                x = int(HEAD + at * beside + (beside - PICTURE) / 2)
                painter.drawPixmap(QRect(x, place.top(), PICTURE - 1, PICTURE), pixmap)


def _bars(columns: Columns) -> QImage:
    """States, and doubts below them, a column a pixel."""
    states = np.array([QColor(COLOURS.get(mark, GAP)).rgb() for mark in MARKS], np.uint32)
    heights = np.round(columns.doubts * DOUBTS).astype(int)
    doubt = np.where(columns.doubtful, QColor(DOUBTFUL).rgb(), QColor(DOUBT).rgb()).astype(np.uint32)
    pixels = np.empty((STATES + DOUBTS, len(heights)), np.uint32)
    pixels[:STATES] = states[columns.marks]
    up = np.arange(DOUBTS, 0, -1)[:, None]  # px above the bottom
    pixels[STATES:] = np.where(up <= heights, doubt, QColor(GAP).rgb())
    return QImage(pixels.tobytes(), len(heights), len(pixels), 4 * len(heights), QImage.Format.Format_RGB32).copy()
