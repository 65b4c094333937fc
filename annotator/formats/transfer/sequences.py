"""Records of data sets that are videos: numbered photos in which the same hand goes on become frames of a video, and
its hands a track.

A reader of such a set says so in a record's provenance: `track`, by which the hand is known through its frames, and
either a photo that is a frame's place (`clip.mp4#frame=12`) or `rate`, the frames a second of the numbered files that
its photo is one of.
"""

from __future__ import annotations

import re
from pathlib import Path

from annotator.files.frame_places import FramePlace, frame_place
from annotator.formats.core.base import LabelledHand
from annotator.project import Project

_NUMBERED = re.compile(r"(?P<before>.*?)(?P<number>\d{1,12})(?P<after>\.\w+)")


def place_of(record: LabelledHand) -> FramePlace | None:
    """The frame that a record of a tracked set is in; None for the photo of any other."""
    if "track" not in record.provenance:
        return None
    found = frame_place(record.photo)
    return numbered_place(record.photo, record.provenance.get("rate")) if found is None else found


def numbered_place(photo: Path, rate: object) -> FramePlace | None:
    """The frame that a file is by the number at the end of its name. rate: frames a second; None where it is none."""
    name = _NUMBERED.fullmatch(photo.name)
    if name is None or not isinstance(rate, int | float) or not 0 < rate < 1e6 or "%" in photo.name:
        return None
    pattern = f"{name['before']}%0{len(name['number'])}d{name['after']}"
    return FramePlace(photo.with_name(pattern), int(name["number"]), float(rate))


class Sequences:
    """The tracks and subjects that the records of one import are of, in a project."""

    def __init__(self, target: Project):
        self._target = target
        self._numbers: dict[tuple[str, str], int] = {}
        self._subjects: dict[str, list[int]] = {}

    def track(self, record: LabelledHand, photo: int) -> int | None:
        """The number of the project's track that a new record goes to; None if its photo (of this id) is no frame, as
        one that was in the project by itself before stays."""
        key = self._key(record)
        if key is None or self._target.photo(photo).frame is None:
            return None
        if key not in self._numbers:
            (self._numbers[key],) = self._target.new_tracks(1)
        return self._numbers[key]

    def goes_on(self, record: LabelledHand, hand: str) -> None:
        """A record was imported before as this hand: what comes of its track belongs to the same one."""
        key = self._key(record)
        number = None if key is None else self._target.track_of(hand)
        if key is not None and number is not None:
            self._numbers.setdefault(key, number)

    def belongs(self, record: LabelledHand, photo: int) -> None:
        """The record's photo shows the subject that its set names."""
        subject = record.provenance.get("subject")
        if isinstance(subject, str) and subject and self._key(record) is not None:
            self._subjects.setdefault(subject, []).append(photo)

    def finish(self) -> None:
        """Say whose hands the photos show, of those that nobody said it of before."""
        subjects = self._target.subjects
        said = {photo for one in subjects.all() for photo in subjects.photos(one.name)} if self._subjects else set()
        for name, found in self._subjects.items():
            new = [photo for photo in found if photo not in said]
            if new:
                subjects.assign(name, new)

    def _key(self, record: LabelledHand) -> tuple[str, str] | None:
        place = place_of(record)
        return None if place is None else (str(place.video), str(record.provenance["track"]))
