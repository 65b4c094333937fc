"""A magnifier beside the pointer while a keypoint is dragged: the photo alone, a cross where the label is being put, a
ring where the mesh has the joint."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QImage, QPainter, QPen
from qtpy.QtWidgets import QWidget

from napari_hand_mesh.canvas.framing import on_canvas
from napari_hand_mesh.canvas.layers import HandLayers

SIDE = 144  # px: width and height
AWAY = 44  # px from the pointer: the skin there stays in sight
TIMES, FINEST, COARSEST = 2.5, 3.0, 24.0  # larger than the canvas has it; screen px a photo px, at least and at most
GAP, ARM = 4, 16  # px from the middle to where the cross begins and ends


class Magnifier(QWidget):
    """On the canvas, and never in the mouse's way. scale: screen px a photo px, when it was last shown."""

    def __init__(self, canvas: QWidget):
        super().__init__(canvas)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFixedSize(SIDE, SIDE)
        self.scale = 1.0
        self._piece: QImage | None = None
        self._corner = self._place = self._joint = (0.0, 0.0)
        self._turned, self._mirrored = 0, False
        self._colour = QColor("white")
        self.hide()

    def show_at(self, layers: HandLayers, joint: int, place: tuple[float, float], colour: tuple[int, ...]) -> None:
        """The photo round a label at (x, y) photo px of a joint, drawn in this colour (r, g, b)."""
        photo = layers.photo.data
        self.scale = float(np.clip(TIMES * layers.camera.zoom, FINEST, COARSEST))
        reach = int(np.ceil(0.75 * SIDE / self.scale)) + 1  # of the middle, whichever way the view is turned
        left, top = (int(round(value)) - reach for value in place)
        x0, y0 = max(left, 0), max(top, 0)
        piece = np.ascontiguousarray(photo[y0 : max(top + 2 * reach + 1, 0), x0 : max(left + 2 * reach + 1, 0)])
        height, width = piece.shape[:2]
        self._piece = (
            QImage(piece.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()
            if piece.size
            else None
        )
        self._corner, self._place = (x0, y0), place
        self._joint = tuple(float(value) for value in layers.joints[joint])
        self._turned, self._mirrored, self._colour = layers.turned, layers.mirrored, QColor(*colour)
        self._beside(*on_canvas(layers, np.asarray(place)))
        self.show()
        self.update()

    def _beside(self, x: float, y: float) -> None:
        """Up and to the right of the pointer; where there is no room, on its other side."""
        room = self.parentWidget()
        left = x + AWAY if x + AWAY + SIDE < room.width() else x - AWAY - SIDE
        top = y - AWAY - SIDE if y - AWAY - SIDE > 0 else y + AWAY
        self.move(int(left), int(top))

    def paintEvent(self, _event) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(20, 20, 20))
        painter.save()
        painter.translate(SIDE / 2, SIDE / 2)
        if self._mirrored:
            painter.scale(-1, 1)
        painter.rotate(90 * self._turned)
        painter.scale(self.scale, self.scale)
        painter.translate(-self._place[0], -self._place[1])
        if self._piece is not None:  # pixel centres are at .0
            painter.drawImage(QPointF(self._corner[0] - 0.5, self._corner[1] - 0.5), self._piece)
        pen = QPen(QColor("white"), 1.5)
        pen.setCosmetic(True)
        painter.setPen(pen)
        radius = 4 / self.scale
        painter.drawEllipse(QPointF(*self._joint), radius, radius)
        painter.restore()
        for shade, wide in ((QColor(0, 0, 0), 4), (self._colour, 2)):
            painter.setPen(QPen(shade, wide))
            for across, down in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                middle = QPointF(SIDE / 2, SIDE / 2)
                painter.drawLine(middle + QPointF(across, down) * GAP, middle + QPointF(across, down) * ARM)
        painter.setPen(QPen(self._colour, 2))
        painter.drawRect(QRectF(1, 1, SIDE - 2, SIDE - 2))
        painter.end()
