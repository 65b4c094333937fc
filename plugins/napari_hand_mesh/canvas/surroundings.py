"""What else is drawn on the photo: the skeletons of its other hands, and in their place the box that a person draws."""

from __future__ import annotations

import numpy as np
from napari.layers import Vectors

from annotator.hand.definitions import JointDefinition
from annotator.hand.mesh import HandMesh
from napari_hand_mesh.canvas.guard import Guard
from napari_hand_mesh.canvas.stack import OTHER_COLOUR, bones_of, put

BOX_COLOUR = "#ffd24a"


class Surroundings:
    """The part of `HandLayers` that draws what is beside the hand in work."""

    others: Vectors
    guard: Guard
    definition: JointDefinition
    _others: list[HandMesh | None]
    _line_colour: str | None = None

    def show_others(self, hands: list[HandMesh]) -> None:
        """The skeletons of the photo's other hands; drawn anew only where they are not the same objects as before."""
        if [id(hand) for hand in hands] == [id(hand) for hand in self._others]:
            return
        self._others = list(hands)  # kept, so that an id stays what it is
        bones = [bones_of(self.definition.keypoints(hand)[:, ::-1]) for hand in hands]
        self._lines(np.concatenate(bones) if bones else np.zeros((0, 2, 2)), OTHER_COLOUR)

    def show_box(self, first: tuple[float, float], second: tuple[float, float]) -> None:
        """The box that is being drawn, by two opposite corners (x, y) photo px, in the place of the other hands."""
        self._others = [None]  # not what is drawn any more
        (x0, y0), (x1, y1) = first, second
        corners = np.array([(y0, x0), (y0, x1), (y1, x1), (y1, x0)], float)
        self._lines(np.stack([corners, np.roll(corners, -1, 0) - corners], axis=1), BOX_COLOUR)

    def _lines(self, lines: np.ndarray, colour: str) -> None:
        same = len(lines) == len(self.others.data)  # as while a box is drawn, at each move of the mouse
        put(self.others, lines)
        self.guard.show(self.others, len(lines) > 0)  # an empty layer costs a fifth of a frame on software OpenGL
        if len(lines) and (not same or colour != self._line_colour):
            self._line_colour = colour
            self.others.edge_color = colour
