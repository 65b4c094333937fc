"""Units in which data sets give places in a photo: pixels, percent or shares of its width and height.

A file seldom says which. Shares 0..1 are plain, as no hand is two pixels large, and are taken as what they are. Percent
looks like pixels of a small hand in the photo's corner: a data set of nothing but such hands is refused until somebody
says what it means.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice

import numpy as np

from annotator.errors import InputError
from annotator.formats.conventions.orders import LOOKED_AT
from annotator.formats.conventions.remarks import remark
from annotator.formats.core.base import LabelledHand
from annotator.formats.core.photo_files import image_size

PX, PERCENT, SHARES = UNITS = ("px", "percent", "shares")
_WHOLE = {PERCENT: 100.0, SHARES: 1.0}  # the number that stands for a photo's whole width or height
_LARGE_PHOTO = 400  # px of the longer side: in smaller photos, as FreiHAND's crops, hands may end before 100 px
_LARGE_HAND = 50.0  # of percent: over so much of its photo some hand of a data set reaches


def check_units(units: str) -> str:
    """The name itself, "" for what nobody said; InputError if there is no such unit."""
    if units and units not in UNITS:
        raise InputError(f"unknown units {units!r}: expected one of {', '.join(UNITS)}")
    return units


def in_pixels(
    points: np.ndarray, known: np.ndarray, box: np.ndarray | None, size: tuple[int, int], units: str = ""
) -> tuple[np.ndarray, np.ndarray | None]:
    """(points (21, 2), box (4,) x0, y0, x1, y1 or None) in px, pixel centres at .0, of a picture of (height, width).

    points (21, 2), of which `known` (21,) have a label, and box are in `units`, one of UNITS, measured from the
    picture's corner where these are not px. "": shares if all that is known lies in -0.5..1.5, else px, and so, by
    itself, is the box of a hand in shares.
    """
    if units:
        box_units = units
    else:
        shares = known.any() and ((points[known] >= -0.5) & (points[known] <= 1.5)).all()
        units = SHARES if shares else PX
        remark("hand with places 0..1: taken for shares of the photo's width and height", int(shares))
        box_units = SHARES if shares and box is not None and np.abs(box).max() <= 2.0 else PX
    points = _in_pixels(points, size, units)
    return points, None if box is None else _in_pixels(box.reshape(2, 2), size, box_units).ravel()


def _in_pixels(points: np.ndarray, size: tuple[int, int], units: str) -> np.ndarray:
    return points if units == PX else points * (np.array(size[::-1]) / _WHOLE[units]) - 0.5


def checked(records: Iterable[LabelledHand], source: str) -> Iterator[LabelledHand]:
    """The records as they are, unless the places of the first of them look like percent of their photos.

    So they do where no label lies beyond 100 although all photos are larger and some hand has percent's usual extent.
    InputError, before any record, naming the largest number and a photo's size.
    """
    records = iter(records)
    first = list(islice(records, LOOKED_AT))
    # exports of ours, and what says its units beside, are what they are
    others = [one for one in first if one.parameters is None and "units" not in one.provenance]
    others = [one for one in others if (one.weights > 0).any()]
    places = [one.keypoints[one.weights > 0] for one in others]
    extent = max((float(np.ptp(own, axis=0).max()) for own in places), default=0.0)
    if extent >= _LARGE_HAND and (largest := max(float(own.max()) for own in places)) <= 100:
        sizes = {one.photo: image_size(one.photo) for one in others}
        if all(max(size) > _LARGE_PHOTO for size in sizes.values()):
            name, (height, width) = min(((photo.name, size) for photo, size in sizes.items()), key=lambda one: one[1])
            raise InputError(
                f"{source}: the coordinates look like percent: none is over {largest:.0f}, and {name} has {width} x "
                f"{height} px (import with --units percent takes them so, --units px as they are)"
            )
    yield from chain(first, records)
