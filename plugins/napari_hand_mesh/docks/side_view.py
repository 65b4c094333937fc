"""The same mesh from any side before its photo: depth errors are seen here, not in the photo, and mended here."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from annotator.hand.mesh import HandMesh
from napari_hand_mesh.docks.depth.evidence import EvidenceList
from napari_hand_mesh.docks.depth.side_canvas import SideCanvas
from napari_hand_mesh.docks.still import Still

VIEWS = {"front": (0.0, 0.0), "side": (90.0, 0.0), "back": (180.0, 0.0), "above": (0.0, 90.0)}


class SideView(QWidget):
    """picture: mesh, keypoints and photo, see its class; buttons for the four usual views; evidence: what was said of
    the hand's depth."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self.picture = SideCanvas(*VIEWS["side"])
        self.evidence = EvidenceList()
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
        layout.addWidget(Still(self.picture), 1)
        layout.addLayout(row)
        layout.addWidget(self.evidence)

    @property
    def hand(self) -> HandMesh | None:
        """What is drawn."""
        return self.picture.hand

    @property
    def by_uncertainty(self) -> bool:
        """Whether the mesh has the colours of its uncertainty."""
        return self.picture.by_uncertainty

    @by_uncertainty.setter
    def by_uncertainty(self, wanted: bool) -> None:
        self.picture.by_uncertainty = wanted

    @property
    def pitch(self) -> float:
        """Degrees up."""
        return self.picture.pitch

    def show_hand(self, hand: HandMesh | None, photo: np.ndarray | None = None, live: bool = False) -> None:
        """Draw this hand before its photo (H, W, 3) uint8; live: smaller, it will change in a moment."""
        self.picture.show_hand(hand, photo, live)

    def turn_to(self, yaw: float, pitch: float) -> None:
        """Degrees to the right, and up (within 90)."""
        self.picture.turn_to(yaw, pitch)
