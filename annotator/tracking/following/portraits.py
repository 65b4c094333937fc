"""What a hand is known by over many frames: its colour, its bones' lengths, its side, how far away it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from annotator.tracking.matching import Looks

# least sigma of red and green shares and of log brightness, and of log bone lengths: so alike is one hand to itself in
# frames that are a while apart, where its frames next to each other do not say that it changes more
COLOUR_FLOOR = np.array([0.008, 0.006, 0.25])
BONES_FLOOR = 0.05
SIDE_FLOOR = 0.3  # of how much it is seen as a right hand, 0..1
FAR_FLOOR = 0.08  # of the log of its distance
MOST = 9.0  # mean square sigmas that each of them may add


class Sight(NamedTuple):
    """A hand in one frame. right: 0..1, how much it was seen as a right hand; distance: of its joints from the camera,
    m."""

    looks: Looks
    right: float
    distance: float


@dataclass(eq=False)
class Portrait:
    """Means and spreads over the frames in which a hand was by itself. count: of them; sums, squares (25,): of what
    they say."""

    count: int = 0
    sums: np.ndarray = field(default_factory=lambda: np.zeros(25))
    squares: np.ndarray = field(default_factory=lambda: np.zeros(25))

    def add(self, sight: Sight) -> None:
        """One more frame."""
        log_distance = np.log(max(sight.distance, 1e-3))
        said = np.concatenate([sight.looks.colour, sight.looks.bones, [sight.right, log_distance]])
        self.count += 1
        self.sums = self.sums + said
        self.squares = self.squares + said**2

    def __add__(self, other: Portrait) -> Portrait:
        """Of the frames of both."""
        return Portrait(self.count + other.count, self.sums + other.sums, self.squares + other.squares)

    @property
    def mean(self) -> np.ndarray:
        """(25,): colour (3), bones (20), right, log distance."""
        return self.sums / max(self.count, 1)

    @property
    def variance(self) -> np.ndarray:
        """(25,) of single frames."""
        return np.maximum(self.squares / max(self.count, 1) - self.mean**2, 0.0)


def unlike(known: Portrait, seen: Portrait) -> float:
    """Half squared sigmas by which a hand differs from a known one; sigmas are those of the known one's frames."""
    apart, spread = seen.mean - known.mean, known.variance
    colour = (apart[:3] ** 2 / (spread[:3] + COLOUR_FLOOR**2)).mean()
    bones = (apart[3:23] ** 2 / (spread[3:23] + BONES_FLOOR**2)).mean()
    side = apart[23] ** 2 / (spread[23] + SIDE_FLOOR**2)
    far = apart[24] ** 2 / (spread[24] + FAR_FLOOR**2)
    return float(0.5 * sum(min(part, MOST) for part in (colour, bones, side, far)))
