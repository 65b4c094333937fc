"""Which part of the photo the canvas shows, and which way up: the hand fills it, or the whole photo does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import napari
import numpy as np
from napari.layers import Image, Layer

from annotator.hand.mesh import HandMesh

ROOM, MARGIN = 0.12, 0.03  # round a hand, of its larger side; round a photo, of the canvas
CLOSEST = 16.0  # screen px a photo px


class Framing:
    """The part of `HandLayers` that moves the camera. turned: quarters, clockwise; mirrored: after that, left for
    right. Places stay (x, y) photo px, and (row, column) for napari, whichever way up the photo is shown."""

    viewer: napari.Viewer
    photo: Image
    all: tuple[Layer, ...]

    def _start_framing(self) -> None:
        self.canvas_size: Callable[[], tuple[int, int]] = lambda: (800, 600)  # px, across and down
        self.turned, self.mirrored = 0, False
        self._framed: tuple[HandMesh | None, tuple[float, ...]] | None = None  # what the canvas was filled with

    @property
    def camera(self):
        """The viewer's camera; from napari 0.9 on it belongs to the scene."""
        scene = getattr(self.viewer, "scene", None)
        return self.viewer.camera if scene is None else scene.camera

    def look_at(self, hand: HandMesh | None) -> None:
        """Fill the canvas with the hand; None: with the whole photo."""
        # not napari's own view of everything: what other layers hold may lie far outside the photo
        size = np.array(self.photo.data.shape[1::-1], float)
        whole = self._filling(size) * (1 - MARGIN)
        if hand is None:
            self.centre((size - 1) / 2)
            self.camera.zoom = whole
        else:
            self.place(hand)
            low, high = self.reach(hand)
            self.centre((low + high) / 2)
            self.camera.zoom = max(whole, self._filling(high - low))
        self._framed = hand, self._view()
        self.thin()

    def _rescale(self) -> None:
        """Tell the layers the zoom now. napari tells them while it paints, and what hears of it then asks for another
        painting."""
        for layer in self.all:
            layer.scale_factor = 1 / self.camera.zoom

    def refit(self) -> None:
        """The canvas has another size: fill it anew, unless a person has moved the photo meanwhile."""
        if self._framed is not None and self._framed[1] == self._view():
            self.look_at(self._framed[0])

    def _view(self) -> tuple[float, ...]:
        return (*self.camera.center, self.camera.zoom)

    def reach(self, hand: HandMesh) -> tuple[np.ndarray, np.ndarray]:
        """The corners (x, y) photo px of what is worth seeing of a hand: its keypoints and labels, with some room."""
        seen = np.concatenate([hand.keypoints, *(np.reshape(label, (1, 2)) for label in hand.corrections.values())])
        low, high = seen.min(0), seen.max(0)
        room = ROOM * (high - low).max()
        return low - room, high + room

    def sees(self, hand: HandMesh) -> bool:
        """Whether the canvas shows the hand's middle, at whatever zoom."""
        low, high = self.reach(hand)
        across, down = self.canvas_size()
        x, y = np.abs((low + high) / 2 - self.middle()) * self.camera.zoom
        return bool(x < across / 2 and y < down / 2)

    def _filling(self, size: np.ndarray) -> float:
        """Zoom at which so many photo px (x, y) fill the canvas."""
        across, down = self.canvas_size()
        size = np.maximum(size, 1.0)
        if not self.turned % 2:
            return float(min(across / size[0], down / size[1], CLOSEST))
        return float(min(across / size[1], down / size[0], CLOSEST))

    def centre(self, place: Sequence[float]) -> None:
        """(x, y) photo px into the middle."""
        x, y = (float(value) for value in place)
        self.camera.center = (0.0, x, y) if self.turned % 2 else (0.0, y, x)

    def middle(self) -> np.ndarray:
        """(x, y) photo px in the middle of the canvas."""
        first, second = self.camera.center[-2:]
        return np.array([first, second] if self.turned % 2 else [second, first])

    def turn(self, quarters: int, mirrored: bool) -> None:
        """Show everything turned clockwise by so many quarters, and mirrored after that; nothing else changes."""
        middle, zoom = self.middle(), self.camera.zoom
        filled = self._framed is not None and self._framed[1] == self._view()
        self.turned, self.mirrored = quarters % 4, mirrored
        self.viewer.dims.order = (1, 0) if self.turned % 2 else (0, 1)
        down = self.turned in (0, 1) if not self.turned % 2 else self.turned == 1
        right = self.turned == 0 if not self.turned % 2 else self.turned == 3
        if mirrored:
            right = not right
        self.camera.orientation2d = ("down" if down else "up", "right" if right else "left")
        if filled:
            self.look_at(self._framed[0])
            return
        self.centre(middle)
        self.camera.zoom = zoom  # with another order of axes napari brings all layers into view
        self.thin()

    def thin(self) -> None:
        """Lines as wide on the screen as they are meant to be; `HandLayers` knows them."""
        raise NotImplementedError

    def place(self, hand: HandMesh) -> None:
        """Puts the mesh's picture where the hand is; `HandLayers` knows it."""
        raise NotImplementedError


def to_photo(layers: Framing, way: tuple[float, float]) -> np.ndarray:
    """A way (across, down) as it is seen on the canvas, as (x, y) in the photo, however the view is turned."""
    across, down = way
    if layers.camera.orientation2d[1] == "left":
        across = -across
    if layers.camera.orientation2d[0] == "up":
        down = -down
    return np.array([down, across] if layers.turned % 2 else [across, down], float)


def on_canvas(layers: Framing, place: np.ndarray) -> np.ndarray:
    """Where (x, y) photo px is seen on the canvas, px from its upper left corner, however the view is turned."""
    x, y = (np.asarray(place) - layers.middle()) * layers.camera.zoom
    across, down = (y, x) if layers.turned % 2 else (x, y)
    if layers.camera.orientation2d[1] == "left":
        across = -across
    if layers.camera.orientation2d[0] == "up":
        down = -down
    return np.array([across, down]) + np.array(layers.canvas_size()) / 2
