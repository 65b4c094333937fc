"""Crops: a rotated square box in a photo, seen at 224 px, with the exact map there and back.

The rules for placing a crop are MediaPipe's (Zhang et al. 2020, arXiv 2006.10214, and its hand landmark
graph): the hand points up in the crop, so that the network sees every hand the same way round.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from annotator.errors import InputError
from annotator.hand.mesh import HandMesh
from annotator.vision.crop_size import CROP_SIZE

MIDDLE = (CROP_SIZE - 1) / 2  # the crop's centre, pixel centres at .0
PALM_SCALE, PALM_SHIFT = 2.6, 0.5
# the 12 landmarks that say where the palm and the fingers' first joints are; tips would make the box restless
STEADY = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)
LANDMARK_SCALE, LANDMARK_SHIFT = 2.0, 0.1
BOX_MARGIN = 0.1  # of the keypoints' longer side: how far a box round a hand goes beyond them
ENDLESS = 1e9  # px: no photo is that large
FEW = 8  # blocks along the photo's longer side: where they are fewer, they are not padded


@dataclass(frozen=True)
class Crop:
    """A square of side `size` photo pixels round (cx, cy), its +x axis at `angle` (atan2(dy, dx), y down).

    crop = 224 / size * R(-angle) (photo - centre) + 111.5, then x -> 223 - x if `flip`: left hands are shown
    mirrored to a network that knows right hands. InputError for a size that is not positive or anything not
    finite.
    """

    cx: float
    cy: float
    size: float
    angle: float = 0.0
    flip: bool = False

    def __post_init__(self) -> None:
        for name in ("cx", "cy", "size", "angle"):
            value = float(getattr(self, name))
            if not abs(value) < ENDLESS:  # also NaN
                raise InputError(f"crop {name} is {value}")
            object.__setattr__(self, name, value)
        if self.size <= 0:
            raise InputError(f"crop size is {self.size:g} px, expected a positive number")
        object.__setattr__(self, "flip", bool(self.flip))

    @classmethod
    def from_box(cls, box, margin: float = 1.5, angle: float = 0.0, flip: bool = False) -> Crop:
        """Round an upright box (x0, y0, x1, y1), photo pixels; the side is `margin` times its longer side."""
        x0, y0, x1, y1 = (float(v) for v in box)
        if not (x1 > x0 and y1 > y0):
            raise InputError(f"box ({x0:g}, {y0:g}, {x1:g}, {y1:g}) is empty, expected x0 < x1 and y0 < y1")
        return cls((x0 + x1) / 2, (y0 + y1) / 2, margin * max(x1 - x0, y1 - y0), angle, flip)

    @classmethod
    def of_hand(cls, hand: HandMesh) -> Crop:
        """The crop that a hand was answered in."""
        return cls(hand.crop_center[0], hand.crop_center[1], hand.crop_size, hand.crop_angle, flip=hand.side == "left")

    @classmethod
    def from_palm(cls, palm, flip: bool = False) -> Crop:
        """Round the whole hand that a detected palm (see vision.palm) belongs to."""
        x0, y0, x1, y1 = palm.box
        angle = upright_angle(palm.points[0], palm.points[2])  # wrist to the middle finger's knuckle
        shift = PALM_SHIFT * (y1 - y0)
        cx = (x0 + x1) / 2 + shift * math.sin(angle)
        cy = (y0 + y1) / 2 - shift * math.cos(angle)
        return cls(cx, cy, PALM_SCALE * max(x1 - x0, y1 - y0), angle, flip)

    @classmethod
    def from_landmarks(cls, points, flip: bool = False) -> Crop:
        """Round the hand with these 21 keypoints (21, 2), photo pixels."""
        points = np.asarray(points, np.float64)
        if points.shape != (21, 2):
            raise InputError(f"landmarks have shape {points.shape}, expected (21, 2)")
        knuckles = (points[5] + points[13]) / 4 + points[9] / 2  # index and ring, middle
        angle = upright_angle(points[0], knuckles)
        cos, sin = math.cos(angle), math.sin(angle)
        steady = points[list(STEADY)]
        u = steady @ (cos, sin)  # along the crop's x and y axes
        v = steady @ (-sin, cos)
        width, height = np.ptp(u), np.ptp(v)
        middle_u = (u.min() + u.max()) / 2
        middle_v = (v.min() + v.max()) / 2 - LANDMARK_SHIFT * height
        size = LANDMARK_SCALE * max(width, height)
        return cls(cos * middle_u - sin * middle_v, sin * middle_u + cos * middle_v, size, angle, flip)

    @property
    def inverse(self) -> np.ndarray:
        """(2, 3) affine map, crop pixels to photo pixels."""
        scale = self.size / CROP_SIZE
        cos, sin = scale * math.cos(self.angle), scale * math.sin(self.angle)
        mirror = -1.0 if self.flip else 1.0
        linear = np.array([[mirror * cos, -sin], [mirror * sin, cos]])
        offset = np.array([self.cx, self.cy]) - linear @ (MIDDLE, MIDDLE)
        return np.column_stack([linear, offset])

    @property
    def matrix(self) -> np.ndarray:
        """(2, 3) affine map, photo pixels to crop pixels."""
        scale = CROP_SIZE / self.size
        cos, sin = scale * math.cos(self.angle), scale * math.sin(self.angle)
        mirror = -1.0 if self.flip else 1.0
        linear = np.array([[mirror * cos, mirror * sin], [-sin, cos]])
        offset = MIDDLE - linear @ (self.cx, self.cy)
        return np.column_stack([linear, offset])

    def to_crop(self, points) -> np.ndarray:
        """Photo pixels (..., 2) to crop pixels (..., 2)."""
        # about the centre, not through `matrix`: no digits are lost far from the photo's origin
        return (np.asarray(points, np.float64) - (self.cx, self.cy)) @ self.matrix[:, :2].T + MIDDLE

    def to_photo(self, points) -> np.ndarray:
        """Crop pixels (..., 2) to photo pixels (..., 2)."""
        return (np.asarray(points, np.float64) - MIDDLE) @ self.inverse[:, :2].T + (self.cx, self.cy)

    @property
    def corners(self) -> np.ndarray:
        """(4, 2) photo pixels: the outer corners, top left first, then clockwise as the crop shows them."""
        low, high = -0.5, CROP_SIZE - 0.5
        return self.to_photo([(low, low), (high, low), (high, high), (low, high)])

    def turned(self, angle: float) -> Crop:
        """The same box, turned by `angle` more (radians)."""
        return replace(self, angle=self.angle + angle)

    def flipped(self) -> Crop:
        """The same box, shown mirrored."""
        return replace(self, flip=not self.flip)

    def mirrored(self, width: int) -> Crop:
        """The crop of the mirrored photo (of this width) that shows the same picture as this one."""
        return Crop(width - 1 - self.cx, self.cy, self.size, -self.angle, not self.flip)

    def extract(self, photo: np.ndarray, pixels: int = CROP_SIZE) -> np.ndarray:
        """The crop of a photo (H, W, 3) uint8 as (pixels, pixels, 3) float32 in 0..1; black outside the
        photo.

        Bilinear. A crop that shrinks the photo is antialiased: whole blocks of pixels are averaged first,
        then up to 2 x 2 samples a crop pixel. Every step is symmetric under mirroring, so the mirrored crop
        of the mirrored photo gives the same picture (to rounding).
        """
        shrink = self.size / pixels
        block = 1 if shrink < 3 else (int(shrink) - 1) // 2 * 2 + 1  # odd, so that blocks can be laid symmetrically
        source, x0, y0 = _blocks(photo, self.corners, block)
        if source is None:
            return np.zeros((pixels, pixels, 3), np.float32)
        samples = 1 if shrink <= 1.25 * block else 2
        # places are computed in float64 and rounded once: that costs up to 2e-5 of the grey range, at sharp edges
        steps = pixels * samples
        axis = ((torch.arange(steps, dtype=torch.float64) + 0.5) / steps - 0.5) * CROP_SIZE
        (a, b, _), (c, d, _) = self.inverse
        height, width = source.shape[:2]
        to_x, to_y = 2 / (block * width), 2 / (block * height)  # grid_sample's -1..1 runs from edge to edge
        grid = torch.empty(1, steps, steps, 2)
        for place, along, across, first, scale in ((0, a, b, self.cx - x0, to_x), (1, c, d, self.cy - y0, to_y)):
            rows = (across * axis + first + 0.5) * scale - 1
            torch.add((along * scale * axis).float()[None], rows.float()[:, None], out=grid[0, ..., place])
        image = torch.from_numpy(source.astype(np.float32)).permute(2, 0, 1)[None]
        crop = F.grid_sample(image, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
        if samples > 1:
            crop = crop[:, :, ::2] + crop[:, :, 1::2]
            crop = (crop[..., ::2] + crop[..., 1::2]) / 4
        return (crop[0] / 255).permute(1, 2, 0).contiguous().numpy()


def extract_all(photo: np.ndarray, crops, pixels: int = CROP_SIZE) -> torch.Tensor:
    """(N, 3, pixels, pixels) float32 in 0..1, channels_last: one batch of crops of one photo."""
    pictures = np.zeros((len(crops), pixels, pixels, 3), np.float32)
    for picture, crop in zip(pictures, crops, strict=True):
        picture[:] = crop.extract(photo, pixels)
    return torch.from_numpy(pictures).permute(0, 3, 1, 2)


def box_round(points: np.ndarray) -> tuple[float, float, float, float]:
    """(x0, y0, x1, y1): an upright box round a hand's keypoints (21, 2), with a margin, as a person would draw it."""
    low, high = points.min(0), points.max(0)
    pad = BOX_MARGIN * float((high - low).max())
    return (*(low - pad), *(high + pad))


