"""The place of one frame of a video, written as a path: `clip.mp4#frame=120`.

Such a path goes wherever the path of a photo goes. It is read by `annotator.vision.photos`; here it is only taken
apart, put together and put into words. A video is a file, or a numbered sequence of image files named by a pattern as
ffmpeg writes it (`walk/%06d.png`). A sequence has no clock of its own: one that does not have 25 frames a second says
so in its frames' places (`walk/%06d.png#frame=12&rate=60`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

RATE = 25.0  # frames a second of what has no clock of its own
_FRAME = re.compile(r"(?P<video>.+)#frame=(?P<number>\d{1,12})(?:&rate=(?P<rate>\d{1,6}(?:\.\d{1,6})?))?", re.DOTALL)
_NUMBER = re.compile(r"%(?:0(\d{1,2}))?d")


@dataclass(frozen=True)
class FramePlace:
    """A frame: of which video, its number in it (from 0; of an image sequence: as the file is named), and the frames a
    second of a video without a clock."""

    video: Path
    number: int
    rate: float = RATE

    def as_path(self) -> Path:
        """The place as a path, which `frame_place` takes apart again."""
        rate = "" if self.rate == RATE else f"&rate={self.rate:g}"
        return self.video.with_name(f"{self.video.name}#frame={self.number}{rate}")


def frame_place(path: str | Path) -> FramePlace | None:
    """The frame that a path means; None for the path of an ordinary file."""
    found = _FRAME.fullmatch(str(path))
    if found is None or not (float(found["rate"] or RATE)):
        return None
    return FramePlace(Path(found["video"]), int(found["number"]), float(found["rate"] or RATE))


def video_of(path: str | Path) -> str | None:
    """The video of a frame's place, as text; None for the path of an ordinary file. A tenth of the time of
    `frame_place`: lists of hands have a place a line."""
    found = _FRAME.fullmatch(str(path))
    return None if found is None or not (float(found["rate"] or RATE)) else found["video"]


def is_pattern(path: str | Path) -> bool:
    """Whether a path's name stands for a numbered sequence of files: it has one `%d` or `%06d`."""
    return len(_NUMBER.findall(Path(path).name)) == 1


def numbered_file(pattern: Path, number: int) -> Path:
    """The file of this number in a sequence."""
    return pattern.with_name(_NUMBER.sub(lambda found: f"{number:0{int(found[1] or 0)}d}", pattern.name))


def numbered_files(pattern: Path) -> list[tuple[int, Path]]:
    """(number, file) of a sequence's files that are there, in the order of their numbers. `%06d` means at least six
    digits, as in C."""
    before, _, after = _NUMBER.split(pattern.name)
    named = re.compile(re.escape(before) + r"(\d{1,12})" + re.escape(after))
    found = []
    if pattern.parent.is_dir():
        for file in pattern.parent.iterdir():
            match = named.fullmatch(file.name)
            if match and file.name == numbered_file(pattern, int(match[1])).name and file.is_file():
                found.append((int(match[1]), file))
    return sorted(found)


def file_of(path: str | Path) -> Path:
    """The file on the disk that holds a photo: of a frame the video, or the numbered file; else the path itself."""
    place = frame_place(path)
    if place is None:
        return Path(path)
    return numbered_file(place.video, place.number) if is_pattern(place.video) else place.video


def stem_of(path: str | Path) -> str:
    """A photo's name without folder and suffix; of a frame with its number: `clip-000120`."""
    place = frame_place(path)
    if place is None:
        return Path(path).stem
    if is_pattern(place.video):
        return file_of(path).stem
    return f"{place.video.stem}-{place.number:06d}"


def in_words(path: str | Path, seconds: float | None = None) -> str:
    """A photo's name for people: `photo.jpg`, or `clip.mp4 frame 120 (4.800 s)`."""
    place = frame_place(path)
    if place is None:
        return Path(path).name
    return f"{place.video.name} frame {place.number}" + ("" if seconds is None else f" ({seconds:.3f} s)")
