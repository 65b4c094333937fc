"""Dragging a keypoint: the mesh follows while the mouse moves, and is exact when it is let go.

napari's own drag of a point tells its listeners only at the start and the end, so this is a generator among
the layer's `mouse_drag_callbacks`, which napari resumes at every move.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from napari_hand_mesh.layers import HandLayers

# Between two previews the canvas must get its turn: at least this long, and as long as the last preview took.
REST = 0.015
CLICK = 3.0  # screen px: a press that moves less is a click, not a correction

Place = tuple[float, float]


class Dragging:
    """Mouse on the keypoints' layer. Each function takes (joint, (x, y) photo px, hold).

    preview: while the mouse moves; drop: when it is let go; touched: called with the joint that was pressed.
    """

    def __init__(
        self,
        layers: HandLayers,
        preview: Callable[[int, Place, bool], None],
        drop: Callable[[int, Place, bool], None],
        touched: Callable[[int], None],
    ):
        self._layers, self._preview, self._drop, self._touched = layers, preview, drop, touched
        self.dragged: int | None = None
        self.hovered: int | None = None
        layers.points.mouse_drag_callbacks.append(self._drag)
        layers.points.mouse_move_callbacks.append(self._hover)

    def disconnect(self) -> None:
        points = self._layers.points
        for callbacks, own in (
            (points.mouse_drag_callbacks, self._drag),
            (points.mouse_move_callbacks, self._hover),
        ):
            if own in callbacks:
                callbacks.remove(own)

    def _hover(self, layer, event) -> None:
        """Over a keypoint the mouse takes it, elsewhere it moves the photo."""
        if self.dragged is not None:
            return
        self.hovered = self._layers.joint_at(event.position)
        layer.mouse_pan = self.hovered is None
        if self.hovered is not None:
            self._layers.viewer.status = self._layers.describe(self.hovered)

    def _drag(self, layer, event) -> Iterator[None]:
        joint = self._layers.joint_at(event.position)
        if joint is None or event.button != 1:
            return
        start = tuple(event.position)[-2:]
        place_of_joint = self._layers.hand.keypoints[joint]
        grip = (
            place_of_joint[0] - start[1],
            place_of_joint[1] - start[0],
        )  # the marker stays where it was gripped
        layer.mouse_pan = False
        self.dragged = joint
        self._touched(joint)
        moved, free_at = False, 0.0
        try:
            yield
            while event.type == "mouse_move":
                row, column = tuple(event.position)[-2:]
                far = max(abs(row - start[0]), abs(column - start[1])) * self._layers.camera.zoom
                moved = moved or far >= CLICK
                begun = time.perf_counter()
                if moved and begun >= free_at:
                    self._preview(joint, (column + grip[0], row + grip[1]), "Shift" in event.modifiers)
                    done = time.perf_counter()
                    free_at = done + max(REST, done - begun)
                yield
        finally:
            self.dragged = None
            layer.mouse_pan = True
        if moved:
            row, column = tuple(event.position)[-2:]
            self._drop(joint, (column + grip[0], row + grip[1]), "Shift" in event.modifiers)
