"""What a record's provenance says of the video that its photo is a frame of."""

from __future__ import annotations

from typing import NamedTuple

from annotator.files.frame_places import frame_place
from annotator.formats.core.base import LabelledHand


class VideoFrame(NamedTuple):
    """video: what the video contains (SHA-256); name: of its file, "" if it is not known; number: of the frame;
    seconds: its time stamp; track: the number of the hand's track, None if it is on none."""

    video: str
    name: str
    number: int
    seconds: float
    track: int | None


def frame_of(record: LabelledHand) -> VideoFrame | None:
    """The frame that a record's photo is; None if it is no frame of a video."""
    said = record.provenance
    try:
        track = said.get("track")
        number, seconds = int(said["frame"]), float(said["time"])
        video = str(said["video_sha256"])
    except (KeyError, TypeError, ValueError):  # anybody's JSON
        return None
    place = frame_place(str(said.get("photo", "")))
    own = track if isinstance(track, int) and not isinstance(track, bool) else None
    return VideoFrame(video, "" if place is None else place.video.name, number, seconds, own)
