"""One other camera's photo: the part round the hand, its mesh's skeleton and labels, and the epipolar line."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QColor, QImage, QPainter, QPen, QPixmap
from qtpy.QtWidgets import QSizePolicy, QWidget

from annotator.hand.joints import BONES
from annotator.vision.drawing.skeleton import KEYPOINT_COLOURS
from annotator.vision.drawing.window import Window
from napari_hand_mesh.session.together import OtherView

LEAST, WORDS = 90, 16  # px: a picture's side, and the line of words below it
ROUND = 1.7  # of the hand's extent: what is shown of the photo
LINE, LABEL, DARK = QColor(255, 64, 220), QColor(255, 255, 255), QColor(15, 15, 15)


class ViewPicture(QWidget):
    """Of an `OtherView`; clicked(camera)."""

    clicked = Signal(str)

    def __init__(self, view: OtherView):
        super().__init__()
        self.view = view
        self.line = np.zeros((0, 2))  # px of its photo
        self.joint: int | None = None
        self.keypoints = None if view.mesh is None else view.mesh.keypoints
        self._window: Window | None = None
        self._pixmap = QPixmap()
        self.setMinimumSize(LEAST, LEAST + WORDS)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(f"photo of {view.camera}")
        self.setToolTip(f"{view.words}\nclick: work in this photo")

    def show_view(self, view: OtherView) -> None:
        """The same camera's photo, as it is now."""
        self.view = view
        self.keypoints = None if view.mesh is None else view.mesh.keypoints
        self.setToolTip(f"{view.words}\nclick: work in this photo")
        self._window = None
        self.update()

    def show_line(self, joint: int | None, line: np.ndarray) -> None:
        """Where a joint of the other photo can be in this one: (n, 2) px, NaN where nowhere."""
        self.joint, self.line = joint, line
        self.update()

    def show_moved(self, keypoints: np.ndarray) -> None:
        """The hand while it is dragged in another photo: (21, 2) px."""
        self.keypoints = keypoints
        self.update()

    def place_of(self, places: np.ndarray) -> np.ndarray:
        """Photo px (..., 2) as px of this widget."""
        side, window = self._side, self._part()
        return window.points(places) + ((self.width() - side) / 2, 0)

    # -- events ----------------------------------------------------------------------------------------------
    def mousePressEvent(self, event) -> None:  # noqa: N802
        if event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(self.view.camera)

    def paintEvent(self, _event) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side, left = self._side, (self.width() - self._side) / 2
        self._part()
        painter.drawPixmap(QPointF(left, 0), self._pixmap)
        painter.save()
        painter.setClipRect(QRectF(left, 0, side, side))
        if self.keypoints is not None:
            self._paint_hand(painter)
        self._paint_line(painter)
        painter.restore()
        font = painter.font()
        font.setPointSizeF(8)
        painter.setFont(font)
        painter.setPen(QPen(self.palette().windowText().color()))
        words = painter.fontMetrics().elidedText(self.view.words, Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(QRectF(0, side, self.width(), WORDS), Qt.AlignmentFlag.AlignCenter, words)
        painter.end()

    # -- inside ----------------------------------------------------------------------------------------------
    @property
    def _side(self) -> int:
        return max(min(self.width(), self.height() - WORDS), LEAST)

    def _part(self) -> Window:
        """Which part of the photo is shown; its picture is made when that changes."""
        if self._window is None or self._window.pixels != self._side:
            photo, mesh = self.view.photo, self.view.mesh
            size = np.array(photo.shape[1::-1], float)
            round_it = np.array([[0.0, 0.0], size - 1]) if mesh is None else mesh.keypoints
            self._window = Window.around(round_it, 1.0 if mesh is None else ROUND, self._side)
            pixels = np.ascontiguousarray(self._window.picture(photo))
            image = QImage(pixels.data, self._side, self._side, 3 * self._side, QImage.Format.Format_RGB888)
            self._pixmap = QPixmap.fromImage(image.copy())  # the array's memory is not the pixmap's
        return self._window

    def _paint_hand(self, painter: QPainter) -> None:
        places = self.place_of(self.keypoints)
        for a, b in BONES:
            painter.setPen(QPen(QColor(*KEYPOINT_COLOURS[b]), 1.6))
            painter.drawLine(QPointF(*places[a]), QPointF(*places[b]))
        labels = {} if self.view.mesh is None else self.view.mesh.corrections
        painter.setPen(QPen(DARK, 1.0))
        painter.setBrush(LABEL)
        for place in labels.values():
            painter.drawEllipse(QPointF(*self.place_of(np.array(place))), 2.8, 2.8)
        if self.joint is not None:
            painter.setBrush(QColor(*KEYPOINT_COLOURS[self.joint]))
            painter.drawEllipse(QPointF(*places[self.joint]), 4.5, 4.5)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _paint_line(self, painter: QPainter) -> None:
        painter.setPen(QPen(LINE, 1.4))
        places = self.place_of(self.line)
        for a, b in zip(places, places[1:], strict=False):
            if np.isfinite(a).all() and np.isfinite(b).all():
                painter.drawLine(QPointF(*a), QPointF(*b))
