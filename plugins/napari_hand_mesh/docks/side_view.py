"""The same mesh from any side before its photo, turned with the mouse: depth errors are seen here, not in the photo."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from annotator.hand.mesh import HandMesh
from annotator.vision.drawing.overlay import COLOUR
from napari_hand_mesh.canvas.picture import vertex_colours
from napari_hand_mesh.canvas.side_picture import side_picture

LOW, LEAST, LIVE, LARGEST = 104, 104, 200, 900  # px a side
VIEWS = {"front": (0.0, 0.0), "side": (90.0, 0.0), "back": (180.0, 0.0), "above": (0.0, 90.0)}
DEGREES_PER_PIXEL = 0.6


class SideView(QWidget):
    """A picture of mesh and photo that turns under the mouse, and buttons for the four usual views."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self.yaw, self.pitch = VIEWS["side"]
        self.by_uncertainty = False
        self._hand: HandMesh | None = None
        self._photo: np.ndarray | None = None
        self._grip = None
        self.picture = QLabel("no hand")
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setMinimumSize(LOW, LOW)
        # the picture follows the dock's size, never the other way round
        self.picture.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.picture.setToolTip("drag to turn the hand")
        row = QHBoxLayout()
        for name in VIEWS:
            button = QPushButton(name)
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(lambda _checked=False, name=name: self.turn_to(*VIEWS[name]))
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        row.setSpacing(4)
        layout.addWidget(self.picture, 1)
        layout.addLayout(row)

    @property
    def hand(self) -> HandMesh | None:
        """What is drawn."""
        return self._hand

    def show_hand(self, hand: HandMesh | None, photo: np.ndarray | None = None, live: bool = False) -> None:
        """Draw this hand before its photo (H, W, 3) uint8; live: smaller, it will change in a moment."""
        self._hand, self._photo = hand, photo
        self._draw(live)

    def turn_to(self, yaw: float, pitch: float) -> None:
        """Degrees to the right, and up (within 90)."""
        self.yaw, self.pitch = yaw % 360.0, float(np.clip(pitch, -90, 90))
        self._draw()

    def mousePressEvent(self, event) -> None:  # noqa: N802
        self._grip = (event.pos().x(), event.pos().y(), self.yaw, self.pitch)

    def mouseMoveEvent(self, event) -> None:  # noqa: N802
        if self._grip is not None:
            x, y, yaw, pitch = self._grip
            self.yaw = (yaw - DEGREES_PER_PIXEL * (event.pos().x() - x)) % 360.0
            self.pitch = float(np.clip(pitch + DEGREES_PER_PIXEL * (event.pos().y() - y), -90, 90))
            self._draw(live=True)

    def mouseReleaseEvent(self, event) -> None:  # noqa: N802
        self._grip = None
        self._draw()

    def resizeEvent(self, event) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._draw()

    def showEvent(self, event) -> None:  # noqa: N802
        super().showEvent(event)
        self._draw()

    def _draw(self, live: bool = False) -> None:
        if not self.isVisibleTo(self.window()):
            return  # a closed dock costs nothing; showEvent draws
        if self._hand is None:
            self.picture.setPixmap(QPixmap())
            self.picture.setText("no hand")
            return
        shown = int(np.clip(min(self.picture.width(), self.picture.height()), LEAST, LARGEST))
        size = min(shown, LIVE) if live else shown
        colour = vertex_colours(self._hand) if self.by_uncertainty else COLOUR
        pixels = np.ascontiguousarray(side_picture(self._hand, self._photo, self.yaw, self.pitch, size, colour))
        image = QImage(pixels.data, size, size, 3 * size, QImage.Format.Format_RGB888)
        pixmap = QPixmap.fromImage(image.copy())  # the array's memory is not the pixmap's
        self.picture.setPixmap(pixmap if size == shown else pixmap.scaled(shown, shown))
