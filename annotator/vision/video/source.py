"""What any kind of video can do, whatever it is made of."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.files.frame_places import FramePlace


class VideoSource(ABC):
    """A video that was opened.

    path: its file, or the pattern of its files; sha256: what it contains (64 hexadecimal digits), the same for two
    videos only if their frames are; numbers (N,) int64: its frames' numbers, rising; seconds (N,) float64: their time
    stamps, as the container has them. Numbers are from 0, those of an image sequence as its files are named.
    """

    path: Path
    sha256: str
    numbers: np.ndarray
    seconds: np.ndarray

    @abstractmethod
    def read(self, number: int) -> np.ndarray:
        """A frame's picture as it is to be seen (turned, pixels made square), (H, W, 3) uint8 RGB. InputError naming
        video and frame: there is none, or it cannot be decoded."""

    @abstractmethod
    def digest(self, number: int) -> str:
        """What this frame is, 64 hexadecimal digits: another one in every other video. InputError: there is none."""

    @abstractmethod
    def place(self, number: int) -> FramePlace:
        """Where this frame is."""

    def apart(self) -> VideoSource:
        """The same video for somebody who reads beside others and elsewhere in it: a decoder comes to a frame by all
        that lie between, so two readers of one would send it back and forth. A source without such is its own."""
        return self

    def __len__(self) -> int:
        return len(self.numbers)

    def position(self, number: int) -> int:
        """The row of `numbers` that has this number. InputError if there is none."""
        at = int(np.searchsorted(self.numbers, number))
        if at == len(self.numbers) or self.numbers[at] != number:
            last = int(self.numbers[-1])
            raise InputError(f"{self.path} has no frame {number} (it has {len(self)}, the last is {last})")
        return at


def digest_of(sha256: str, number: int) -> str:
    """What a frame of a file is that holds many: told by the file's content and the frame's number."""
    return hashlib.sha256(f"{sha256}#frame={number}".encode()).hexdigest()
