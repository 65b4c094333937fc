"""What a session keeps at hand so that going back to a hand costs nothing: photos, and features of the network."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from annotator.errors import InputError
from annotator.project import StoredPhoto
from annotator.vision.photos import photo_hash, read_photo

Value = TypeVar("Value")
REMEMBERED = 64  # hands whose encoder features stay in memory, 130 kB each
PHOTOS = 4  # decoded photos in memory


class Recent(OrderedDict[str, Value]):
    """A dictionary of the last `most` things that were put in."""

    def __init__(self, most: int):
        super().__init__()
        self._most = most

    def __setitem__(self, key: str, value: Value) -> None:
        super().__setitem__(key, value)
        while len(self) > self._most:
            self.popitem(last=False)

    def or_made(self, key: str, make: Callable[[], Value]) -> Value:
        if key not in self:
            self[key] = make()
        return self[key]


def photo_of(stored: StoredPhoto) -> np.ndarray:
    """The photo (H, W, 3) uint8; InputError if it is gone, or is another one now."""
    photo = read_photo(stored.path)
    if photo_hash(stored.path) != stored.sha256:
        raise InputError(f"{stored.path} is not the photo any more that its hands were proposed on")
    return photo
