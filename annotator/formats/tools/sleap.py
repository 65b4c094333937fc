"""SLEAP's .slp, by its own sleap-io: one skeleton `hand` of 21 nodes, one instance a hand.

    labels.slp   videos made of the photos, one for each size there is; frames with instances
    images/      the photos

Tracks `right 1`, `right 2`, ..., `left 1`, ... say the side. A point that is not visible is hidden, one without a place
has no label; `complete`, which SLEAP sets where a person put a point, stands where a person corrected or confirmed it,
and the other points of such an instance are proposals.
A hand that only the network has placed leaves as a predicted instance. Pixel centres at .0, as in SLEAP. Read: labels
of other skeletons by the nodes' names, predicted instances (their points are proposals, by their scores), videos of
photos; not film files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from annotator.errors import InputError
from annotator.files.file_errors import reading
from annotator.files.paths import existing, inside, only_file, ordinary
from annotator.formats.conventions.names import side_of
from annotator.formats.core.base import LabelledHand
from annotator.formats.core.by_photo import Photos, SentHand, export_by_photo
from annotator.formats.core.details import named
from annotator.formats.core.returned import Returned
from annotator.formats.core.tool_hands import HIDDEN, NONE, VISIBLE, ToolHand, points_by_name, sent_points
from annotator.hand.joint_states import BY_A_PERSON, CONFIRMED, PROPOSED
from annotator.hand.joints import BONES, JOINT_NAMES

FILE, NAME = "labels.slp", "sleap"
_BROKEN = (
    KeyError, ValueError, TypeError, IndexError, AttributeError, RuntimeError, MemoryError, AssertionError,
    ArithmeticError, NotImplementedError,
)  # fmt: skip


def sleap_io() -> Any:
    """The package; InputError saying how to get it."""
    try:
        found = import_module("sleap_io")
    except ImportError as error:
        raise InputError("this format needs sleap-io: pip install 'hand-mesh-annotator[sleap]'") from error
    return found


def write(records: Iterable[LabelledHand], folder: str | Path, overwrite: bool = False, licence: str = "") -> dict:
    """Write the records; {"hands", "folder"}. InputError: see `exporting.export`, or sleap-io is not there."""
    sleap_io()
    return export_by_photo(
        records, folder, NAME, overwrite, licence, _finish, points=lambda record, _: sent_points(record, by_state=True)
    )


def _finish(folder: Path, photos: Photos) -> None:
    sio = sleap_io()
    skeleton = sio.Skeleton(list(JOINT_NAMES), edges=[(JOINT_NAMES[a], JOINT_NAMES[b]) for a, b in BONES], name="hand")
    files: dict[tuple[int, int], list[str]] = {}
    for photo in photos():
        files.setdefault((photo.height, photo.width), []).append(photo.file)
    videos = {size: _video(sio, names, size) for size, names in files.items()}
    tracks: dict[str, Any] = {}
    counts = dict.fromkeys(files, 0)
    frames = []
    for photo in photos():
        size = photo.height, photo.width
        seen = {"right": 0, "left": 0}
        instances = []
        for hand in photo.hands:
            seen[hand.side] += 1
            name = f"{hand.side} {seen[hand.side]}"
            track = tracks.setdefault(name, sio.Track(name))
            instances.append(_instance(sio, skeleton, hand, track))
        frames.append(sio.LabeledFrame(video=videos[size], frame_idx=counts[size], instances=instances))
        counts[size] += 1
    labels = sio.Labels(frames, videos=list(videos.values()), skeletons=[skeleton], tracks=list(tracks.values()))
    sio.save_slp(labels, str(folder / FILE), embed=False, verbose=False)


def _video(sio: Any, names: list[str], size: tuple[int, int]) -> Any:
    """Photos of one size as SLEAP's list of images; none is opened, their paths are the export's own."""
    shape = [len(names), *size, 3]
    about = {"type": "ImageVideo", "filename": names[0], "filenames": names, "shape": shape, "height_": size[0],
             "width_": size[1], "channels_": 3, "grayscale": False, "fps": None}  # fmt: skip
    return sio.Video(filename=names, open_backend=False, backend_metadata=about)


def _instance(sio: Any, skeleton: Any, hand: SentHand, track: Any) -> Any:
    places = np.where(hand.points[:, 2:] > NONE, hand.points[:, :2], np.nan)
    seen = hand.points[:, 2] == VISIBLE
    person = np.array([state in BY_A_PERSON for state in hand.states])
    if person.any():
        rows = np.column_stack([places, seen, person])
        return sio.Instance.from_numpy(rows, skeleton, track=track)
    instance = sio.PredictedInstance.from_numpy(places, skeleton, point_scores=np.where(seen, 0.5, 0.25), score=0.5,
                                                track=track)  # fmt: skip
    instance.points["visible"] = seen
    return instance


def read(folder: str | Path) -> Iterator[LabelledHand]:
    """The hands of a folder with one .slp, or of that file; photos where it says, below its folder, or in
    FOLDER/images.

    InputError naming file and instance: what sleap-io cannot read, film files in place of photos, photos missing, nodes
    that are not understood.
    """
    sio = sleap_io()
    path = only_file(Path(folder), "*.slp", "file of SLEAP's")
    with reading(path, "is not a file of SLEAP's", *_BROKEN):
        labels = sio.load_slp(str(ordinary(path)), open_videos=False)
        frames = list(labels.labeled_frames)
    returned = Returned(path.parent, NAME)
    index = 0
    for frame in frames:
        for instance in _instances(frame):
            record = named(path, index, _record, path, frame, instance, index, returned)
            index += 1
            if record is not None:
                yield record


def _instances(frame: Any) -> list:
    """A frame's hands; a prediction that a person has made an instance of is not one more hand."""
    taken = [getattr(one, "from_predicted", None) for one in frame.instances]
    return [one for one in frame.instances if not any(one is other for other in taken)]


