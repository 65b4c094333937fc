"""Depth images beside a project's photos: found by a pattern, and read through the hands that nobody has touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

from annotator.errors import InputError
from annotator.project.records.views import StoredPhoto

FIELDS = {"folder", "parent", "stem"}


@dataclass(frozen=True)
class DepthPattern:
    """Where the depth image of a photo is: `{folder}/{stem}_depth.png`.

    {folder}: the photo's folder, {parent}: that one's, {stem}: the photo's name without its suffix. InputError for any
    other field, or none of {stem}.
    """

    pattern: str

    def __post_init__(self) -> None:
        try:
            fields = {name for _, name, _, _ in Formatter().parse(self.pattern) if name is not None}
        except ValueError as error:
            raise InputError(f"depth images {self.pattern!r}: {error}") from error
        if not fields <= FIELDS or "stem" not in fields:
            raise InputError(
                f"depth images {self.pattern!r}: expected {{stem}}, and {{folder}} or {{parent}} if needed"
            )

    def of(self, photo: StoredPhoto) -> Path:
        """The path of this photo's depth image, whether it is there or not."""
        path = Path(photo.path)
        return Path(self.pattern.format(folder=path.parent, parent=path.parent.parent, stem=path.stem))

    def found(self, photos: dict[int, StoredPhoto]) -> Iterator[tuple[StoredPhoto, Path]]:
        """Photos that have one, with its path. InputError if none has."""
        some = False
        for photo in photos.values():
            path = self.of(photo)
            if path.is_file():
                some = True
                yield photo, path
        if not some and photos:
            first = self.of(next(iter(photos.values())))
            raise InputError(f"no photo of the project has a depth image: {first} does not exist, for example")
