"""How loud the markers are: the finger under the mouse is brought out, all become smaller with the hand on the screen,
and none is seen while a person holds the key to judge the mesh."""

from __future__ import annotations

import numpy as np
from napari.layers import Points, Vectors

from annotator.hand.mesh import HandMesh
from annotator.vision.drawing.skeleton import FINGER_COLOURS
from napari_hand_mesh.canvas.markers import FULL, RINGS, SIZE, SMALLEST

BONE_COLOURS = np.array([(*FINGER_COLOURS[i // 4], 255) for i in range(20)]) / 255  # (20, 4)
BONE, OPACITY = 2.0, 0.8  # px on the screen: width of the skeleton at its widest; how opaque it is
DIM = 0.25  # opacity of the other fingers, while one is brought out
WRIST = 0


class Emphasis:
    """The part of `HandLayers` that says how strongly skeleton and markers are drawn. brought_out: the joint whose
    finger is, None: all alike; marker: px on the screen of a keypoint now."""

    points: Points
    skeleton: Vectors
    labels: Vectors
    hand: HandMesh | None
    _cleared: bool

    def _start_emphasis(self, marker_scale: float) -> None:
        self._scale = marker_scale
        self.brought_out: int | None = None
        self.marker = SIZE * marker_scale
        self._peeking = False

    def bring_out(self, joint: int | None) -> None:
        """Dim all fingers but this joint's, whose own ring becomes white; None: all as they are."""
        if joint == self.brought_out:
            return
        self.brought_out = joint
        bones, rings = BONE_COLOURS.copy(), RINGS.copy()
        if joint is not None and joint != WRIST:
            other = np.arange(20) // 4 != (joint - 1) // 4
            bones[other, 3] *= DIM
            rings[1:][other, 3] *= DIM
            rings[WRIST, 3] *= DIM
        if joint is not None:
            rings[joint] = 1.0
        self.skeleton.edge_color = bones
        self.points.border_color = rings

    def peek(self, wanted: bool) -> None:
        """Nothing over the mesh while wanted. Opacities alone: making a layer visible again costs more."""
        self._peeking = wanted
        self.skeleton.opacity = 0.0 if wanted else OPACITY
        self.labels.opacity = 0.0 if wanted else 1.0
        self._ink()

    def _ink(self) -> None:
        """Whether markers are seen. (A point that is not `shown` has size 0, which napari draws as large as any whose
        size on the screen is limited from below.)"""
        wanted = 1.0 if self.skeleton.visible and not self._cleared and not self._peeking else 0.0
        if self.points.opacity != wanted:
            self.points.opacity = wanted

    def _sized(self, zoom: float) -> float:
        """Markers as large as the hand on the screen allows; how wide bones are then, px on the screen."""
        size = SIZE * self._scale
        if self.hand is not None:
            reach = float(np.ptp(self.hand.keypoints, axis=0).max()) * zoom
            size *= float(np.clip(reach / FULL, SMALLEST / SIZE, 1.0))
        if abs(size / self.marker - 1) > 0.03:
            self.marker = size
            self.points.canvas_size_limits = (size, size)
        return max(BONE * self.marker / (SIZE * self._scale), 1.0)
