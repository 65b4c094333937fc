"""Pictures as the palm network sees them, for its tuning: cut-out hands over backgrounds, each picture beside its twin
of bare, empty hands; and parts of real photos, whose twin is the picture itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from annotator.synthetic.whole.cutouts import Cutout
from annotator.synthetic.whole.photos import backdrop, developed, lay, placed

SIDE = 192  # px, what the network sees
BACKDROPS, ROOM = 700, 256  # how many backgrounds there are, and their side, px
SIZES = (28.0, 150.0)  # px, the longer side of a hand
REAL, BARE, BANDS = 0.2, 0.25, 0.4  # chances: a real photo; hands as they are in the twin; black bands, as photos have


@dataclass(frozen=True, eq=False)
class Pair:
    """twin, shown (192, 192, 3) uint8: what the teacher and the student see. hands: keypoints (21, 2) px of each, and
    how much of it is seen, 0 where that is not known; None for a real photo."""

    twin: np.ndarray
    shown: np.ndarray
    hands: list[tuple[np.ndarray, float]] | None


class Pictures:
    """Draws pairs from a bank of cutouts, real photos (of which any part may be shown), and places without hands."""

    def __init__(
        self,
        rng: np.random.Generator,
        bank: Sequence[Cutout],
        photos: Sequence[np.ndarray],
        places: Sequence[np.ndarray],
    ):
        self.rng, self.bank, self.photos = rng, bank, photos
        self.backdrops = [backdrop(rng, ROOM, ROOM, places) for _ in range(BACKDROPS)]

    def pair(self) -> Pair:
        if len(self.photos) and self.rng.random() < REAL:
            picture = developed(self.rng, self._part())
            return Pair(picture, picture, None)
        return self._composed()

    def _behind(self) -> np.ndarray:
        rng = self.rng
        picture = self.backdrops[int(rng.integers(len(self.backdrops)))]
        y, x = rng.integers(0, ROOM - SIDE + 1, 2)
        picture = picture[y : y + SIDE, x : x + SIDE]
        for axis in (0, 1):
            picture = np.flip(picture, axis) if rng.random() < 0.5 else picture
        return picture.copy()

    def _composed(self) -> Pair:
        rng = self.rng
        twin = self._behind()
        shown = twin.copy()
        hands: list[tuple[np.ndarray, float]] = []
        for _ in range(rng.choice([0, 1, 2, 3], p=[0.08, 0.5, 0.27, 0.15])):
            cutout = self.bank[int(rng.integers(len(self.bank)))]
            cutout = cutout.mirrored() if rng.random() < 0.5 else cutout
            assert cutout.bare is not None
            pixels = math.exp(rng.uniform(*np.log(SIZES)))
            x, y = rng.uniform(10, SIDE - 10, 2)
            place = placed(rng, cutout, pixels, (float(x), float(y)))
            lay(twin, cutout.bare[0], cutout.bare[1], place)
            lay(shown, cutout.colour, cutout.cover, place)
            points = place.points(cutout.keypoints)
            hands = [(own, 0.0 if _overlaid(own, points.reshape(-1, 2)) else seen) for own, seen in hands]
            hands += [(own, float(seen)) for own, seen in zip(points, cutout.shown, strict=True)]
        shown = developed(rng, twin if rng.random() < BARE else shown)
        if rng.random() < BANDS:
            width, upright = int(rng.integers(1, 60)), rng.random() < 0.5
            for picture in (twin, shown):
                view = picture if upright else picture.swapaxes(0, 1)
                view[: width // 2] = view[SIDE - width // 2 :] = 0
        return Pair(twin, shown, hands)

    def _part(self) -> np.ndarray:
        """A part of a real photo; a small photo whole, turned a little, somewhere on a background."""
        rng = self.rng
        photo = self.photos[int(rng.integers(len(self.photos)))]
        if max(photo.shape[:2]) < SIDE:
            edge = tuple(int(v) for v in photo[0, 0])
            picture = np.full((SIDE, SIDE, 3), edge, np.uint8) if rng.random() < 0.5 else self._behind()
            side = int(rng.integers(60, SIDE))
            turned = Image.fromarray(photo).rotate(rng.normal(0, 30), Image.Resampling.BILINEAR, fillcolor=edge)
            y, x = rng.integers(0, SIDE - side + 1, 2)
            picture[y : y + side, x : x + side] = np.asarray(turned.resize((side, side)))
        else:
            least = min(photo.shape[:2])
            side = int(rng.integers(min(200, least), least + 1))
            y, x = (int(rng.integers(0, length - side + 1)) for length in photo.shape[:2])
            way = Image.Resampling.BOX if side > 2 * SIDE else Image.Resampling.BILINEAR
            picture = np.asarray(Image.fromarray(photo[y : y + side, x : x + side]).resize((SIDE, SIDE), way))
        return np.ascontiguousarray(picture[:, ::-1] if rng.random() < 0.5 else picture)


def _overlaid(hand: np.ndarray, points: np.ndarray) -> bool:
    """Whether what has these points (N, 2) may hide a hand (21, 2)."""
    apart = np.abs(hand.mean(0) - points.mean(0))
    return bool((apart < 0.5 * (np.ptp(hand, 0) + np.ptp(points, 0))).all())
