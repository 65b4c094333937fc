"""CVAT's XML for videos ("CVAT for video 1.1"): a track a hand, with a skeleton in each frame.

    annotations.xml   tracks of the label `hand`: a skeleton in each frame, attribute `side`, with points called as our
                      keypoints, each with the attribute `state`
    labels.json       the label, for CVAT's constructor of labels ("Raw")
    images/           the frames, to make the task of: CVAT numbers them in the order of their names, from 0

The track's id is the project's number of it; hands that are on no track get one each. outside="1" ends a hand where it
is not in the next frame; keyframe="1" is what somebody set, the rest CVAT has drawn between: such keypoints come in as
`propagated`. Frames are read from the video that <source> names, if it lies beside; else from images called
`frame_000012`, else from all images in the order of their names. Places as in `cvat`. Older CVATs put a track of each
keypoint into the hand's track in place of points into skeletons: read, too.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TextIO
from xml.etree import ElementTree

import numpy as np

from annotator.errors import InputError
from annotator.files.frame_places import RATE, frame_place
from annotator.files.paths import existing, inside
from annotator.files.photo_paths import VIDEO_SUFFIXES, suffixes
from annotator.formats.conventions.places import Picture
from annotator.formats.core.base import LabelledHand
from annotator.formats.core.by_photo import Photos, SentHand, export_by_photo
from annotator.formats.core.details import Sidecar, named
from annotator.formats.core.returned import Returned
from annotator.formats.core.tool_hands import HIDDEN, NONE
from annotator.formats.tools.cvat_xml import (
    CORNER,
    FILE,
    LABELS,
    Point,
    attributes,
    hand_of,
    label,
    meta,
    point_of,
    points_in_order,
)
from annotator.hand.joint_states import PROPAGATED
from annotator.hand.joints import JOINT_NAMES
from annotator.vision.video import open_video
from annotator.vision.video.source import VideoSource

NAME, TOOL = "cvat-video", "CVAT"
_FRAME = re.compile(r"frame_(\d{1,12})")


# -- out -----------------------------------------------------------------------------------------------------------
def write(records: Iterable[LabelledHand], folder: str | Path, overwrite: bool = False, licence: str = "") -> dict:
    """Write the records; {"hands", "folder"}. InputError: see `exporting.export`."""
    return export_by_photo(records, folder, NAME, overwrite, licence, _finish, named=_name)


def _name(path: Path, number: int) -> str:
    """A frame's name, by which the frames of a video stand in their order; of another photo its number."""
    place = frame_place(path)
    if place is None:
        return f"{number:08d}"
    video = hashlib.sha256(str(place.video).encode("utf-8", "surrogateescape")).hexdigest()[:6]
    return f"{re.sub(r'[^A-Za-z0-9_-]', '_', place.video.stem)[:60]}-{video}-{place.number:08d}"


def _finish(folder: Path, photos: Photos) -> None:
    (folder / LABELS).write_text(json.dumps([label(mutable=True)], indent=1) + "\n", encoding="utf-8")
    names = sorted(photo.file.rpartition("/")[2] for photo in photos())
    frames = {name: frame for frame, name in enumerate(names)}
    counts: dict[int | None, int] = {}
    for photo in photos():
        for hand in photo.hands:
            counts[hand.track] = counts.get(hand.track, 0) + 1
    tracks = sorted(track for track in counts if track is not None)
    with (folder / FILE).open("w", encoding="utf-8") as file:
        file.write(
            f'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n{meta(True, len(names))}'
        )
        for track in tracks:  # one at a time: a long video is not held whole
            hands = {frames[photo.file.rpartition("/")[2]]: hand
                     for photo in photos() for hand in photo.hands if hand.track == track}  # fmt: skip
            _write_track(file, track, hands, len(names))
        loose = max(tracks, default=-1)
        for photo in photos() if None in counts else ():
            for hand in photo.hands:
                if hand.track is None:
                    loose += 1
                    _write_track(file, loose, {frames[photo.file.rpartition("/")[2]]: hand}, len(names))
        file.write("</annotations>\n")


