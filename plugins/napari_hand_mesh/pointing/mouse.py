"""What happens under the mouse: a keypoint is named and its finger brought out, magnified while it is dragged, and the
mesh goes with it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from annotator.errors import InputError
from annotator.hand.joints import joint_index
from annotator.vision.drawing.skeleton import KEYPOINT_COLOURS
from napari_hand_mesh.pointing.beside import Beside
from napari_hand_mesh.pointing.magnifier import Magnifier

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

    from napari_hand_mesh.canvas.dragging import Dragging
    from napari_hand_mesh.canvas.layers import HandLayers
    from napari_hand_mesh.session.session import Session

# Between two pictures of the side view while a keypoint is dragged: s, and times what the last one took. The photo is
# looked at then; on a busy machine the two views would halve each other's pictures a second.
SIDE_EVERY, SIDE_REST = 0.1, 6.0


class Pointing:
    """The part of the plugin's widget that follows the mouse on the canvas."""

    session: Session | None
    layers: HandLayers | None
    dragging: Dragging | None
    _last_joint: int | None
    _chosen_joint: int | None

    def _start_pointing(self) -> None:
        """Once, after Qt's own part of the widget is there."""
        self._beside: Beside | None = None
        self._magnifier: Magnifier | None = None
        self._side_free = 0.0  # from when on the side view may be drawn again

    def _preview(self, joint: int, place: tuple[float, float], hold: bool, exact: bool) -> None:
        try:
            mesh = self.session.preview(joint, place, hold, exact)
        except InputError as error:  # the mouse is far outside the photo
            self.say(str(error))
            return
        contradicting = self.session.strained(mesh)
        strained = [joint_index(one.joint) for one in contradicting]
        self.layers.show(mesh, self.session.hand.joint_states, smooth=False, strained=strained)
        self.viewer.status = contradicting[0].words if contradicting else self.layers.describe(joint)
        self._magnify(joint, place)
        now = time.perf_counter()
        if now > self._side_free:
            self.side.show_hand(mesh, self.session.photo, live=True)
            self._show_lines(joint, place)
            self._show_moved()
            done = time.perf_counter()
            self._side_free = done + max(SIDE_EVERY, SIDE_REST * (done - now))

    def _drop(self, joint: int, place: tuple[float, float], hold: bool, exact: bool) -> None:
        self._magnify(None)
        try:
            self.session.drop(joint, place, hold, exact)
            self.say("; ".join(one.words for one in self.session.strained()))
            self.viewer.status = self.status.text() or self.layers.describe(joint)
        except InputError as error:
            self._refresh()  # the canvas goes back to what is stored
            self.say(str(error))

    def _touch(self, joint: int) -> None:
        self.stop_playing()
        self.settle()
        self._chosen_joint = None
        self._last_joint = joint

    def _over(self, joint: int | None, place: tuple[float, float]) -> None:
        """Another joint is under the mouse: say which, beside the pointer, and bring out its finger. It takes the
        place of one that was chosen by keys."""
        if joint is None:
            if self._chosen_joint is not None and self.dragging.dragged is None:
                return
        elif joint != self._chosen_joint:
            self.settle()
            self._chosen_joint = None
        words = "" if joint is None else self.layers.describe(joint)
        if self._beside is None and self._canvas() is not None:
            self._beside = Beside(self._canvas())
        if self._beside is not None:
            self._beside.show_at(words, *place)
        self.viewer.status = words
        self._show_lines(joint)
        self.layers.bring_out(joint if self.dragging.dragged is None else self.dragging.dragged)

    def _magnify(self, joint: int | None, place: tuple[float, float] = (0.0, 0.0)) -> None:
        """The photo round (x, y) photo px, where a joint is being put; None: no more."""
        canvas: QWidget | None = self._canvas()
        if joint is None or canvas is None:
            if self._magnifier is not None:
                self._magnifier.hide()
            return
        if self._magnifier is None:
            self._magnifier = Magnifier(canvas)
        self._magnifier.show_at(self.layers, joint, place, KEYPOINT_COLOURS[joint])

    # -- actions: names of keys.ACTIONS ----------------------------------------------------------------------
    def peek(self) -> None:
        """The mesh alone, as long as the key is held."""
        self.layers.peek(True)

    def peek_end(self) -> None:
        self.layers.peek(False)
