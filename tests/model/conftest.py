"""A photo with one hand, one with two, and a proposal."""

from __future__ import annotations

import pytest

from annotator.vision.photos import read_photo


@pytest.fixture(scope="module")
def photo(photo_file):
    """620 x 1080 px, one right hand whose box is about BOX."""
    return read_photo(photo_file)


@pytest.fixture(scope="module")
def two_hands(sample_photos):
    return read_photo(next(path for path in sample_photos if path.stem == "two-hands"))


@pytest.fixture(scope="module")
def proposal(model, photo):
    (hand,) = model.propose(photo)
    return hand
