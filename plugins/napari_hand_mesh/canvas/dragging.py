"""The mouse on the canvas: it drags a keypoint and the mesh follows, draws a box round a missed hand, and picks another
hand by a click.

napari's own drag of a point tells its listeners only at the start and the end, so this is a generator among
the `mouse_drag_callbacks`, which napari resumes at every move. They are the viewer's: a layer's are called for the
selected layer alone, and what lies on the canvas is taken whatever layer is selected.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from napari_hand_mesh.canvas.guard import MODE
from napari_hand_mesh.canvas.layers import HandLayers

# Between two previews the canvas must get its turn: at least this long, and as long as the last preview took.
REST = 1 / 60
CLICK = 3.0  # screen px: a press that moves less is a click, not a correction

Place = tuple[float, float]


class Dragging:
    """Mouse on the canvas. The first two functions take (joint, (x, y) photo px, hold, exact): whether Shift
    and Control are pressed. (Alt and a drag are napari's own, they draw a box to zoom into.)

    preview: while the mouse moves; drop: when it is let go; touched: called with the joint that was pressed; clicked:
    with the place of a click beside every keypoint; boxed: with the two corners of a box, once `box` was called;
    over: with another joint under the mouse than before, or None, and where the mouse is on the canvas, (x, y) px.
    picking: while it is set, a keypoint that is pressed is told to it, and not dragged.
    """

    def __init__(
        self,
        layers: HandLayers,
        preview: Callable[[int, Place, bool, bool], None],
        drop: Callable[[int, Place, bool, bool], None],
        touched: Callable[[int], None],
        clicked: Callable[[Place], None],
        boxed: Callable[[Place, Place], None],
        over: Callable[[int | None, Place], None] = lambda _joint, _place: None,
    ):
        self._layers, self._preview, self._drop, self._touched = layers, preview, drop, touched
        self._clicked, self._boxed, self._over = clicked, boxed, over
        self.boxing = False
        self.picking: Callable[[int], None] | None = None
        self.rest = REST
        self.dragged: int | None = None
        self.hovered: int | None = None
        self._grips = 0  # how often what the mouse held was let go
        layers.viewer.mouse_drag_callbacks.append(self._drag)
        layers.viewer.mouse_move_callbacks.append(self._hover)

    def let_go(self) -> None:
        """What the mouse holds is not there any more: moving on and letting go of the button do nothing."""
        self._grips += 1
        self.dragged = None

    def disconnect(self) -> None:
        self.let_go()
        viewer = self._layers.viewer
        for callbacks, own in (
            (viewer.mouse_drag_callbacks, self._drag),
            (viewer.mouse_move_callbacks, self._hover),
        ):
            if own in callbacks:
                callbacks.remove(own)

    def box(self, wanted: bool = True) -> None:
        """The next drag draws a box, wherever it begins (False: it does not)."""
        self.boxing = wanted
        self._pan(not wanted)
        self._layers.viewer.cursor.style = "cross" if wanted else "standard"

    def _pan(self, wanted: bool) -> None:
        """Whether a drag moves the photo."""
        camera = self._layers.camera
        if camera.mouse_pan != wanted:
            camera.mouse_pan = wanted

    def _ours(self) -> bool:
        """Whether the mouse is ours: not while a person paints or selects in a layer of their own."""
        active = self._layers.viewer.layers.selection.active
        return active is None or active in self._layers.all or str(getattr(active, "mode", MODE)) == MODE

    def _hover(self, _viewer, event) -> None:
        """Over a keypoint the mouse takes it, elsewhere it moves the photo."""
        if self.dragged is not None or self.boxing or not self._ours():
            return
        joint = self._layers.joint_at(event.position)
        self._pan(joint is None)
        if joint != self.hovered:
            self.hovered = joint
            self._over(joint, tuple(event.pos))

    def _drag(self, _viewer, event) -> Iterator[None]:
        if event.button != 1 or not self._ours():
            return
        if self.boxing:
            yield from self._draw(event)
            return
        joint = self._layers.joint_at(event.position)
        start = tuple(event.position)[-2:]
        if joint is None:
            yield from self._click(event)
            return
        if self.picking is not None:
            self.picking(joint)
            return
        place_of_joint = self._layers.places[joint]
        grip = (
            place_of_joint[0] - start[1],
            place_of_joint[1] - start[0],
        )  # the marker stays where it was gripped
        self._pan(False)
        self.dragged = joint
        self.hovered = joint
        self._over(None, tuple(event.pos))  # nothing may hide the skin now
        self._touched(joint)
        moved, free_at, grips = False, 0.0, self._grips
        try:
            yield
            while event.type == "mouse_move":
                if grips != self._grips:
                    yield
                    continue
                row, column = tuple(event.position)[-2:]
                far = max(abs(row - start[0]), abs(column - start[1])) * self._layers.camera.zoom
                moved = moved or far >= CLICK
                begun = time.perf_counter()
                if moved and begun >= free_at:
                    self._preview(joint, (column + grip[0], row + grip[1]), *_held(event))
                    done = time.perf_counter()
                    free_at = done + max(self.rest, done - begun)
                yield
        finally:
            self.dragged = None
            self._pan(True)
        if moved and grips == self._grips:
            row, column = tuple(event.position)[-2:]
            self._drop(joint, (column + grip[0], row + grip[1]), *_held(event))

    def _click(self, event) -> Iterator[None]:
        """Beside the keypoints: a drag moves the photo, which is napari's; a click is passed on."""
        start = tuple(event.position)[-2:]
        at, grips = tuple(event.pos), self._grips  # the photo moves under the mouse, the window does not
        yield
        while event.type == "mouse_move":
            yield
        if grips == self._grips and max(abs(a - b) for a, b in zip(event.pos, at, strict=False)) < CLICK:
            self._clicked((start[1], start[0]))

    def _draw(self, event) -> Iterator[None]:
        """A box from where the mouse was pressed to where it is let go; a click draws none."""
        row, column = tuple(event.position)[-2:]
        first = second = (column, row)
        self._pan(False)  # whoever selected another layer meanwhile let it move the photo
        grips = self._grips
        yield
        while event.type == "mouse_move":
            if self.boxing and grips == self._grips:
                row, column = tuple(event.position)[-2:]
                second = (column, row)
                self._layers.show_box(first, second)
            yield
        wanted = self.boxing and grips == self._grips
        self.box(False)
        if wanted:
            self._boxed(first, second)


def _held(event) -> tuple[bool, bool]:
    """(all other keypoints stay, the mesh is pinned): Shift and Control, as they are at this event."""
    return "Shift" in event.modifiers, "Control" in event.modifiers
