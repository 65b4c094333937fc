"""Whole synthetic photos: cut-out hands (`cutouts`) at many sizes over a background, with who is where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from annotator.synthetic import images
from annotator.synthetic.scene import random_skin
from annotator.synthetic.whole.cutouts import Cutout


@dataclass(frozen=True, eq=False)
class Place:
    """Where a cutout lies in a photo: the photo's px a px of the cutout, and its upper left corner, px."""

    scale: float
    x: float
    y: float

    def points(self, keypoints: np.ndarray) -> np.ndarray:
        """Keypoints (..., 2) px of the cutout in the photo."""
        return (keypoints + 0.5) * self.scale - 0.5 + (self.x, self.y)


def backdrop(rng: np.random.Generator, width: int, height: int, real: Sequence[np.ndarray] = ()) -> np.ndarray:
    """A place without a hand (height, width, 3) uint8: a synthetic one, or, half of the times where there are any, a
    part of a `real` photo without hands."""
    if len(real) and rng.random() < 0.5:
        photo = real[int(rng.integers(len(real)))]
        share = rng.uniform(0.3, 1.0)
        rows, columns = max(2, round(photo.shape[0] * share)), max(2, round(photo.shape[1] * share))
        y, x = rng.integers(photo.shape[0] - rows + 1), rng.integers(photo.shape[1] - columns + 1)
        image = Image.fromarray(photo[y : y + rows, x : x + columns])
        if rng.random() < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    else:
        image = images.background(rng, random_skin(rng).tone)
        if rng.random() < 0.5:  # finer things, too
            tiles = [images.background(rng, random_skin(rng).tone) for _ in range(2)]
            large = image.resize((448, 448), Image.Resampling.BILINEAR)
            for tile in tiles:
                large.paste(tile, (int(rng.integers(-100, 400)), int(rng.integers(-100, 400))))
            image = large
    return np.array(image.resize((width, height), Image.Resampling.BILINEAR))


def lay(picture: np.ndarray, colour: np.ndarray, cover: np.ndarray, place: Place) -> None:
    """A cut-out picture, where its cover (255: all of it) says, over `picture`, in place."""
    height, width = cover.shape
    shape = (max(1, round(width * place.scale)), max(1, round(height * place.scale)))
    way = Image.Resampling.BOX if place.scale < 0.5 else Image.Resampling.BILINEAR
    x0, y0 = round(place.x), round(place.y)
    rows = slice(max(0, y0), min(picture.shape[0], y0 + shape[1]))
    columns = slice(max(0, x0), min(picture.shape[1], x0 + shape[0]))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    inside = (slice(rows.start - y0, rows.stop - y0), slice(columns.start - x0, columns.stop - x0))
    share = np.asarray(Image.fromarray(np.ascontiguousarray(cover)).resize(shape, way))[inside]
    # what lies beside the render is black: colours are weighted by their cover
    front = np.asarray(Image.fromarray(np.ascontiguousarray(colour)).resize(shape, way))[inside].astype(np.float32)
    clear = (1 - share.astype(np.float32) / 255)[..., None]
    behind = picture[rows, columns]
    picture[rows, columns] = np.clip(front + clear * behind, 0, 255).astype(np.uint8)


def developed(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """What a camera makes of it: colours, a little blur, noise and compression, at the picture's own size."""
    image = Image.fromarray(picture)
    if rng.random() < 0.3:
        image = image.filter(ImageFilter.GaussianBlur(min(rng.exponential(0.8), 2.5)))
    values = images.develop(rng, np.asarray(image, np.float32))
    if rng.random() < 0.6:
        values = values + rng.standard_normal(values.shape, dtype=np.float32) * min(rng.exponential(4.0), 20.0)
    image = Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
    if rng.random() < 0.5:
        image = images.compressed(rng, image)
    return np.array(image)


def extent(cutout: Cutout) -> float:
    """px: the longer side of the box round the keypoints of the cutout's largest hand."""
    return float(np.ptp(cutout.keypoints, axis=1).max())


def placed(rng: np.random.Generator, cutout: Cutout, pixels: float, middle: tuple[float, float]) -> Place:
    """The place at which the cutout's hand takes `pixels`, and the middle of its hands is at `middle`."""
    scale = pixels / max(extent(cutout), 1.0)
    points = cutout.keypoints.reshape(-1, 2)
    at = (points.min(0) + points.max(0)) / 2 * scale
    return Place(scale, float(round(middle[0] - at[0])), float(round(middle[1] - at[1])))
