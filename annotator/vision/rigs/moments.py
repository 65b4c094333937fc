"""Which photos were taken at the same moment: by their names, by a table, or by time stamps.

An instant is a mapping camera -> photo. Photos that belong to none are told, and instants that lack a photo.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from annotator.errors import InputError
from annotator.files.file_errors import reading
from annotator.files.frame_places import stem_of

CAMERA, INSTANT = "{camera}", "{instant}"
Moments = dict[str, dict[str, Path]]


def by_pattern(photos: Iterable[Path], cameras: Sequence[str], pattern: str) -> tuple[Moments, list[Path]]:
    """Instants by names; and the photos that the pattern does not fit.

    pattern: of the end of a photo's path, as `{instant}-{camera}.jpg` or `{camera}/{instant}.png`; `*` is anything,
    `{camera}` one of the cameras' names. InputError: a pattern without both, or two photos in one place.
    """
    if pattern.count(CAMERA) != 1 or pattern.count(INSTANT) != 1:
        raise InputError(
            f"pattern {pattern!r} needs {CAMERA} and {INSTANT} once each, as in '{{instant}}-{{camera}}.jpg'"
        )
    named = "|".join(re.escape(name) for name in sorted(cameras, key=len, reverse=True))
    parts = {CAMERA: f"(?P<camera>{named})", INSTANT: r"(?P<instant>[^/]+?)", "*": r"[^/]*"}
    expression = "".join(parts.get(part, re.escape(part)) for part in re.split(r"(\{camera\}|\{instant\}|\*)", pattern))
    fits = re.compile(f"(?:^|.*/){expression}$")
    found: Moments = {}
    others = []
    for photo in photos:
        match = fits.match(photo.as_posix())
        if match is None:
            others.append(photo)
        else:
            _put(found, match["instant"], match["camera"], photo)
    return found, others


def by_table(path: Path, photos: Iterable[Path], cameras: Sequence[str]) -> tuple[Moments, list[Path]]:
    """Instants by a CSV file with the columns `instant`, `camera`, `photo` (its name, or the end of its path); and the
    photos it does not name. InputError naming file and line."""
    with reading(path, "is not a CSV table", UnicodeDecodeError, csv.Error), \
            path.open(newline="", encoding="utf-8-sig") as file:  # fmt: skip
        rows = list(csv.DictReader(file))
    known = list(photos)
    found: Moments = {}
    used = set()
    for line, row in enumerate(rows, start=2):
        if any(not row.get(name) for name in ("instant", "camera", "photo")):
            raise InputError(f"{path}, line {line}: it needs instant, camera and photo")
        if row["camera"] not in cameras:
            raise InputError(
                f"{path}, line {line}: the rig has no camera {row['camera']!r}: it has {', '.join(cameras)}"
            )
        ends = [photo for photo in known if ("/" + photo.as_posix()).endswith("/" + row["photo"].lstrip("./"))]
        if len(ends) != 1:
            what = "is not among the photos" if not ends else f"could be {ends[0]} or {ends[1]}"
            raise InputError(f"{path}, line {line}: {row['photo']} {what}")
        _put(found, row["instant"], row["camera"], ends[0])
        used.add(ends[0])
    return found, [photo for photo in known if photo not in used]


def by_time(
    photos: Iterable[Path],
    cameras: Sequence[str],
    seconds: Callable[[Path], float | None],
    tolerance: float,
) -> tuple[Moments, list[Path]]:
    """Instants by time stamps that differ by at most `tolerance` s; and the photos that are left.

    A photo's camera is the one whose name is in the name of its file or folder. The first camera's photos lead: each
    takes the nearest photo of every other camera, each photo once.
    """
    if not tolerance >= 0:
        raise InputError(f"a tolerance of {tolerance:g} s: expected 0 or more")
    stamped: dict[str, list[tuple[float, Path]]] = {name: [] for name in cameras}
    others = []
    for photo in photos:
        camera, time = camera_of(photo, cameras), seconds(photo)
        if camera is None or time is None:
            others.append(photo)
        else:
            stamped[camera].append((time, photo))
    leader = max(cameras, key=lambda name: len(stamped[name]))
    found: Moments = {}
    left = {name: dict.fromkeys(sorted(some)) for name, some in stamped.items()}
    for time, photo in sorted(stamped[leader]):
        instant = f"{time:.3f}"
        members = {leader: photo}
        for name in cameras:
            near = [one for one in left[name] if abs(one[0] - time) <= tolerance] if name != leader else []
            if near:
                taken = min(near, key=lambda one: abs(one[0] - time))
                members[name] = taken[1]
                del left[name][taken]
        if len(members) > 1:
            del left[leader][(time, photo)]
            for name, one in members.items():
                _put(found, instant, name, one)
    return found, others + [photo for some in left.values() for _, photo in some]


def camera_of(photo: Path, cameras: Sequence[str]) -> str | None:
    """The camera whose name stands by itself in the photo's name, else in its folder's; None: none, or several."""
    for text in (stem_of(photo), photo.parent.name):
        hits = [name for name in cameras if re.search(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", text)]
        if len(hits) == 1:
            return hits[0]
    return None


def incomplete(moments: Mapping[str, Mapping[str, Path]], cameras: Sequence[str]) -> list[tuple[str, list[str]]]:
    """(instant, cameras that have no photo of it) of those that lack some."""
    lacking = [(name, [camera for camera in cameras if camera not in one]) for name, one in moments.items()]
    return [(name, some) for name, some in lacking if some]


def _put(found: Moments, instant: str, camera: str, photo: Path) -> None:
    other = found.setdefault(instant, {}).setdefault(camera, photo)
    if other != photo:
        raise InputError(f"instant {instant!r} has two photos of camera {camera!r}: {other} and {photo}")
