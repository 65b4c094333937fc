"""The pixels of a project's photos, and whether they are still the ones that people worked on."""

from __future__ import annotations

import numpy as np

from annotator.errors import InputError
from annotator.project.records.views import StoredPhoto
from annotator.vision.photos import photo_hash, photo_there, read_photo


def pixels_of(photo: StoredPhoto) -> np.ndarray:
    """The photo, (H, W, 3) uint8 RGB, from its image file or its video. InputError if it is gone, or another one
    now."""
    pixels = read_photo(photo.path)
    check(photo)
    return pixels


def check(photo: StoredPhoto) -> None:
    """InputError if the photo is gone, or if there is another one in its place: its content is compared, not its
    name."""
    if not photo_there(photo.path):
        raise InputError(f"photo {photo.path} is not there any more")
    if photo_hash(photo.path) != photo.sha256:
        raise InputError(f"photo {photo.path} is not the one any more that its hands were proposed on")