def _write_track(file: TextIO, track: int, hands: Mapping[int, SentHand], count: int) -> None:
    """hands: by frame of the task; count: frames of the task."""
    rows = [(frame, hands[frame], False) for frame in sorted(hands)]
    gone = [(frame + 1, hand, True) for frame, hand, _ in rows if frame + 1 not in hands and frame + 1 < count]
    rows = sorted([*rows, *gone], key=lambda row: row[0])
    file.write(f'  <track id="{track}" label="hand" source="manual">\n')
    for frame, hand, outside in rows:
        file.write(
            f'    <skeleton frame="{frame}" outside="{int(outside)}" keyframe="1" z_order="0">'
            f'<attribute name="side">{hand.side}</attribute>\n'
        )
        for name, (x, y, shown), state in zip(JOINT_NAMES, hand.points.tolist(), hand.states, strict=True):
            file.write(
                f'      <points label="{name}" outside="{int(outside or shown == NONE)}" '
                f'occluded="{int(shown == HIDDEN)}" keyframe="1" points="{x + CORNER!r},{y + CORNER!r}" z_order="0">'
                f'<attribute name="state">{state}</attribute></points>\n'
            )
        file.write("    </skeleton>\n")
    file.write("  </track>\n")


# -- in ------------------------------------------------------------------------------------------------------------
@dataclass
class Tracks:
    """Reads the tracks of a file, one after the other."""

    path: Path
    _source: str = ""
    _size: str = ""
    _count: int = 0
    _pictures: dict[Path, Picture] = field(default_factory=dict)

    def hear(self, about: ElementTree.Element) -> None:
        """The file's <meta>, which names the video and says how many frames there are."""
        self._source = next((one.text or "" for one in about.iter("source")), "")
        self._size = next((one.text or "" for one in about.iter("size")), "")

    def read(self, track: ElementTree.Element) -> Iterator[LabelledHand]:
        """The hands of a track, in the order of their frames; a track of something else has none."""
        number = track.get("id", "")
        for frame, (shapes, about) in sorted((named(self.path, f"track {number}", _hands, track) or {}).items()):
            index, self._count = self._count, self._count + 1
            given = (track.attrib["label"], number, frame, shapes, about)
            record = named(self.path, f"{index} (track {number}, frame {frame})", self._record, index, *given)
            if record is not None:
                yield record

    def _record(
        self, index: int, label: str, track: str, frame: int, shapes: Mapping[str, _Shape], about: Mapping[str, str]
    ) -> LabelledHand | None:
        points = dict(point for name, one in shapes.items() for point in one.points(name))
        if not self._returned.files and all(point.shown == NONE for point in points.values()):
            return None  # where a track ends
        photo, file = self._photo(frame)
        if self._video is None and photo not in self._pictures:
            self._pictures = {photo: Picture.of(photo)}
        picture = self._frames if self._video is not None else self._pictures[photo]
        name = f"track{track}-{frame:06d}-{index}"
        hand = hand_of(name, file, label, about, points, picture)
        record = self._returned.record(hand, photo, TOOL)
        ours = record is not None and record.provenance.get("data_set") != TOOL
        if record is None or (ours and "track" not in record.provenance):  # of a photo: its track is CVAT's need alone
            return record
        return replace(record, provenance={**record.provenance, "track": int(track), "rate": self._rate})

    def _photo(self, frame: int) -> tuple[Path, str]:
        """Of a frame: its place, and how our exports call it."""
        if self._video is not None:
            self._video.position(frame)
            return self._video.place(frame).as_path(), ""
        folder, images = self._images
        if frame not in images:
            raise InputError(f"there is no image of frame {frame} in {folder}")
        photo = existing(images[frame])
        return photo, f"images/{photo.name}"

    @cached_property
    def _returned(self) -> Returned:
        return Returned(self.path.parent, NAME)

    @cached_property
    def _video(self) -> VideoSource | None:
        """The video beside the file; None: its frames are images."""
        name = self._source.replace("\\", "/").rpartition("/")[2]
        if Path(name).suffix.lower() not in VIDEO_SUFFIXES:
            return None
        found = (inside(place, name) for place in (self.path.parent, self.path.parent.parent))
        video = next((one for one in found if one.is_file()), None)
        return None if video is None else open_video(video)

    @cached_property
    def _frames(self) -> Picture:
        """Of every frame of the video."""
        assert self._video is not None  # only then it is asked for
        return Picture(self._video.read(int(self._video.numbers[0])).shape[:2])

    @cached_property
    def _images(self) -> tuple[Path, dict[int, Path]]:
        """(folder, frame's number -> image). InputError: there are not as many as the task had frames."""
        folder = self.path.parent / "images"
        folder = folder if folder.is_dir() else self.path.parent
        if self._returned.files:  # as they were when CVAT numbered them, whatever is missing now
            return folder, {k: inside(folder.parent, file) for k, file in enumerate(sorted(self._returned.files))}
        files = sorted(one for one in folder.iterdir() if one.suffix.lower() in suffixes())
        numbers = [_FRAME.fullmatch(one.stem) for one in files]
        if numbers and all(numbers):
            return folder, {int(one[1]): file for one, file in zip(numbers, files, strict=True) if one}
        if self._size.isdecimal() and int(self._size) != len(files):
            raise InputError(f"{folder} holds {len(files)} images, the task had {self._size} frames: which are which?")
        return folder, dict(enumerate(files))

    @cached_property
    def _rate(self) -> float:
        """Frames a second of images: by the times that our export has kept."""
        steps = []
        before: dict[str, tuple[int, float]] = {}
        for details in Sidecar.of(self.path.parent, NAME) or ():
            said = details.get("provenance") or {}
            try:
                video, number, time = str(said["video_sha256"]), int(said["frame"]), float(said["time"])
            except (KeyError, TypeError, ValueError):  # anybody's JSON
                continue
            last, at = before.get(video, (number, time))
            if number != last and time != at:
                steps.append((number - last) / (time - at))
            before[video] = number, time
        rate = float(np.round(np.median(steps), 3)) if steps else RATE
        return rate if rate > 0 else RATE


