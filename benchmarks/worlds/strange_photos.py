"""Photos of what is no ordinary bare hand, made from free ones: for the out-of-domain benchmark.

No photo of a foot or a glove is among the cleared data, so these are made: a foot is drawn, a glove is a real hand's
region recoloured and ribbed, a drawing is a real photo's pencil sketch, interlocked hands are two real hands laid over
each other.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import ndimage
from skimage import data as skimage_data

from annotator.hand.mesh import HandMesh
from annotator.vision.drawing.overlay import shade

Box = tuple[float, float, float, float]
# scikit-image's own pictures that show no hand
EMPTY = (
    "astronaut",
    "camera",
    "chelsea",
    "clock",
    "coffee",
    "coins",
    "grass",
    "gravel",
    "brick",
    "horse",
    "moon",
    "page",
    "rocket",
    "text",
    "hubble_deep_field",
    "retina",
    "immunohistochemistry",
    "motorcycle",
)


def without_hands(count: int, random: np.random.Generator) -> Iterator[tuple[np.ndarray, Box]]:
    """Pieces of photos that show no hand, with a box in them."""
    names = [name for name in EMPTY if hasattr(skimage_data, name)]
    pictures = []
    for name in names:
        try:
            pictures.append(getattr(skimage_data, name)())
        except Exception:  # a picture that this installation would have to download
            continue
    if hasattr(skimage_data, "stereo_motorcycle"):
        pictures.append(skimage_data.stereo_motorcycle()[0])
    for number in range(count):
        picture = np.asarray(pictures[number % len(pictures)])
        if picture.ndim == 2:
            picture = np.repeat(picture[..., None], 3, 2)
        picture = picture[..., :3].astype(np.float64)
        picture = (255 * picture / max(picture.max(), 1)).astype(np.uint8)
        height, width = picture.shape[:2]
        side = random.uniform(0.25, 0.7) * min(height, width)
        x, y = random.uniform(0, width - side), random.uniform(0, height - side)
        yield picture, (x, y, x + side, y + side)


def region(photo: np.ndarray, hand: HandMesh) -> np.ndarray:
    """(H, W) 0..1: where the hand is, its mesh's silhouette grown a little and softened."""
    drawn = shade(hand.vertices, hand.faces, hand.camera, np.zeros_like(photo), 1.0, (1.0, 1.0, 1.0))
    size = max(1.0, 0.02 * hand.crop_size)
    mask = ndimage.binary_dilation(drawn.max(2) > 8, iterations=int(round(size)))
    return ndimage.gaussian_filter(mask.astype(float), 0.5 * size)


def gloved(photo: np.ndarray, hand: HandMesh, random: np.random.Generator) -> np.ndarray:
    """The hand in a thick knitted glove of some colour that no skin has."""
    grey = photo.mean(2)
    smooth = ndimage.gaussian_filter(grey, 0.02 * hand.crop_size)
    y, x = np.mgrid[: photo.shape[0], : photo.shape[1]]
    period = 0.03 * hand.crop_size
    knit = 1 + 0.18 * np.sign(np.sin(2 * np.pi * x / period)) * np.sign(np.sin(2 * np.pi * y / period))
    colour = np.array([(0.15, 0.35, 0.9), (0.1, 0.7, 0.3), (0.8, 0.1, 0.7), (0.95, 0.9, 0.1), (0.15, 0.15, 0.15)])[
        random.integers(5)
    ]
    cloth = (0.35 + 0.65 * smooth / max(smooth.max(), 1))[..., None] * knit[..., None] * colour * 255
    weight = region(photo, hand)[..., None]
    return np.clip(photo * (1 - weight) + cloth * weight, 0, 255).astype(np.uint8)


def drawn(photo: np.ndarray) -> np.ndarray:
    """A pencil sketch of the photo: dark where a dodged, blurred negative differs from it."""
    grey = photo.mean(2)
    blurred = ndimage.gaussian_filter(grey, max(1.5, 0.012 * max(grey.shape)))
    sketch = np.clip(255 * (grey + 1) / (blurred + 1), 0, 255)
    sketch = 255 - np.clip((255 - sketch) * 4, 0, 235)
    return np.repeat(sketch[..., None], 3, 2).astype(np.uint8)


def interlocked(photo: np.ndarray, hand: HandMesh, other: np.ndarray, theirs: HandMesh) -> np.ndarray:
    """`other`'s hand, turned by a right angle, woven through this photo's: in front in every other stripe."""
    span = 1.2 * theirs.crop_size / 2
    x, y = theirs.crop_center
    height, width = other.shape[:2]
    scale = theirs.crop_size / hand.crop_size
    centre = hand.keypoints.mean(0) + (0.1 * hand.crop_size, 0.05 * hand.crop_size)
    yy, xx = np.mgrid[: photo.shape[0], : photo.shape[1]].astype(float)
    dx, dy = (xx - centre[0]) * scale, (yy - centre[1]) * scale
    sx, sy = x - dy, y + dx  # a quarter turn
    weight = region(other, theirs)
    inside = (np.abs(dx) < span) & (np.abs(dy) < span) & (sx >= 0) & (sy >= 0) & (sx < width - 1) & (sy < height - 1)
    over = np.stack([ndimage.map_coordinates(other[..., c].astype(float), [sy, sx], order=1) for c in range(3)], 2)
    woven = np.sin(2 * np.pi * dx / (0.16 * theirs.crop_size)) > 0
    share = (ndimage.map_coordinates(weight, [sy, sx], order=1) * inside * woven)[..., None]
    return np.clip(photo * (1 - share) + over * share, 0, 255).astype(np.uint8)


def feet(count: int, random: np.random.Generator) -> Iterator[tuple[np.ndarray, Box]]:
    """Bare feet from above, drawn: a sole, five toes in a row, shaded like skin."""
    for _ in range(count):
        size, scale = 300, random.uniform(0.8, 1.1)
        y, x = np.mgrid[:size, :size]
        height = np.zeros((size, size))

        def lump(cx, cy, rx, ry, height=height, x=x, y=y, scale=scale):
            inside = (
                1
                - ((x - 150 - scale * (cx - 150)) / (rx * scale)) ** 2
                - ((y - 150 - scale * (cy - 150)) / (ry * scale)) ** 2
            )
            np.maximum(height, np.sqrt(np.clip(inside, 0, None)) * min(rx, ry) * scale, out=height)

        lump(150, 180, 42, 95), lump(148, 110, 52, 45), lump(155, 250, 36, 40)
        for k, (cx, cy) in enumerate([(112, 58), (138, 50), (158, 54), (174, 62), (188, 74)]):
            lump(cx, cy, 17 - 2.2 * k, 22 - 2.5 * k)
        height = ndimage.gaussian_filter(height, 2.0)
        gy, gx = np.gradient(height)
        light = np.clip((0.5 * -gx + 0.6 * -gy + 1) / np.sqrt(1 + gx**2 + gy**2), 0, None)
        skin = np.array([(225, 180, 150), (160, 110, 80), (95, 60, 45)])[random.integers(3)]
        ground = np.full((size, size, 3), random.integers(60, 220, 3), float)
        mask = ndimage.gaussian_filter((height > 1).astype(float), 1.0)[..., None]
        picture = ground * (1 - mask) + (0.35 + 0.65 * light / light.max())[..., None] * skin * mask
        picture = np.clip(picture + random.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)
        quarter = int(random.integers(4))
        yield np.ascontiguousarray(np.rot90(picture, quarter)), (50.0, 10.0, 250.0, 290.0)
