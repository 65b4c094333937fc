"""Contrast, brightness and gamma of the photo as it is shown; nothing stored and nothing the network sees changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SAMPLED = 200  # pixels along the shorter side that a photo's values are told from


@dataclass(frozen=True)
class Tones:
    """brightness -1..1 (share of white that is added), contrast (factor about mid grey), gamma (above 1: dark parts
    become lighter)."""

    brightness: float = 0.0
    contrast: float = 1.0
    gamma: float = 1.0

    @property
    def plain(self) -> bool:
        """Whether the photo is shown as it is."""
        return self == Tones()

    def table(self) -> np.ndarray:
        """(256,) uint8: what is shown for each value; it never falls."""
        values = np.linspace(0, 1, 256) ** (1 / max(self.gamma, 0.05))
        values = (values - 0.5) * max(self.contrast, 0.0) + 0.5 + self.brightness
        return np.round(np.clip(values, 0, 1) * 255).astype(np.uint8)

    def of(self, photo: np.ndarray) -> np.ndarray:
        """The photo (H, W, 3) uint8 as it is shown; the same array where nothing changes."""
        return photo if self.plain else self.table()[photo]

    @classmethod
    def stretching(cls, photo: np.ndarray) -> Tones:
        """For this photo: brightness and contrast that spread its darkest and lightest hundredth over all there is, as
        what was taken with 12 or 16 bits and used few of them needs."""
        low, high = np.percentile(_some(photo), (1, 99)) / 255
        contrast = float(np.clip(1 / max(high - low, 1e-3), 1.0, 3.0))
        return cls(brightness=float(np.clip(contrast * (0.5 - (low + high) / 2), -0.6, 0.6)), contrast=contrast)

    @classmethod
    def lifting(cls, photo: np.ndarray) -> Tones:
        """For this photo: a gamma that brings its middle value to mid grey, if it is darker."""
        middle = float(np.median(_some(photo))) / 255
        if not 0 < middle < 0.4:
            return cls(gamma=3.0) if middle <= 0 else cls()
        return cls(gamma=float(np.clip(np.log(middle) / np.log(0.5), 1.0, 3.0)))


def _some(photo: np.ndarray) -> np.ndarray:
    """Enough of a photo's pixels to know its values, all of a small one's."""
    step = max(min(photo.shape[:2]) // SAMPLED, 1)
    return photo[::step, ::step]
