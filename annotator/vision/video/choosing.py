"""Which frames of a video are wanted: a distance in time, and ranges of numbers."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from annotator.errors import InputError
from annotator.vision.video.source import VideoSource

EVERY = 0.5  # seconds between frames, where nothing else was said
ROUNDING = 0.25  # of the usual time from frame to frame
_UNITS = {"": 1.0, "s": 1.0, "ms": 0.001, "min": 60.0}


@dataclass(frozen=True)
class Choice:
    """every: seconds from one frame to the next, 0 takes all; ranges: (first, behind the last or None, step) of frame
    numbers, () takes all."""

    every: float = EVERY
    ranges: tuple[tuple[int, int | None, int], ...] = ()

    @classmethod
    def of(cls, every: str | float | None = None, frames: str | None = None, fps: float | None = None) -> Choice:
        """From what a person says.

        every: seconds, or a text ("0.5s", "500ms", "0.5"); fps: so many frames of each second instead; frames: numbers
        as Python's slices have them ("100:400" is 100 to 399, "100:400:5" each fifth of these, "120" one), several
        apart by commas. With frames alone all frames of the range are taken; with nothing, one each `EVERY` seconds.
        InputError: not understood, or every and fps both.
        """
        if every is not None and fps is not None:
            raise InputError(
                "say how far apart frames are by seconds (--every) or by frames a second (--fps), not both"
            )
        if fps is not None:
            if not 0 < fps < math.inf:
                raise InputError(f"{fps:g} frames a second cannot be taken")
            return cls(1 / fps, _ranges(frames))
        if every is None:
            return cls(EVERY if frames is None else 0.0, _ranges(frames))
        return cls(_seconds(every), _ranges(frames))

    def rows(self, video: VideoSource) -> np.ndarray:
        """The rows of `video.numbers` that are wanted, rising: at each tick of `every`, counted from the first frame in
        the ranges, the first frame that is not before it."""
        wanted = np.ones(len(video), bool)
        if self.ranges:
            wanted[:] = False
            for first, behind, step in self.ranges:
                inside = (video.numbers >= first) & (True if behind is None else video.numbers < behind)
                wanted |= inside & ((video.numbers - first) % step == 0)
        rows = np.flatnonzero(wanted)
        if not self.every or len(rows) < 2:
            return rows
        seconds = video.seconds[rows] - video.seconds[rows[0]]
        if seconds[-1] / self.every > 1e7:
            return rows  # finer than any video
        # containers round time stamps: a frame this little before its tick is the one that is meant
        early = ROUNDING * float(np.median(np.diff(seconds)))
        ticks = np.arange(0, seconds[-1] + early, self.every)
        return rows[np.unique(np.searchsorted(seconds, ticks - early))]


def _seconds(said: str | float) -> float:
    found = re.fullmatch(r"\s*(\d*\.?\d+|\d+\.)\s*([a-z]*)\s*", str(said))
    if found is None or found[2] not in _UNITS:
        raise InputError(f"{said!r} is no time between frames: expected seconds, as 0.5, 0.5s or 500ms")
    return float(found[1]) * _UNITS[found[2]]


def _ranges(said: str | None) -> tuple[tuple[int, int | None, int], ...]:
    if said is None:
        return ()
    ranges = []
    for part in said.split(","):
        numbers = part.strip().split(":")
        if len(numbers) > 3 or not all(re.fullmatch(r"\d{0,12}", n.strip()) for n in numbers) or numbers == [""]:
            raise InputError(f"{said!r} names no frames: expected numbers as 120, 100:400 (100 to 399) or 100:400:5")
        first, behind, step = [int(n) if n.strip() else None for n in (*numbers, "", "")[:3]]
        if len(numbers) == 1:
            assert first is not None  # an only number that is empty was refused above
            behind = first + 1
        if step == 0:
            raise InputError(f"{said!r}: the step from frame to frame cannot be 0")
        ranges.append((first or 0, behind, step or 1))
    return tuple(ranges)
