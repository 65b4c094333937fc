"""A video's tracks in a project: stored piece by piece, so that an interrupted run goes on where it stopped.

What is there already is never made worse: a hand that a person touched keeps everything and joins its track, one that
nobody touched becomes what the track says of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from annotator.errors import InputError
from annotator.model import Model
from annotator.project import Project, Provenance
from annotator.project.entering.intake import Header, Prepared
from annotator.project.tracks import TrackedProposal
from annotator.tracking.following import FOLLOWING, Following
from annotator.tracking.matching import apart
from annotator.tracking.pieces import Piece, SettledHand, Start, pieces
from annotator.tracking.records import Track, TrackedHand
from annotator.tracking.restoring import restore
from annotator.tracking.trajectories.smoothing import SMOOTHING, Smoothing
from annotator.vision.video import Choice
from annotator.vision.video.source import VideoSource

SAME = 0.3  # mean distance of keypoints over the hand's size: a hand of the project is that of the track


@dataclass
class Stored:
    """What came of a video: frames looked at, hands stored (bridged among them), frames skipped as done before, tracks
    by number, frames searched for palms; lines about frames that cannot be used."""

    frames: int = 0
    hands: int = 0
    bridged: int = 0
    skipped: int = 0
    searched: int = 0
    tracks: set[int] = field(default_factory=set)
    failed: list[str] = field(default_factory=list)


def mark_of(digest: str) -> str:
    """By what a project knows frames that the model of this digest has tracked."""
    return f"tracked by {digest}"


def provenance_of(name: str, digest: str, quick: bool = False) -> Provenance:
    """Of the hands of tracks. name: of the model."""
    plain = Provenance.of(name, digest, quick)
    return Provenance(plain.model, plain.model_digest, extra={**plain.extra, "tracked": True})


def store_tracks(
    project: Project,
    model: Model,
    source: VideoSource,
    choice: Choice,
    name: str,
    K: np.ndarray | None = None,
    following: Following = FOLLOWING,
    smoothing: Smoothing = SMOOTHING,
    progress: Callable[[int, int], None] | None = None,
) -> Stored:
    """Track a video's hands into a project. name: of the model, for the provenance; the rest as in `track_video`.

    Frames at the beginning that this model has tracked before are skipped, and their tracks go on.
    """
    start = start_of(project, source, choice, model.digest, following)
    writer = Writer(project, source, provenance_of(name, model.digest, model.quick), model.digest, start)
    for piece in pieces(model, source, start, K, following, smoothing, progress):
        writer.write(piece)
        for number, side in writer.turned(piece).items():
            restore(project, source, model, number, side, writer.provenance, smoothing, following.keep, K)
    return writer.finished()


def start_of(project: Project, source: VideoSource, choice: Choice, digest: str, following: Following) -> Start:
    """Where tracking a video with the model of this digest begins. InputError: no frame is chosen."""
    numbers = source.numbers[choice.rows(source)]
    if not len(numbers):
        raise InputError(f"no frame of {source.path} is chosen")
    done, mark = 0, mark_of(digest)
    while done < len(numbers) and project.has_photo(source.digest(int(numbers[done])), mark):
        done += 1
    before = _known(project, source, numbers[:done], following.keep) if done else []
    return Start(numbers, done, before, max((one.track for one in project.tracks()), default=0))


class Writer:
    """Stores the pieces of one video, each in one transaction."""

    def __init__(self, project: Project, source: VideoSource, provenance: Provenance, digest: str, start: Start):
        self.project, self.source, self.provenance = project, source, provenance
        self.mark = mark_of(digest)
        self.stored = Stored(skipped=start.done)
        # follower's number of a track -> the project's
        self.numbers = {track.id: track.id for track in start.before}

    def write(self, piece: Piece) -> None:
        """Store all frames of a piece."""
        stored = self.stored
        stored.frames, stored.searched, stored.failed = piece.looked_at, piece.searched, list(piece.failed)
        if not piece.frames:
            return
        by_frame: dict[int, list[SettledHand]] = {number: [] for number in piece.frames}
        for one in piece.hands:
            by_frame[one.frame].append(one)
        new = [track for track in dict.fromkeys(one.track for one in piece.hands) if track not in self.numbers]
        self.numbers |= dict(zip(new, self.project.new_tracks(len(new)), strict=True))
        frames = [
            (Header.of(self._path(number), size), self._proposals(number, size, by_frame[number]))
            for number, size in piece.frames.items()
        ]
        self.project.add_tracked(frames, self.provenance, self.mark)
        stored.hands += len(piece.hands)
        stored.bridged += sum(one.kind != "seen" for one in piece.hands)
        stored.tracks |= {self.numbers[one.track] for one in piece.hands}

    def turned(self, piece: Piece) -> dict[int, str]:
        """The project's tracks that are to be answered again as ones of the other side, and that side."""
        return {self.numbers[track]: side for track, side in piece.turned.items() if track in self.numbers}

    def finished(self) -> Stored:
        """After the last piece. InputError: no frame could be decoded."""
        if not self.stored.frames and not self.stored.skipped:
            raise InputError(f"no frame of {self.source.path} can be decoded: {self.stored.failed[0]}")
        return self.stored

    def _path(self, number: int):
        return self.source.place(number).as_path().absolute()

    def _proposals(self, number: int, size: tuple[int, int], hands: list[SettledHand]) -> list[TrackedProposal]:
        there = self._there(number, size)
        made = []
        for one in hands:
            known = None
            near = [(apart(mesh.keypoints, one.keypoints), hand_id) for hand_id, mesh in there.items()]
            if near and min(near)[0] < SAME:
                known = min(near)[1]
                del there[known]
            prepared = Prepared.unpack(one.packed)
            made.append(TrackedProposal(prepared, self.numbers[one.track], one.kind, one.reasons, known))
        return made

    def _there(self, number: int, size: tuple[int, int]) -> dict:
        """The hands that the project has in this frame, by id."""
        if not self.project.has_photo(self.source.digest(number)):
            return {}
        photo = self.project.add_photo(self._path(number), size)
        return {entry.id: self.project.mesh(entry.id) for entry in self.project.hands(photo=photo, copies=False)}


def _known(project: Project, source: VideoSource, numbers: np.ndarray, keep: float) -> list[Track]:
    """The project's tracks of this video in the last moments of these frames, with the hands that they have there."""
    last = float(source.seconds[source.position(int(numbers[-1]))])
    found = []
    for summary in project.tracks():
        if summary.sha256 != source.sha256 or summary.last[1] < last - keep:
            continue
        recent = [one for one in project.track(summary.track) if last - keep <= one.seconds <= last]
        hands = [
            TrackedHand(one.frame, one.seconds, project.mesh(one.id).replace(corrections={}), one.kind)
            for one in recent if one.kind == "seen" and one.side == summary.side
        ]  # fmt: skip
        if hands:
            found.append(Track(summary.track, tuple(hands)))
    return found
