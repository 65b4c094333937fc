"""Videos that are still pictures: numbered image files (`walk/%06d.png`) and TIFF files of many pages."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.files.frame_places import RATE, FramePlace, numbered_file, numbered_files
from annotator.vision.images.high_bit_depth import colours_of, read_tiff
from annotator.vision.images.image_files import decode_page, file_hash, read_image
from annotator.vision.images.opening import BROKEN, judge_size, opened_image
from annotator.vision.video.source import VideoSource, digest_of

TIFF = {".tif", ".tiff"}


class ImageSequence(VideoSource):
    """Numbered image files. A frame is what its file is: the same photo as that file by itself."""

    def __init__(self, pattern: Path, rate: float = RATE):
        found = numbered_files(pattern)
        if not found:
            raise InputError(f"{pattern}: there are no files of this name and number")
        self.path, self.rate = pattern, rate
        self.numbers = np.array([number for number, _ in found], np.int64)
        self.seconds = (self.numbers - self.numbers[0]) / rate
        # of all files only the first is read: what the others are is asked for frame by frame
        name = f"{pattern.parent.name}/{pattern.name} from {found[0][0]}: {file_hash(found[0][1])}"
        self.sha256 = hashlib.sha256(name.encode()).hexdigest()

    def read(self, number: int) -> np.ndarray:
        self.position(number)
        return read_image(numbered_file(self.path, number))

    def digest(self, number: int) -> str:
        self.position(number)
        return file_hash(numbered_file(self.path, number))

    def place(self, number: int) -> FramePlace:
        return FramePlace(self.path, int(number), self.rate)


class TiffStack(VideoSource):
    """The pages of a TIFF file, numbered from 0."""

    def __init__(self, path: Path, rate: float = RATE):
        self.path, self.rate, self.sha256 = path, rate, file_hash(path)
        self.numbers = np.arange(pages(path))
        self.seconds = self.numbers / rate

    def read(self, number: int) -> np.ndarray:
        self.position(number)
        return decode_page(self.path, number, self._highest)

    @cached_property
    def _highest(self) -> int:
        """Value in any page that has more than 8 bits: the pages have one white, as pictures of one camera."""
        found = (self._page(number) for number in self.numbers)
        whole = (colours_of(page) for page in found if page is not None and page.dtype.kind in "iu")
        return max((int(colours.max()) for colours in whole), default=0)

    def _page(self, number: int) -> np.ndarray | None:
        try:
            return read_tiff(self.path, int(number), lambda size, what: judge_size(size, str(self.path), what=what))
        except BROKEN:
            return None  # reading it says what is wrong

    def digest(self, number: int) -> str:
        self.position(number)
        return digest_of(self.sha256, number)

    def place(self, number: int) -> FramePlace:
        return FramePlace(self.path, int(number), self.rate)


def pages(path: Path) -> int:
    """How many pictures of one size a TIFF file has: 1 if the second is of another size (a thumbnail). InputError if it
    cannot be read."""
    with opened_image(path, str(path)) as image:
        count, size = getattr(image, "n_frames", 1), image.size
        if count > 1:
            image.seek(1)
        return count if image.size == size else 1


def is_stack(path: Path) -> bool:
    """Whether a file is a TIFF file of several pages."""
    if path.suffix.lower() not in TIFF or not path.is_file():
        return False
    try:
        return pages(path) > 1
    except InputError:
        return False  # reading it as a photo says what is wrong
