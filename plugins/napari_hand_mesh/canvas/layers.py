"""The hand on napari's canvas, in the six layers of a `Stack`.

A marker is where its keypoint was set; the skeleton is the mesh's, joint to joint as the project means them. Where the
two are visibly apart a thin line joins them.

napari's axes are (row, column): photo (x, y) is (y, x) here. The layers only show; what is true is in the
session.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import nullcontext

import napari
import numpy as np
from napari.layers import Layer
from qtpy.QtCore import QTimer

from annotator.hand.definitions import ANATOMICAL, JointDefinition
from annotator.hand.joints import JOINT_NAMES
from annotator.hand.mesh import HandMesh
from annotator.vision.drawing.window import Window
from napari_hand_mesh.canvas.emphasis import Emphasis
from napari_hand_mesh.canvas.framing import Framing
from napari_hand_mesh.canvas.guard import Guard
from napari_hand_mesh.canvas.markers import LABEL_COLOUR, STRAINED_COLOUR, fills, symbols
from napari_hand_mesh.canvas.picture import STYLES, affine_of, mesh_picture, window_of
from napari_hand_mesh.canvas.programs import keep_programs
from napari_hand_mesh.canvas.stack import OTHER_COLOUR, Stack, bones_of, put
from napari_hand_mesh.canvas.surroundings import Surroundings
from napari_hand_mesh.canvas.tones import Tones

NEAR = 14.0  # screen px: a press this close to a keypoint takes it
UNSEEN = 0.04  # of a line's width: less is not worth drawing it anew
APART = 4.0  # screen px between a marker and its joint of the mesh: from there on a line joins them


class HandLayers(Framing, Surroundings, Emphasis):
    """Six layers of a viewer, made at once and kept: another photo or hand only changes what they hold, and `Guard`
    lets nobody take them away.

    definition: how the project means the joints; places: of the markers, (21, 2) photo px; joints: of the mesh.
    """

    def __init__(self, viewer: napari.Viewer, marker_scale: float = 1.0, definition: JointDefinition = ANATOMICAL):
        self.viewer = viewer
        self.by_uncertainty = False
        self.style = STYLES[0]
        self.definition = definition
        self.hand: HandMesh | None = None
        self.places, self.joints = np.zeros((21, 2)), np.zeros((21, 2))
        self._strained: frozenset[int] = frozenset()
        self._red = self._strained  # whose lines are drawn as strained
        self._states: tuple[str, ...] = ("proposed",) * 21
        self._window: Window | None = None  # of the mesh's picture, for the hand with this middle of its crop
        self._crop: np.ndarray | None = None
        self._coloured: tuple[str, ...] | None = None
        self._symbols: list[str] = []
        self._cleared = False
        self._others: list[HandMesh | None] = []
        self._start_framing()
        self._start_emphasis(marker_scale)
        self._photo: np.ndarray | None = None
        self._tones = Tones()
        keep_programs()
        self.stack = Stack.made(viewer, marker_scale)
        self.photo, self.others, self.mesh, self.skeleton, self.labels, self.points = self.stack
        self.guard = Guard(viewer, self.all)
        self.points.events.data.connect(self._protect)
        self.camera.events.zoom.connect(self._zoomed)
        self._thinning = QTimer()  # a turn of the wheel zooms many times
        self._thinning.setSingleShot(True)
        self._thinning.setInterval(40)
        self._thinning.timeout.connect(self.thin)
        viewer.layers.selection.active = self.points
        viewer.events.help.connect(self._hush)
        self._hush()

    @property
    def all(self) -> tuple[Layer, ...]:
        return tuple(self.stack)

    def warm(self) -> None:
        """Draws every kind of thing once, so that OpenGL compiles what it needs now and not when the first hand
        arrives: with software OpenGL that is a tenth of a second."""
        self.others.data = np.ones((2, 2, 2))
        self.guard.show(self.others, True)
        self.points.symbol = ["diamond", *["disc"] * 20]
        self.viewer.screenshot(canvas_only=True, flash=False)
        self.points.symbol = "disc"
        self._lines(np.zeros((0, 2, 2)), OTHER_COLOUR)

    def remove(self) -> None:
        """Take the layers off the viewer, and show what comes the usual way up."""
        if self.turned or self.mirrored:
            self.turn(0, False)
        self.guard.stop()
        self.points.events.data.disconnect(self._protect)
        self.camera.events.zoom.disconnect(self._zoomed)
        self.viewer.events.help.disconnect(self._hush)
        self._thinning.stop()
        layers = self.viewer.layers
        # napari 0.7 and later collect garbage after each layer, or once after all: a second in a large project
        with getattr(layers, "batched_update", nullcontext)():
            for layer in self.all:
                if layer in layers:
                    layers.remove(layer)

    def _hush(self, _event=None) -> None:
        """napari's own words in the status line, of keys that add, select and transform points: not here."""
        if self.viewer.help and self.viewer.layers.selection.active in (None, *self.all):
            self.viewer.help = ""

    def show_photo(self, photo: np.ndarray) -> None:
        """Another photo (H, W, 3) uint8."""
        self._photo = photo
        self._show_pixels()

    def tone(self, tones: Tones) -> None:
        """Show this photo and those that come with these tones."""
        if tones != self._tones:
            self._tones = tones
            if self._photo is not None:
                self._show_pixels()

    def _show_pixels(self) -> None:
        """The photo with its tones; as from frame to frame of a video, one as large as the last is copied into its
        place."""
        pixels = self._tones.of(self._photo)
        if self.photo.data.shape == pixels.shape:
            put(self.photo, pixels)
        else:
            self.photo.data = pixels.copy()  # what is put there later must not change the session's

    def show(
        self, hand: HandMesh, states: tuple[str, ...], smooth: bool = True, strained: Collection[int] = ()
    ) -> None:
        """The hand with its joint states; sizes and symbols of the markers stay as they are until `mark`. smooth: as in
        `mesh_picture`; strained: joints whose labels contradict the mesh."""
        if self._cleared:
            self._cleared = False
            self.points.shown = True
            self._ink()
        self.hand, self._states, self._strained = hand, states, frozenset(strained)
        self.joints = self.definition.keypoints(hand)
        self.places = self.joints.copy()
        for joint, place in hand.corrections.items():
            self.places[joint] = place
        self.place(hand)
        put(self.mesh, mesh_picture(hand, self._window, self.by_uncertainty, smooth, self.style))
        put(self.skeleton, bones_of(self.joints[:, ::-1]))
        with self.points.events.data.blocker():
            put(self.points, np.ascontiguousarray(self.places[:, ::-1]))
        self._join()
        if states != self._coloured:  # each of these draws all points anew
            self._coloured = states
            self.points.face_color = fills(states)

    def _zoomed(self, _event=None) -> None:
        self._rescale()
        self._join()
        self._thinning.start()

    def _join(self) -> None:
        """Lines from markers to the mesh's joints, where they are far enough apart to be seen at this zoom. A row for
        each joint, without length where there is no line: another number of rows costs napari a tenth more."""
        joined: list[int] = []
        if self.hand is not None and self.hand.corrections and self.skeleton.visible:
            apart = np.linalg.norm(self.joints - self.places, axis=1) * self.camera.zoom
            joined = [joint for joint in self.hand.corrections if apart[joint] >= APART]
        if not joined:
            self.guard.show(self.labels, False)  # an empty layer costs a fifth of a frame on software OpenGL
            return
        ways = np.zeros((21, 2))
        ways[joined] = (self.joints - self.places)[joined]
        put(self.labels, np.stack([self.places, ways], axis=1)[..., ::-1])
        self.guard.show(self.labels, True)  # before colours: napari does not look at a hidden layer's new data
        if self._strained != self._red:
            self._red = self._strained
            self.labels.edge_color = [STRAINED_COLOUR if joint in self._red else LABEL_COLOUR for joint in range(21)]

    def fade(self) -> None:
        """Hide or show markers, skeleton and lines."""
        visible = not self.skeleton.visible
        self.guard.show(self.skeleton, visible)
        self.guard.show(self.labels, False)
        self._ink()
        self._join()

    def place(self, hand: HandMesh) -> None:
        """Puts the mesh's picture where the hand is, if it is not there yet."""
        if self._crop is None or not np.array_equal(hand.crop_center, self._crop):
            self._crop, self._window = hand.crop_center, None
        window = window_of(hand, self._window)
        if window is not self._window:
            self._window = window
            self.mesh.affine = affine_of(window)

    def mark(self, recommended: int | None) -> None:
        """Symbols by state, and a diamond for the keypoint worth correcting."""
        wanted = symbols(self._states, recommended)
        if wanted != self._symbols:
            self._symbols = wanted
            self.points.symbol = wanted

    def thin(self) -> None:
        """Lines and markers as large as they are meant to be on the screen, at the zoom as it is now."""
        bone = self._sized(self.camera.zoom)
        for layer, width in ((self.skeleton, bone), (self.others, 1.2), (self.labels, 1.2)):
            wanted = width / self.camera.zoom
            if abs(layer.edge_width / wanted - 1) > UNSEEN:
                layer.edge_width = wanted

    def clear(self) -> None:
        """No hand: the photo stays, the rest becomes empty. Nothing is made invisible: showing it again costs more than
        drawing it, and the keypoints' layer takes the mouse, which may draw a box."""
        self._cleared = True
        self.hand = None
        self.show_others([])
        self._join()
        for layer in (self.mesh, self.skeleton):
            put(layer, np.zeros_like(layer.data))
        self.points.shown = False
        self._ink()

    def joint_at(self, position) -> int | None:
        """The keypoint at a world position (row, column), or None if none is near on the screen."""
        if self.hand is None:
            return None
        distance = np.linalg.norm(self.places[:, ::-1] - np.asarray(position)[-2:], axis=1)
        joint = int(distance.argmin())
        return joint if distance[joint] * self.camera.zoom <= NEAR else None

    def describe(self, joint: int) -> str:
        """A keypoint in words, for the status line."""
        name = JOINT_NAMES[joint].replace("_", " ")
        apart = float(np.linalg.norm(self.places[joint] - self.joints[joint]))
        label = f", the mesh is {apart:.1f} px away" if joint in self.hand.corrections else ""
        return f"{name}: {self._states[joint]}, ± {self.hand.keypoint_sigma[joint]:.1f} px{label}"

    def _protect(self, _event=None) -> None:
        """Whoever changed the points (napari's console, another plugin): they are shown as they are in the
        session."""
        if self.hand is None or (self.points.data.shape == (21, 2) and np.array_equal(
            self.points.data, self.places[:, ::-1]
        )):  # fmt: skip
            return
        hand, self.hand = self.hand, None  # so that what follows does not come back here
        self._coloured = None
        self._symbols = []
        self.show(hand, self._states, strained=self._strained)
        self.mark(None)