def _record(path: Path, frame: Any, instance: Any, index: int, returned: Returned) -> LabelledHand | None:
    photo = _photo(path.parent, frame)
    points: dict[str, tuple[float, float, float]] = {}
    states: dict[str, str] = {}
    predicted = "score" in (instance.points.dtype.names or ())
    touched = not predicted and bool(instance.points["complete"].any())
    for node, point in zip(instance.skeleton.nodes, instance.points, strict=True):
        x, y = map(float, point["xy"])
        known = np.isfinite([x, y]).all()
        points[node.name] = (x, y, VISIBLE if point["visible"] else HIDDEN) if known else (0.0, 0.0, NONE)
        # of an instance that a person worked on, the points that they did not touch are where they were put for them
        word = PROPOSED if predicted or (touched and not point["complete"]) else CONFIRMED if touched else ""
        states[node.name] = word if known and point["visible"] else ""
    if not any(v for *_, v in points.values()):
        return None
    numbers = points_by_name({name: (n + 1, 0, 0) for n, name in enumerate(points)})[:, 0].astype(int)
    words = ["", *states.values()]
    track = "" if instance.track is None else str(instance.track.name)
    side = side_of(track) or side_of(instance.skeleton.name)
    hand = ToolHand(
        f"{photo.stem}-{index}", f"images/{photo.name}", side, points_by_name(points),
        states=[words[n] for n in numbers],
    )  # fmt: skip
    return returned.record(hand, photo, "SLEAP")


def _photo(folder: Path, frame: Any) -> Path:
    names = frame.video.filename
    if not isinstance(names, list):
        raise InputError(f"{names} is a film: take its frames out as photos first (sleap-io or ffmpeg)")
    name = str(names[int(frame.frame_idx)]).replace("\\", "/")
    last = name.rpartition("/")[2]
    for place, one in ((folder, name), (folder, last), (folder / "images", last)):
        if not Path(one).is_absolute() and ".." not in Path(one).parts and inside(place, one).is_file():
            return inside(place, one)
    return existing(inside(folder / "images", last))
