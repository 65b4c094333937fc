"""Photos one after the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.vision.photos import read_photo


class PhotoReader:
    """Reads photos and keeps the last one: hands of one photo follow each other."""

    def __init__(self):
        self._path, self._photo = None, None

    def read(self, path: str | Path) -> np.ndarray | None:
        """(H, W, 3) uint8, or None if it is gone or no photo any more."""
        if path != self._path:
            try:
                self._path, self._photo = path, read_photo(path)
            except InputError:
                self._path, self._photo = path, None
        return self._photo
