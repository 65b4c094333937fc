"""Small videos of a real hand that moves: a photo seen through a window that wanders over it."""

from __future__ import annotations

import numpy as np
import pytest

from annotator.tracking import Frame
from annotator.vision.photos import read_photo


def wandering(photo: np.ndarray, count: int, step: tuple[int, int], size: tuple[int, int]) -> list[np.ndarray]:
    """`count` pictures of `size` (height, width) cut from a photo, each `step` (x, y) px farther."""
    height, width = size
    pictures = []
    for k in range(count):
        x, y = k * step[0], k * step[1]
        pictures.append(np.ascontiguousarray(photo[y : y + height, x : x + width]))
    return pictures


@pytest.fixture(scope="session")
def moving(photo_file) -> list[np.ndarray]:
    """Ten pictures of one right hand, which moves 6 px to the left and 4 up from each to the next."""
    photo = read_photo(photo_file)
    return wandering(photo, 10, (6, 4), (photo.shape[0] - 40, photo.shape[1] - 60))


@pytest.fixture(scope="session")
def timed():
    """timed(pictures): the pictures as frames of a video, 25 a second."""
    return lambda pictures: [Frame(k, k / 25.0, picture) for k, picture in enumerate(pictures)]