def brighter_left(picture: np.ndarray) -> bool:
    """Whether a picture (H, W, 3) is brighter on the left: of a picture and its mirror image, one is.

    A rule that chooses by this chooses the same picture whichever of the two it is shown.
    """
    # of equal columns equal sums, wherever they are
    columns = np.add.reduce(picture, axis=0).sum(axis=1).astype(np.float64)
    return bool(columns @ (np.arange(len(columns)) - (len(columns) - 1) / 2) < 0)


def upright_angle(wrist, knuckles) -> float:
    """The angle of a crop in which the direction from wrist to knuckles (photo pixels) points up, -pi..pi."""
    return math.atan2(float(knuckles[0]) - float(wrist[0]), float(wrist[1]) - float(knuckles[1]))


def _blocks(photo: np.ndarray, corners: np.ndarray, block: int) -> tuple[np.ndarray | None, int, int]:
    """The part of the photo under the corners, averaged in blocks of `block` x `block` px, and its first
    pixel x, y.

    None if nothing of the photo is there. The blocks lie symmetrically about the part's middle.
    """
    spans = []
    for axis, length in ((0, photo.shape[1]), (1, photo.shape[0])):
        low = math.floor(corners[:, axis].min()) - block
        high = math.ceil(corners[:, axis].max()) + block + 1
        extra = -(high - low) % block
        if extra % 2:
            extra += block  # block is odd: now the extra pixels split into equal halves
        low, high = low - extra // 2, high + extra // 2
        # keep whole blocks only where the photo is
        first = max(0, -low // block)
        last = min(high - low, length - low + block - 1) // block
        if first >= last:
            return None, 0, 0
        spans.append((low + first * block, low + last * block))
    (x0, x1), (y0, y1) = spans
    if block * FEW > max(photo.shape[:2]):
        return _few_blocks(photo, x0, x1, y0, y1, block), x0, y0
    inside = photo[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
    pad_y, pad_x = (
        (max(-y0, 0), y1 - max(y0, 0) - inside.shape[0]),
        (max(-x0, 0), x1 - max(x0, 0) - inside.shape[1]),
    )
    if block == 1:
        return np.ascontiguousarray(inside), max(x0, 0), max(y0, 0)
    padded = np.pad(inside, (pad_y, pad_x, (0, 0)))
    return np.array(Image.fromarray(padded).reduce(block)), x0, y0


def _few_blocks(photo: np.ndarray, x0: int, x1: int, y0: int, y1: int, block: int) -> np.ndarray:
    """The same means where blocks are large beside the photo: they are laid out in numbers alone, never in memory."""
    means = np.zeros(((y1 - y0) // block, (x1 - x0) // block, 3), np.uint8)
    for row, y in enumerate(range(y0, y1, block)):
        for column, x in enumerate(range(x0, x1, block)):
            part = photo[max(y, 0) : max(y + block, 0), max(x, 0) : max(x + block, 0)]
            means[row, column] = np.rint(part.sum((0, 1), dtype=np.float64) / float(block) ** 2)
    return means
