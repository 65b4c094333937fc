"""What lies behind the hand and what a camera does to the picture: backgrounds, compositing, degradation.

All functions take a numpy Generator and work on one 224 x 224 RGB picture; a few milliseconds of PIL and
numpy.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from annotator.vision.crop_size import CROP_SIZE


def background(rng: np.random.Generator, skin: np.ndarray) -> Image.Image:
    """A random place without a hand, as an RGB image of 224 px; `skin` (3,) sRGB 0..1 for skin-coloured
    distractors."""
    kind = rng.choice(6, p=[0.27, 0.15, 0.18, 0.22, 0.08, 0.10])
    if kind == 0:
        image = _wall(rng)
    elif kind == 1:
        image = _noise(rng)
    elif kind == 2:
        image = _desk(rng)
    elif kind == 3:
        image = _clutter(rng, skin)
    elif kind == 4:
        image = _pattern(rng)
    else:
        image = Image.blend(_clutter(rng, skin), _noise(rng), rng.uniform(0.2, 0.6))
    if rng.random() < 0.6:
        image = _shade(rng, image)
    if kind >= 2 and rng.random() < 0.6:
        image = image.filter(ImageFilter.GaussianBlur(rng.exponential(3.0)))
    if kind >= 1 and rng.random() < 0.5:
        image = _grain(rng, image, rng.uniform(1, 8))
    return image


def _colour(rng: np.random.Generator, vivid: float = 0.5) -> tuple[int, int, int]:
    """A random colour, mostly the greyish ones that rooms have."""
    value = rng.beta(1.3, 1.2)
    tint = rng.normal(0, 0.04 + 0.25 * vivid * rng.random() ** 2, 3)
    red, green, blue = (int(v) for v in np.clip((value * (1 + tint) + 0.2 * tint) * 255, 0, 255))
    return red, green, blue


def _field(rng: np.random.Generator, cells: int, channels: int = 1) -> np.ndarray:
    """Smooth noise (224,224,channels) in about 0..1 with `cells` features across."""
    small = (rng.random((cells + 2, cells + 2, channels)) * 255).astype(np.uint8)
    out = [
        np.asarray(Image.fromarray(small[..., k]).resize((CROP_SIZE, CROP_SIZE), Image.Resampling.BICUBIC))
        for k in range(channels)
    ]
    return np.stack(out, axis=-1).astype(np.float32) / 255


def _mix(first, second, weight: np.ndarray) -> Image.Image:
    first, second = np.asarray(first, np.float32), np.asarray(second, np.float32)
    return Image.fromarray(np.clip(first + (second - first) * weight, 0, 255).astype(np.uint8))


def _wall(rng: np.random.Generator) -> Image.Image:
    first = np.asarray(_colour(rng, 0.3), np.float32)
    second = np.clip(first * rng.uniform(0.6, 1.25) + rng.normal(0, 6, 3), 0, 255)
    return _mix(first, second, _field(rng, int(rng.integers(1, 4))))


def _noise(rng: np.random.Generator) -> Image.Image:
    first, second, third = (_colour(rng) for _ in range(3))
    weight: Any = 0.0
    for cells in (2, 6, 18, 54):
        weight = weight + _field(rng, cells) * rng.uniform(0.1, 1.0) / np.sqrt(cells)
    weight = (weight - weight.min()) / max(float(np.ptp(weight)), 1e-3)
    image = _mix(first, second, weight)
    return _mix(image, third, np.clip(_field(rng, 5) * 3 - 1.5, 0, 1)) if rng.random() < 0.5 else image


def _desk(rng: np.random.Generator) -> Image.Image:
    """A table against a wall: two or three planes, one of them perhaps with grain."""
    image = _wall(rng)
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(1, 3))):
        angle, offset = rng.uniform(0, 2 * np.pi), rng.uniform(-80, 80)
        along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        centre = np.array([112, 112]) + across * offset
        corners = [
            centre - along * 400,
            centre + along * 400,
            centre + along * 400 + across * 500,
            centre - along * 400 + across * 500,
        ]
        draw.polygon([tuple(c) for c in corners], fill=_colour(rng, 0.5))
    if rng.random() < 0.6:  # grain of wood or cloth
        stretch = int(rng.integers(20, 110))
        noise = (rng.random((CROP_SIZE, max(2, CROP_SIZE // stretch))) * 255).astype(np.uint8)
        fibres = (
            Image.fromarray(noise)
            .resize((CROP_SIZE, CROP_SIZE), Image.Resampling.BICUBIC)
            .rotate(rng.uniform(0, 360), Image.Resampling.NEAREST)
        )
        strength = rng.uniform(0.03, 0.25)
        image = _mix(
            image,
            np.asarray(image, np.float32) * 0.5,
            (np.asarray(fibres, np.float32)[..., None] / 255) * 2 * strength,
        )
    return image


def _clutter(rng: np.random.Generator, skin: np.ndarray) -> Image.Image:
    """Things on top of each other: boxes, ellipses, lines; sometimes a face-like blob in the hand's own skin
    colour."""
    image = _wall(rng)
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(3, 26))):
        x, y = rng.uniform(-40, CROP_SIZE + 40, 2)
        w, h = rng.lognormal(3.5, 0.8, 2)
        fill = _colour(rng, 0.9)
        shape = rng.random()
        if shape < 0.35:
            angle = rng.normal(0, 0.3)
            c, s = np.cos(angle), np.sin(angle)
            box = np.array([[-w, -h], [w, -h], [w, h], [-w, h]]) @ np.array([[c, s], [-s, c]]) + (x, y)
            draw.polygon([tuple(p) for p in box], fill=fill)
        elif shape < 0.65:
            draw.ellipse((x - w, y - h, x + w, y + h), fill=fill)
        elif shape < 0.85:
            x2, y2 = rng.uniform(-40, CROP_SIZE + 40, 2)
            draw.line((x, y, x2, y2), fill=fill, width=int(rng.integers(1, 12)))
        else:
            points = rng.normal(0, 40, (int(rng.integers(3, 7)), 2)) + (x, y)
            draw.polygon([tuple(p) for p in points], fill=fill)
    if rng.random() < 0.25:
        x, y = rng.uniform(0, CROP_SIZE, 2)
        w, h = rng.uniform(20, 90, 2)
        tone = np.clip(skin * rng.uniform(0.7, 1.15) * 255, 0, 255).astype(int)
        draw.ellipse((x - w, y - h, x + w, y + h), fill=tuple(int(v) for v in tone))
    return image


def _pattern(rng: np.random.Generator) -> Image.Image:
    """Stripes, checks, dots or lines of text."""
    first, second = np.asarray(_colour(rng, 0.8)), np.asarray(_colour(rng, 0.8))
    angle, period = rng.uniform(0, np.pi), rng.uniform(5, 50)
    yy, xx = np.mgrid[0:CROP_SIZE, 0:CROP_SIZE].astype(np.float32)
    u = (xx * np.cos(angle) + yy * np.sin(angle)) / period
    v = (-xx * np.sin(angle) + yy * np.cos(angle)) / period
    kind = rng.integers(4)
    if kind == 0:
        on = (u % 1) < rng.uniform(0.2, 0.8)
    elif kind == 1:
        on = ((np.floor(u) + np.floor(v)) % 2) > 0
    elif kind == 2:
        on = (u % 1 - 0.5) ** 2 + (v % 1 - 0.5) ** 2 < rng.uniform(0.02, 0.2)
    else:
        words = rng.random((64, 64)) < 0.7
        on = ((v % 1) < 0.45) & words[(np.floor(v).astype(int)) % 64, (np.floor(u * 2.5).astype(int)) % 64]
        on &= (u * 10 % 1) < 0.75
    return _mix(first, second, on[..., None].astype(np.float32))


def _shade(rng: np.random.Generator, image: Image.Image) -> Image.Image:
    """Uneven light over the background."""
    light = 1 + rng.uniform(0.1, 0.6) * (_field(rng, int(rng.integers(1, 3))) - 0.5) * 2
    return Image.fromarray(np.clip(np.asarray(image, np.float32) * light, 0, 255).astype(np.uint8))


def _grain(rng: np.random.Generator, image: Image.Image, sigma: float) -> Image.Image:
    noise = rng.standard_normal((CROP_SIZE, CROP_SIZE, 1), dtype=np.float32) * sigma
    return Image.fromarray(np.clip(np.asarray(image, np.float32) + noise, 0, 255).astype(np.uint8))


def composite(rng: np.random.Generator, colour: np.ndarray, part: np.ndarray, behind: Image.Image) -> Image.Image:
    """Lay a render (S,S,3) with its part map (S,S; 0 = nothing) over a background, reduced to 224 px;
    sometimes with the soft shadow that the hand throws on what is behind it."""
    size = (CROP_SIZE, CROP_SIZE)
    front = np.asarray(Image.fromarray(colour).resize(size, Image.Resampling.BILINEAR))
    cover = np.asarray(Image.fromarray((part > 0) * np.uint8(255)).resize(size, Image.Resampling.BILINEAR))
    clear = (255 - cover).astype(np.float32) / 255
    if rng.random() < 0.4:
        dx, dy = (int(v) for v in rng.normal(0, 14, 2))
        shadow = (
            Image.fromarray(cover)
            .resize((56, 56), Image.Resampling.BOX)
            .filter(ImageFilter.BoxBlur(rng.uniform(0.5, 5)))
        )
        thrown = np.asarray(shadow.resize((CROP_SIZE, CROP_SIZE), Image.Resampling.BILINEAR), np.float32)
        clear = clear * (1 - rng.uniform(0.1, 0.6) / 255 * np.roll(thrown, (dy, dx), (0, 1)))
    return Image.fromarray((front + clear[..., None] * np.asarray(behind)).astype(np.uint8))


def degrade(rng: np.random.Generator, image: Image.Image) -> Image.Image:
    """Lens, motion, sensor, compression and the crop's own enlargement, in that order."""
    if rng.random() < 0.22:
        image = _motion(rng, image)
    if rng.random() < 0.3:
        image = image.filter(ImageFilter.GaussianBlur(min(rng.exponential(1.2), 4.0)))
    pixels = CROP_SIZE
    if rng.random() < 0.55:
        pixels = int(np.exp(rng.uniform(np.log(50), np.log(224))))
        image = image.resize(
            (pixels, pixels), Image.Resampling.BOX if rng.random() < 0.3 else Image.Resampling.BILINEAR
        )
    values = develop(rng, np.asarray(image, np.float32))
    if rng.random() < 0.6:
        values += rng.standard_normal(values.shape, dtype=np.float32) * min(rng.exponential(4.0), 20.0)
    image = Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
    if rng.random() < 0.6:
        image = compressed(rng, image)
    if pixels != CROP_SIZE:
        image = image.resize(
            (CROP_SIZE, CROP_SIZE), Image.Resampling.BILINEAR if rng.random() < 0.7 else Image.Resampling.BICUBIC
        )
    return image


