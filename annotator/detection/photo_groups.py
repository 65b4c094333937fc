"""Photos in groups that are looked at together."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from annotator.errors import InputError
from annotator.vision.photos import as_photo

MOST_PIXELS = 50e6  # in a group: large photos come in small groups


def hinted(photos: Iterable, *hints: Iterable | None) -> Iterator[tuple]:
    """Each photo with what is told of it, one value of each of `hints`; None for what is not told, or no longer."""
    told = (itertools.chain(() if hint is None else hint, itertools.repeat(None)) for hint in hints)
    return zip(photos, *told, strict=False)


def groups(items: Iterable[tuple], batch: int) -> Iterator[list[tuple]]:
    """Items that begin with a photo, checked, in groups of at most `batch` photos and about 50 megapixels.

    What comes before a photo that cannot be used is answered before its error appears.
    """
    group: list = []
    pixels = 0
    items = iter(items)
    while True:
        try:
            photo, *hints = next(items)
            photo = as_photo(photo)
        except StopIteration:
            break
        except InputError:
            if group:
                yield group
            raise
        group.append((photo, *hints))
        pixels += photo.shape[0] * photo.shape[1]
        if len(group) >= batch or pixels >= MOST_PIXELS:
            yield group
            group, pixels = [], 0
    if group:
        yield group
