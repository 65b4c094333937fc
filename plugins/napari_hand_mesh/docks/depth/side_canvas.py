"""The picture from the side under the mouse: a drag beside the keypoints turns the hand, a drag of a keypoint pulls it
along its line of sight, the wheel zooms."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QImage, QPainter, QPixmap
from qtpy.QtWidgets import QLabel, QSizePolicy

from annotator.hand.depth_labels import palm_depth
from annotator.hand.mesh import HandMesh
from annotator.vision.drawing.overlay import COLOUR
from napari_hand_mesh.canvas.picture import vertex_colours
from napari_hand_mesh.canvas.side_picture import View, picture_in
from napari_hand_mesh.docks.depth.marks import paint_bones, paint_joints, paint_sight

LOW, LEAST, LIVE, LARGEST = 104, 104, 200, 900  # px a side
DEGREES_PER_PIXEL = 0.6
NEAR, CLICK = 11.0, 3.0  # px: a joint is meant; a press that moves less is a click
SEEN = 0.3  # of what is across the view: a metre along the line of sight must be seen as long, to be pulled
GUIDE = 0.12  # m of the line of sight to either side of a joint
ZOOMS, ZOOM_STEP = (0.5, 8.0), 1.2
REST = 1 / 60  # s between two pulls, at least


@dataclass
class _Grip:
    """What is under a pressed mouse. hand, view: as they were then; free_at: s, when the next pull may be told."""

    x: float
    y: float
    yaw: float
    pitch: float
    joint: int | None
    hand: HandMesh
    view: View
    moved: bool = False
    pulling: bool = False
    free_at: float = 0.0


class SideCanvas(QLabel):
    """pulled, let_go(joint, m farther than it was, whole hand): while it is dragged, and then; clicked(joint);
    over(joint or None): under the mouse; ghosted(number): a click on one of the ghosts; flat: a pull from where depth
    is not seen."""

    pulled = Signal(int, float, bool)
    let_go = Signal(int, float, bool)
    clicked = Signal(int)
    over = Signal(object)
    ghosted = Signal(int)
    flat = Signal()

    def __init__(self, yaw: float, pitch: float):
        super().__init__("no hand")
        self.yaw, self.pitch, self.zoom, self.aside = yaw, pitch, 1.0, np.zeros(2)
        self.by_uncertainty = False
        self.hand: HandMesh | None = None
        self.hovered: int | None = None
        self.picked: Sequence[int] = ()
        self.rest = REST
        self._photo: np.ndarray | None = None
        self._ghosts: Sequence[HandMesh] = ()
        self._looked_at: int | None = None
        self._grip: _Grip | None = None
        self._by, self._by_whole = 0.0, False
        self._gripped = np.zeros((21, 3))  # m: where the joints were when the mouse was pressed
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setMinimumSize(LOW, LOW)
        # the picture follows the dock's size, never the other way round
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.setMouseTracking(True)
        self.setToolTip("drag: turn; a keypoint: its depth; with Shift: the whole hand's; wheel: zoom")

    # -- what is shown ---------------------------------------------------------------------------------------
    def show_hand(self, hand: HandMesh | None, photo: np.ndarray | None, live: bool) -> None:
        self.hand, self._photo = hand, photo
        self.draw(live)

    def show_ghosts(self, hands: Sequence[HandMesh], looked_at: int | None = None) -> None:
        """Other hands that look the same in the photo; looked_at: which of them is."""
        self._ghosts, self._looked_at = tuple(hands), looked_at
        self.update()

    def turn_to(self, yaw: float, pitch: float) -> None:
        self.yaw, self.pitch = yaw % 360.0, float(np.clip(pitch, -90, 90))
        self.zoom, self.aside = 1.0, np.zeros(2)
        self.draw()

    def draw(self, live: bool = False) -> None:
        """The picture anew; live: coarser."""
        if not self.isVisibleTo(self.window()):
            return  # a closed dock costs nothing; showing it draws
        if self.hand is None:
            self.setPixmap(QPixmap())
            self.setText("no hand")
            return
        shown = self._side
        size = min(shown, LIVE) if live else shown
        colour = vertex_colours(self.hand) if self.by_uncertainty else COLOUR
        pixels = np.ascontiguousarray(picture_in(self.view(size), self.hand, self._photo, colour))
        image = QImage(pixels.data, size, size, 3 * size, QImage.Format.Format_RGB888)
        pixmap = QPixmap.fromImage(image.copy())  # the array's memory is not the pixmap's
        self.setPixmap(pixmap if size == shown else pixmap.scaled(shown, shown))

    @property
    def _side(self) -> int:
        return int(np.clip(min(self.width(), self.height()), LEAST, LARGEST))

    def view(self, size: int | None = None) -> View:
        """As it is shown, `size` px a side (None: of the screen). While a joint is pulled it stays what it was."""
        framed = self._grip.hand if self._grip is not None and self._grip.pulling else self.hand
        return View.of(framed, self.yaw, self.pitch, size or self._side, self.zoom, tuple(self.aside))

    def places(self) -> np.ndarray:
        """(21, 2) px of this widget: where each joint is, at the depth that a person gave it if one did."""
        return self._on_widget(self._handles())

    def _handles(self) -> np.ndarray:
        """(21, 3) m."""
        hand, depths = self.hand, self.hand.joints[:, 2].copy()
        for joint, depth in hand.depth_labels.from_palm.items():
            depths[joint] = palm_depth(hand.joints) + depth
        return hand.joints * (depths / hand.joints[:, 2])[:, None]

    def _on_widget(self, points: np.ndarray) -> np.ndarray:
        corner = (np.array([self.width(), self.height()]) - self._side) / 2
        return self.view().pixels(points) + corner

    def joint_at(self, x: float, y: float) -> int | None:
        """The keypoint at a place of this widget, px."""
        if self.hand is None:
            return None
        far = np.linalg.norm(self.places() - (x, y), axis=1)
        return int(far.argmin()) if far.min() < NEAR else None

    # -- events ----------------------------------------------------------------------------------------------
    def paintEvent(self, event) -> None:  # noqa: N802
        super().paintEvent(event)
        if self.hand is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for at, ghost in enumerate(self._ghosts):
            paint_bones(painter, self._on_widget(ghost.joints), at == self._looked_at)
        pulled = self._grip.joint if self._grip is not None and self._grip.pulling else None
        guided = pulled if pulled is not None else self.hovered
        handles = self._handles()
        if guided is not None:
            ways = handles[guided] * (1 + np.array([[-GUIDE], [GUIDE]]) / handles[guided, 2])
            paint_sight(painter, *self._on_widget(ways))
        if pulled is not None:  # under the mouse, wherever the mesh could follow it
            start = self._grip.hand.joints if self._by_whole else self._gripped
            handles = handles.copy()
            handles[pulled] = start[pulled] * (1 + self._by / start[pulled, 2])
        chosen = [one for one in (guided, *self.picked) if one is not None]
        said = [*self.hand.depth_labels.from_palm, *([] if pulled is None else [pulled])]
        paint_joints(painter, self._on_widget(handles), self._on_widget(self.hand.joints), said, chosen, self._side)
        painter.end()

    def mousePressEvent(self, event) -> None:  # noqa: N802
        if self.hand is None or event.button() != Qt.MouseButton.LeftButton:
            return
        x, y = event.pos().x(), event.pos().y()
        self._gripped, self._by, self._by_whole = self._handles(), 0.0, False
        self._grip = _Grip(x, y, self.yaw, self.pitch, self.joint_at(x, y), self.hand, self.view())

    def mouseMoveEvent(self, event) -> None:  # noqa: N802
        x, y, grip = event.pos().x(), event.pos().y(), self._grip
        if grip is None:
            self._hover(self.joint_at(x, y))
            return
        if not grip.moved:
            grip.moved = max(abs(x - grip.x), abs(y - grip.y)) >= CLICK
            if not grip.moved:
                return
            grip.pulling = grip.joint is not None and self._seen(grip)
            if grip.joint is not None and not grip.pulling:
                self.flat.emit()
        if not grip.pulling:
            self.yaw = (grip.yaw - DEGREES_PER_PIXEL * (x - grip.x)) % 360.0
            self.pitch = float(np.clip(grip.pitch + DEGREES_PER_PIXEL * (y - grip.y), -90, 90))
            self.draw(live=True)
            return
        self._pull(event)
        self.update()
        begun = time.perf_counter()
        if begun >= grip.free_at:
            self.pulled.emit(grip.joint, self._by, self._by_whole)
            done = time.perf_counter()
            grip.free_at = done + max(self.rest, done - begun)

    def mouseReleaseEvent(self, event) -> None:  # noqa: N802
        grip = self._grip
        if grip is None or event.button() != Qt.MouseButton.LeftButton:
            return
        if grip.pulling:
            self._pull(event)
        self._grip = None
        if grip.pulling:
            self.let_go.emit(grip.joint, self._by, self._by_whole)
        elif not grip.moved:
            self._click(grip)
        self.draw()

    def wheelEvent(self, event) -> None:  # noqa: N802
        """Zoom, with what is under the mouse staying there."""
        before = self.zoom
        self.zoom = float(np.clip(before * ZOOM_STEP ** (event.angleDelta().y() / 120), *ZOOMS))
        at = np.array([event.position().x(), event.position().y()])
        off = (at - np.array([self.width(), self.height()]) / 2) / (self._side / 2)  # in halves of the picture
        self.aside = self.aside + off * (1 / before - 1 / self.zoom)
        self.draw()

    def leaveEvent(self, event) -> None:  # noqa: N802
        super().leaveEvent(event)
        self._hover(None)

    def resizeEvent(self, event) -> None:  # noqa: N802
        super().resizeEvent(event)
        self.draw()

    def showEvent(self, event) -> None:  # noqa: N802
        super().showEvent(event)
        self.draw()

    # -- inside ----------------------------------------------------------------------------------------------
    def _hover(self, joint: int | None) -> None:
        if joint != self.hovered:
            self.hovered = joint
            self.over.emit(joint)
            self.update()

    def _seen(self, grip: _Grip) -> bool:
        """Whether depth is seen from here."""
        joint = self._gripped[grip.joint]
        return bool(np.linalg.norm(grip.view.sight(joint)) > SEEN * grip.view.across(joint))

    def _pull(self, event) -> None:
        """How far the mouse has pulled the joint, along its line of sight as it is seen here."""
        grip = self._grip
        along = grip.view.sight(self._gripped[grip.joint])
        moved = np.array([event.pos().x() - grip.x, event.pos().y() - grip.y])
        self._by = float(moved @ along / (along @ along))
        self._by_whole = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)

    def _click(self, grip: _Grip) -> None:
        if grip.joint is not None:
            self.clicked.emit(grip.joint)
            return
        far = [np.linalg.norm(self._on_widget(one.joints) - (grip.x, grip.y), axis=1).min() for one in self._ghosts]
        if far and min(far) < NEAR:
            self.ghosted.emit(int(np.argmin(far)))