class _Shape(NamedTuple):
    """A point, or 21 of them, in one frame. state: as it was set there or in a frame before."""

    element: ElementTree.Element
    state: str = ""

    def points(self, name: str) -> Iterator[tuple[str, Point]]:
        """By their labels; name: of a single one. What CVAT has drawn between two frames that somebody set
        (keyframe="0") is nobody's word."""
        element = self.element
        row = element.get("points", "").count(";") == 20
        found = points_in_order(element) if row else {name: point_of(element)._replace(state=self.state)}
        drawn = element.get("keyframe", "1") != "1"
        for key, point in found.items():
            yield key, point._replace(state=PROPAGATED) if drawn else point


def _hands(track: ElementTree.Element) -> dict[int, tuple[dict[str, _Shape], dict[str, str]]]:
    """Frame -> (shapes by the labels of their points, attributes) of a track's hand where it is in the picture."""
    found: dict[int, tuple[dict[str, _Shape], dict[str, str]]] = {}
    about: dict[str, str] = {}
    states: dict[str, str] = {}  # what is not said again has not changed

    def shaped(label: str, element: ElementTree.Element) -> _Shape:
        states[label] = attributes(element).get("state", states.get(label, ""))
        return _Shape(element, states[label])

    for shape in track:
        if shape.tag not in ("skeleton", "points"):
            continue
        about = about | attributes(shape)
        if shape.get("outside") == "1":
            continue
        if shape.tag == "skeleton":
            inside = {one.attrib["label"]: shaped(one.attrib["label"], one) for one in shape.findall("points")}
            found[int(shape.attrib["frame"])] = inside, about
        elif shape.get("points", "").count(";") == 20:
            found[int(shape.attrib["frame"])] = {"": _Shape(shape)}, about
    for element in track.findall("track"):
        for shape in element.findall("points"):
            frame, label = int(shape.attrib["frame"]), element.attrib["label"]
            one = shaped(label, shape)
            if frame in found:
                found[frame][0][label] = one
    return {frame: hand for frame, hand in found.items() if hand[0]}
