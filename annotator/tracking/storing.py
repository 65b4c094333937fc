"""A video's tracks in a project: stored piece by piece, so that an interrupted run goes on where it stopped.

Hands are stored once their smoothing is settled, a moment behind the frame that is followed. What is there already is
never made worse: a hand that a person touched keeps everything and joins its track, one that nobody touched becomes
what the track says of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from annotator.errors import InputError
from annotator.model import Model
from annotator.project import Project, Provenance
from annotator.project.entering.intake import Header, prepare
from annotator.project.tracks import TrackedProposal
from annotator.tracking.doubts import CROSSING, GAP, JUMP
from annotator.tracking.following import FOLLOWING, Follower, Following, frames_of
from annotator.tracking.matching import apart
from annotator.tracking.records import SIDE, Track, TrackedHand
from annotator.tracking.smoothing import SMOOTHING, Smoothing
from annotator.tracking.video import finished
from annotator.vision.video import Choice
from annotator.vision.video.source import VideoSource

PIECE = 100  # frames that are stored at once
LAG = 1.0  # s: how far behind the frame that is followed a hand is settled
SAME = 0.3  # mean distance of keypoints over the hand's size: a hand of the project is that of the track
# what a reason leaves of a hand's confidence: the queue begins with the least sure hands
DOUBT = {JUMP: 0.5, CROSSING: 0.7, SIDE: 0.5, GAP: 0.8}


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


def mark_of(model: Model) -> str:
    """By what a project knows frames that this model has tracked."""
    return f"tracked by {model.digest}"


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
    numbers = source.numbers[choice.rows(source)]
    if not len(numbers):
        raise InputError(f"no frame of {source.path} is chosen")
    stored, mark, moments = Stored(), mark_of(model), list[tuple[int, float]]()
    done = 0
    while done < len(numbers) and project.has_photo(source.digest(int(numbers[done])), mark):
        done += 1
    stored.skipped = done
    provenance = Provenance.of(name, model.digest, model.quick)
    provenance = Provenance(provenance.model, provenance.model_digest, extra={**provenance.extra, "tracked": True})
    follower = Follower(model, K, following)
    before = _known(project, source, numbers[:done], following.keep) if done else []
    follower.go_on_from(before, max((one.track for one in project.tracks()), default=0))
    writer = _Writer(project, source, provenance, mark, stored)
    writer.numbers = {track.id: track.id for track in before}
    writer.shapes = {track.id: track.hands[-1].hand.parameters.shape for track in before}

    def settle(until: float) -> None:
        settled_tracks = finished(follower.tracks(), moments, model, smoothing, following, writer.shapes)
        writer.write(settled_tracks, moments, settled, until)

    settled = -np.inf if not done else float(source.seconds[source.position(int(numbers[done - 1]))])
    for count, frame in enumerate(frames_of(source, numbers[done:], stored.failed.append), 1):
        follower.step(frame)
        writer.sizes[frame.number] = frame.photo.shape[:2]
        moments.append((frame.number, frame.seconds))
        stored.frames += 1
        if progress is not None:
            progress(done + count, len(numbers))
        if count % PIECE == 0:
            until = frame.seconds - LAG
            settle(until)
            settled = max(settled, until)
            follower.forget_before(settled - LAG)
            moments[:] = [one for one in moments if one[1] >= settled - LAG]
    follower.finish()
    settle(np.inf)
    stored.searched = follower.searches
    if not stored.frames and not stored.skipped:
        raise InputError(f"no frame of {source.path} can be decoded: {stored.failed[0]}")
    return stored


@dataclass
class _Writer:
    project: Project
    source: VideoSource
    provenance: Provenance
    mark: str
    stored: Stored
    sizes: dict[int, tuple[int, int]] = field(default_factory=dict)
    numbers: dict[int, int] = field(default_factory=dict)  # follower's id -> the project's number of the track
    shapes: dict[int, np.ndarray] = field(default_factory=dict)  # follower's id -> the track's one shape

    def write(self, tracks: Sequence[Track], moments: Sequence[tuple[int, float]], after: float, until: float) -> None:
        """Store all frames behind `after`, up to `until` (s)."""
        wanted = [number for number, seconds in moments if after < seconds <= until]
        if not wanted:
            return
        by_frame: dict[int, list[tuple[Track, TrackedHand]]] = {number: [] for number in wanted}
        for track in tracks:
            for one in track.hands:
                if one.frame in by_frame:
                    by_frame[one.frame].append((track, one))
        self._number([track for track in tracks if any(one.frame in by_frame for one in track.hands)])
        frames = [(self._header(number), self._proposals(number, by_frame[number])) for number in wanted]
        self.project.add_tracked(frames, self.provenance, self.mark)
        for number in wanted:
            self.sizes.pop(number, None)
            for track, one in by_frame[number]:
                self.stored.hands += 1
                self.stored.bridged += one.kind != "seen"
                self.stored.tracks.add(self.numbers[track.id])
                self.shapes.setdefault(track.id, one.hand.parameters.shape)

    def _number(self, tracks: Sequence[Track]) -> None:
        new = [track.id for track in tracks if track.id not in self.numbers]
        self.numbers |= dict(zip(new, self.project.new_tracks(len(new)), strict=True))

    def _header(self, number: int) -> Header:
        return Header.of(self.source.place(number).as_path().absolute(), self.sizes[number])

    def _proposals(self, number: int, hands: Sequence[tuple[Track, TrackedHand]]) -> list[TrackedProposal]:
        there = self._there(number)
        made = []
        for track, one in hands:
            known = None
            near = [(apart(mesh.keypoints, one.hand.keypoints), hand_id) for hand_id, mesh in there.items()]
            if near and min(near)[0] < SAME:
                known = min(near)[1]
                del there[known]
            hand = one.hand.replace(corrections={}, confidence=one.hand.confidence * _factor(one.reasons))
            made.append(TrackedProposal(prepare(hand), self.numbers[track.id], one.kind, one.reasons, known))
        return made

    def _there(self, number: int) -> dict:
        """The hands that the project has in this frame, by id."""
        if not self.project.has_photo(self.source.digest(number)):
            return {}
        path = self.source.place(number).as_path().absolute()
        photo = self.project.add_photo(path, self.sizes[number])
        return {entry.id: self.project.mesh(entry.id) for entry in self.project.hands(photo=photo, copies=False)}


def _factor(reasons: Sequence[str]) -> float:
    return float(np.prod([DOUBT.get(reason, 1.0) for reason in reasons]))


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