def compressed(rng: np.random.Generator, image: Image.Image) -> Image.Image:
    """As a JPEG of any quality shows it."""
    return Image.open(io.BytesIO(jpeg(image, int(rng.uniform(30, 95)))))


def _motion(rng: np.random.Generator, image: Image.Image) -> Image.Image:
    """Average of shifted copies along a random direction, up to 14 px long."""
    length, angle = min(rng.exponential(5.0) + 1.5, 14.0), rng.uniform(0, 2 * np.pi)
    steps = int(length) + 2
    padded = np.pad(np.asarray(image, np.uint16), ((8, 8), (8, 8), (0, 0)), mode="edge")
    total = np.zeros((CROP_SIZE, CROP_SIZE, 3), np.uint16)
    for offset in np.linspace(-length / 2, length / 2, steps):
        dx, dy = round(offset * np.cos(angle)) + 8, round(offset * np.sin(angle)) + 8
        total += padded[dy : dy + CROP_SIZE, dx : dx + CROP_SIZE]
    return Image.fromarray((total // steps).astype(np.uint8))


def develop(rng: np.random.Generator, values: np.ndarray) -> np.ndarray:
    """White balance, exposure, gamma, contrast, saturation, sometimes grey; values 0..255."""
    values = values * (rng.lognormal(0, 0.14) * rng.lognormal(0, 0.055, 3)).astype(np.float32)
    if rng.random() < 0.5:
        table = 255 * (np.arange(256) / 255) ** rng.lognormal(0, 0.2)
        values = table.astype(np.float32)[np.clip(values, 0, 255).astype(np.uint8)]
    grey = values @ np.array([0.299, 0.587, 0.114], np.float32)
    saturation = 0.0 if rng.random() < 0.05 else rng.lognormal(-0.03, 0.17)
    values = grey[..., None] + (values - grey[..., None]) * np.float32(saturation)
    if rng.random() < 0.5:
        pivot = float(grey.mean())
        values = pivot + (values - pivot) * np.float32(rng.lognormal(0, 0.15))
    return values


def photo_edge(rng: np.random.Generator, image: Image.Image, keypoints: np.ndarray) -> Image.Image:
    """Black outside a turned rectangle, as a crop that reaches over its photo's edge; keypoints (21,2) stay
    inside (but for a few px)."""
    angle = rng.normal(0, 0.6)
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, s], [-s, c]])
    low, high = (keypoints @ turn.T).min(axis=0), (keypoints @ turn.T).max(axis=0)
    box = np.array([low[0], low[1], high[0], high[1]]) + np.array([-1, -1, 1, 1]) * (rng.exponential(35, 4) + 2)
    keep = rng.random(4) < 0.55
    box = np.where(keep, [-400, -400, 600, 600], box)
    corners = np.array([[box[0], box[1]], [box[2], box[1]], [box[2], box[3]], [box[0], box[3]]]) @ turn
    mask = Image.new("L", (CROP_SIZE, CROP_SIZE), 0)
    ImageDraw.Draw(mask).polygon([tuple(p) for p in corners], fill=255)
    return Image.composite(image, Image.new("RGB", image.size), mask)


def jpeg(image: Image.Image, quality: int) -> bytes:
    """JPEG bytes of an RGB image."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, subsampling=0 if quality > 85 else 2)
    return buffer.getvalue()
