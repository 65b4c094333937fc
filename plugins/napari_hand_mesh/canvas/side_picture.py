"""The hand in space before its photo, from any side; without Qt and napari.

The photo stands as a card behind the hand, where the camera that took it sees it: from the front the mesh lies on the
photo exactly as on the canvas, and as one walks round, the hand comes off the card.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from annotator.hand.mesh import HandMesh
from annotator.vision.drawing.overlay import COLOUR, GREY, shade
from annotator.vision.drawing.window import Window

ROOM = 1.1  # of the hand's reach round its middle: it fits from every side
CARD = 320  # px a side of the photo's part
OPACITY = 0.85  # of the mesh where the photo is behind it
EDGE_ON = 0.05  # cosine of the angle at which the card is too narrow to be seen
STEP = 0.001  # m along a line of sight
NEAREST = 0.02  # m: a card that comes nearer to the camera is not drawn


@dataclass(frozen=True)
class View:
    """Where one looks at a hand from. rotation (3, 3) about `middle` (3,) m, camera frame; K (3, 3) of the picture;
    window: the part of the photo that is on the card; behind: m, the card's depth."""

    rotation: np.ndarray
    middle: np.ndarray
    K: np.ndarray
    window: Window
    behind: float

    @classmethod
    def of(
        cls, hand: HandMesh, yaw: float, pitch: float, size: int, zoom: float = 1.0, aside: tuple[float, float] = (0, 0)
    ) -> View:
        """After walking round the hand by `yaw` degrees to the right and up by `pitch`, `size` px a side. zoom: 1 has
        all of the hand; aside: (right, down) from the hand's middle to the picture's, in halves of the picture at zoom
        1."""
        a, b = np.radians(yaw), np.radians(pitch)
        about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
        about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
        middle = (hand.vertices.min(0) + hand.vertices.max(0)) / 2
        reach = float(np.linalg.norm(hand.vertices - middle, axis=1).max())
        behind = float(hand.vertices[:, 2].max())
        across = hand.camera @ np.stack([middle, middle + (reach, 0, 0)], axis=1)
        centre, side = (across[:2] / np.maximum(across[2:], NEAREST)).T
        radius = max(ROOM * float(np.linalg.norm(side - centre)), 1.0)
        centre, radius = centre + radius * np.asarray(aside, float), radius / zoom
        window = Window(float(centre[0] - radius), float(centre[1] - radius), 2 * radius, size)
        return cls(about_x @ about_y, middle, window.matrix @ hand.camera, window, behind)

    def points(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 3) m, camera frame, as the turned camera sees them: (N, 3) m."""
        return (points - self.middle) @ self.rotation.T + self.middle

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """(N, 2) px of the picture where points (N, 3) m, camera frame, are seen."""
        seen = self.points(points) @ self.K.T
        return seen[:, :2] / np.maximum(seen[:, 2:], NEAREST)

    def sight(self, joint: np.ndarray) -> np.ndarray:
        """(2,) px of the picture by which a point (3,) m moves for each metre that it goes farther from the photo's
        camera, along its line of sight."""
        farther = joint * (1 + STEP / joint[2])
        here, there = self.pixels(np.stack([joint, farther]))
        return (there - here) / STEP

    def across(self, joint: np.ndarray) -> float:
        """px of the picture for a metre at the depth of a point (3,), across the view."""
        return float(self.K[0, 0] / max(self.points(joint[None])[0, 2], NEAREST))

    def card(self, hand: HandMesh) -> np.ndarray | None:
        """(3, 3): picture px to photo px, homogeneous, on the card; None where it is not to be seen."""
        if self.rotation[2, 2] < EDGE_ON:  # from behind it would hide the hand
            return None
        # photo px p stands at X = behind K^-1 p, and is seen at K' (R (X - m) + m)
        to_space = self.behind * np.linalg.inv(hand.camera)
        there = self.rotation @ to_space
        there[:, 2] += self.middle - self.rotation @ self.middle
        left, top, size = self.window.left, self.window.top, self.window.size
        corners = np.array([(x, y, 1.0) for x in (left, left + size) for y in (top, top + size)])
        if (corners @ there.T)[:, 2].min() < NEAREST:
            return None
        return np.linalg.inv(self.K @ there)


def side_picture(
    hand: HandMesh,
    photo: np.ndarray | None,
    yaw: float,
    pitch: float,
    size: int,
    colour: tuple[float, float, float] | np.ndarray = COLOUR,
) -> np.ndarray:
    """`picture_in` the view from there: yaw, pitch in degrees, see `View.of`."""
    return picture_in(View.of(hand, yaw, pitch, size), hand, photo, colour)


def picture_in(
    view: View,
    hand: HandMesh,
    photo: np.ndarray | None,
    colour: tuple[float, float, float] | np.ndarray = COLOUR,
) -> np.ndarray:
    """(size, size, 3) uint8. photo (H, W, 3) uint8, or None for the hand alone; colour as in `overlay.shade`."""
    size = view.window.pixels
    back = view.card(hand) if photo is not None else None
    ground: np.ndarray | tuple[int, int] = (size, size)
    if back is not None:
        ground = _seen(photo, view.window, back, size)
    opacity = OPACITY if back is not None else 1.0
    return shade(view.points(hand.vertices), hand.faces, view.K, ground, opacity, colour)


def _seen(photo: np.ndarray, window: Window, back: np.ndarray, size: int) -> np.ndarray:
    """The window's part of the photo, through `back` (picture px to photo px)."""
    part = Window(window.left, window.top, window.size, min(CARD, size))
    # Pillow counts from the pixels' corners, we from their centres
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    matrix = half @ part.matrix @ back @ np.linalg.inv(half)
    matrix /= matrix[2, 2]
    image = Image.fromarray(part.picture(photo))
    seen = image.transform(
        (size, size), Image.Transform.PERSPECTIVE, matrix.ravel()[:8], Image.Resampling.BILINEAR, fillcolor=(GREY,) * 3
    )
    return np.asarray(seen)
