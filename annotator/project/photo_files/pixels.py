"""The pixels of a project's photos, and whether they are still the ones that people worked on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.project.records.views import StoredPhoto
from annotator.vision.images.without_metadata import picture_digest
from annotator.vision.photos import photo_hash, photo_there, read_photo


def pixels_of(photo: StoredPhoto) -> np.ndarray:
    """The photo, (H, W, 3) uint8 RGB, from its image file or its video. InputError if it is gone, or another one
    now."""
    pixels = read_photo(photo.path)
    check(photo)
    return pixels


def check(photo: StoredPhoto) -> None:
    """InputError if the photo is gone, or if there is another one in its place: what it shows is compared, neither its
    name nor what is written beside the picture."""
    if not photo_there(photo.path):
        raise InputError(f"photo {photo.path} is not there any more")
    if not is_same(photo, photo.path):
        raise InputError(f"photo {photo.path} is not the one any more that its hands were proposed on")


def is_same(photo: StoredPhoto, path: Path) -> bool:
    """Whether the file shows what was annotated: the same bytes, or the same picture under other metadata. InputError
    if it cannot be read."""
    if photo_hash(path) == photo.sha256:
        return True
    try:
        return bool(photo.picture) and picture_digest(path) == photo.picture
    except InputError:  # no picture any more
        return False
