"""The dock of an instant: the other cameras' photos, in a grid."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from napari_hand_mesh.docks.views.view_picture import ViewPicture
from napari_hand_mesh.session.together import OtherView

IN_A_COLUMN = 2  # more are shown in two columns


class ViewsPanel(QWidget):
    """views: camera -> its picture; where: which instant, in words. chosen: the camera of a photo that was clicked."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.views: dict[str, ViewPicture] = {}
        self._of: tuple = ()
        self.where = QLabel("")
        self.where.setStyleSheet("font-size: 11px")
        self.where.setAccessibleName("which instant")
        self._grid = QGridLayout()
        self._grid.setSpacing(4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self.where)
        layout.addLayout(self._grid, 1)

    def show_instant(self, of: tuple, words: str) -> None:
        """Whose views follow; those of another instant are taken away. of: rig, moment, camera."""
        self.where.setText(words)
        if of == self._of:
            return
        self._of = of
        for picture in self.views.values():
            self._grid.removeWidget(picture)
            picture.deleteLater()
        self.views = {}

    def show_view(self, view: OtherView, count: int) -> None:
        """One of the instant's `count` other photos, new or as it is now."""
        if view.camera in self.views:
            self.views[view.camera].show_view(view)
            return
        picture = self.views[view.camera] = ViewPicture(view)
        picture.clicked.connect(self.chosen)
        columns = 1 if count <= IN_A_COLUMN else 2
        at = len(self.views) - 1
        self._grid.addWidget(picture, at // columns, at % columns)

    def show_lines(self, joint: int | None, lines: Mapping[str, np.ndarray]) -> None:
        """camera -> the epipolar line of a joint there; None: of none."""
        for camera, picture in self.views.items():
            picture.show_line(joint, lines.get(camera, np.zeros((0, 2))))

    def show_moved(self, keypoints: Mapping[str, np.ndarray]) -> None:
        """camera -> the hand's keypoints there, while it is dragged."""
        for camera, places in keypoints.items():
            if camera in self.views:
                self.views[camera].show_moved(places)
