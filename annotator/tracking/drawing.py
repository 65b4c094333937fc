"""A video with its hands drawn into it: each track in a colour of its own, what was bridged paler."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.hand.mesh import HandMesh
from annotator.project import HandEntry, Project
from annotator.project.records.states import ACCEPTED, FLAGGED, IN_WORK, PROPOSED
from annotator.tracking.doubts import NOT_SEEN
from annotator.vision.drawing.overlay import shade
from annotator.vision.video import open_video
from annotator.vision.video.source import VideoSource
from annotator.vision.video.writing import write_video

SHOWN = (PROPOSED, IN_WORK, ACCEPTED, FLAGGED)
# told apart by people with the common colour blindnesses (after Okabe and Ito)
COLOURS = ((0.45, 0.68, 0.93), (0.90, 0.62, 0.20), (0.25, 0.75, 0.60), (0.84, 0.45, 0.70), (0.93, 0.88, 0.40))
OPAQUE, PALE = 0.85, 0.4


def overlay_video(
    project: Project,
    out: str | Path,
    video: str | Path | None = None,
    states: Iterable[str] = SHOWN,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> dict:
    """Draw the meshes of a project's hands into their video, from its first frame with a hand of these states to its
    last; {"frames", "hands", "video", "out"}.

    video: which one, by its path or name; None: the only one that the project has frames of. InputError: there is none
    of them, several and none is named, or it cannot be read or written.
    """
    source, hands = _chosen(project, video, tuple(states))
    first, last = min(hands), max(hands)
    numbers = source.numbers[(source.numbers >= first) & (source.numbers <= last)]
    drawn = {"hands": 0}

    def pictures() -> Iterator[tuple[float, np.ndarray]]:
        picture = None
        for done, number in enumerate(numbers.tolist(), 1):
            try:
                picture = source.read(number)
            except InputError:
                if picture is None:  # damaged from the start: it begins with the first that can be seen
                    continue
            shown = picture
            for entry in hands.get(number, []):
                shown = _drawn(shown, project.mesh(entry.id), entry)
                drawn["hands"] += 1
            yield float(source.seconds[source.position(number)]), shown
            if progress is not None:
                progress(done, len(numbers))

    count = write_video(out, pictures(), overwrite)
    return {"frames": count, **drawn, "video": str(source.path), "out": str(out)}


def _drawn(picture: np.ndarray, hand: HandMesh, entry: HandEntry) -> np.ndarray:
    colour = COLOURS[((entry.track or 1) - 1) % len(COLOURS)]
    return shade(hand.vertices, hand.faces, hand.camera, picture, PALE if NOT_SEEN in entry.reasons else OPAQUE, colour)


def _chosen(
    project: Project, video: str | Path | None, states: tuple[str, ...]
) -> tuple[VideoSource, dict[int, list[HandEntry]]]:
    """The video, and the hands in each of its frames."""
    from annotator.files.frame_places import frame_place

    by_video: dict[Path, dict[int, list[HandEntry]]] = {}
    for entry in project.each_hand(states, copies=False):
        place = frame_place(entry.photo)
        if place is not None and entry.frame is not None:
            by_video.setdefault(place.video, {}).setdefault(entry.frame, []).append(entry)
    if video is not None:
        asked = Path(video)
        by_video = {p: f for p, f in by_video.items() if p == asked.absolute() or p.name == str(video)}
    if not by_video:
        named = "" if video is None else f" {video}"
        raise InputError(f"{project.folder} has no hands ({', '.join(states)}) in frames of a video{named}")
    if len(by_video) > 1:
        raise InputError(f"say which video with --video: {', '.join(str(p) for p in sorted(by_video))}")
    ((_, frames),) = by_video.items()
    some = next(iter(frames.values()))[0]
    path = project.photo(some.photo_id).path  # where it is now
    place = frame_place(path)
    assert place is not None  # the entry's was one
    return open_video(place.video, place.rate), frames
