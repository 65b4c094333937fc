"""A video tracked piece by piece, without a project: what is settled is handed on, a moment behind the frame that is
followed. Who stores the pieces may be another process, on another machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np

from annotator.model import Model
from annotator.project.entering.intake import prepare
from annotator.tracking.doubts import CROSSING, GAP, JUMP
from annotator.tracking.following import Follower, Following, frames_of
from annotator.tracking.records import SIDE, Track, TrackedHand
from annotator.tracking.siding import MARGIN, of_one_side
from annotator.tracking.trajectories.smoothing import Smoothing
from annotator.tracking.video import finished
from annotator.vision.video.source import VideoSource

PIECE = 100  # frames that are handed on at once
LAG = 1.0  # s: how far behind the frame that is followed a hand is settled
# what a reason leaves of a hand's confidence: the queue begins with the least sure hands
DOUBT = {JUMP: 0.5, CROSSING: 0.7, SIDE: 0.5, GAP: 0.8}


@dataclass(frozen=True, eq=False)
class Start:
    """Where tracking begins. numbers: of all frames that are chosen; done: so many of them are stored already; before:
    tracks that go on from there; last: the highest number of a track that was given."""

    numbers: np.ndarray
    done: int = 0
    before: Sequence[Track] = ()
    last: int = 0


@dataclass(frozen=True, eq=False)
class SettledHand:
    """A track's hand in a frame, ready to travel. track: the follower's number of it; packed: see `intake.Prepared`;
    keypoints (21, 2) photo px."""

    track: int
    frame: int
    kind: str
    reasons: tuple[str, ...]
    packed: tuple[str, str, bytes, bytes]
    keypoints: np.ndarray


@dataclass(frozen=True, eq=False)
class Piece:
    """frames: number -> (height, width) px of those that are settled, in order; hands: in them; turned: tracks whose
    hands in earlier pieces are of the other side than all frames say by now, and that side; looked_at: frames so far;
    searched: those that were searched for palms; failed: lines about frames that cannot be used; worker: the process
    that made it."""

    frames: Mapping[int, tuple[int, int]]
    hands: tuple[SettledHand, ...]
    turned: Mapping[int, str]
    looked_at: int
    searched: int
    failed: tuple[str, ...] = ()
    worker: int = 0


class Moment(NamedTuple):
    """A frame that was followed: its number, time stamp, (height, width) px."""

    number: int
    seconds: float
    size: tuple[int, int]


class Followed(Protocol):
    """What follows hands, as far as settling asks it: a `Follower`, or stretches that were followed elsewhere."""

    K: np.ndarray | None
    searches: int

    def tracks(self) -> list[Track]: ...

    def sides(self, margin: float = 0.0) -> dict[int, str]: ...

    def weigh_sides(self, photo_of: Callable[[int], np.ndarray], after: float = -np.inf) -> None: ...

    def forget_before(self, seconds: float) -> None: ...


@dataclass
class _Given:
    """What earlier pieces fixed, by the follower's number of a track."""

    shapes: dict[int, np.ndarray] = field(default_factory=dict)
    sides: dict[int, str] = field(default_factory=dict)


def pieces(
    model: Model,
    source: VideoSource,
    start: Start,
    K: np.ndarray | None,
    following: Following,
    smoothing: Smoothing,
    progress: Callable[[int, int], None] | None = None,
    count: int | None = None,
) -> Iterator[Piece]:
    """The pieces of a video, in order, `count` frames or so each (None: `PIECE`). progress: called with (frames done,
    all)."""
    follower, failed = Follower(model, K, following), list[str]()
    follower.go_on_from(start.before, start.last)

    def steps() -> Iterator[Moment]:
        for frame in frames_of(source, start.numbers[start.done :], failed.append):
            follower.step(frame)
            yield Moment(frame.number, frame.seconds, (int(frame.photo.shape[0]), int(frame.photo.shape[1])))
        follower.finish()

    yield from settled(model, source, start, follower, steps(), failed, following, smoothing, progress, count)


def settled(
    model: Model,
    source: VideoSource,
    start: Start,
    follower: Followed,
    steps: Iterable[Moment],
    failed: Sequence[str],
    following: Following,
    smoothing: Smoothing,
    progress: Callable[[int, int], None] | None = None,
    count: int | None = None,
) -> Iterator[Piece]:
    """The pieces of what a follower has seen, see `pieces`. steps: the frames, each as soon as it was followed; failed:
    lines about those that could not be, as far as they are known."""
    numbers, done, count = start.numbers, start.done, count or PIECE
    given = _Given()
    given.sides = {track.id: track.side for track in start.before}
    given.shapes = {track.id: track.hands[-1].hand.parameters.shape for track in start.before}
    moments: list[tuple[int, float]] = []
    sizes: dict[int, tuple[int, int]] = {}
    looked_at = 0

    def settle(after: float, until: float, margin: float) -> Piece:
        follower.weigh_sides(source.read, after)
        # what was handed on changes its side only if frames contradict it clearly, or when all are heard
        clear, heard = follower.sides(margin), follower.sides()
        sides = {track: clear[track] if track in given.sides else heard[track] for track in heard}
        followed = of_one_side(follower.tracks(), sides, model, follower.K, source.read)
        tracks = finished(followed, moments, model, smoothing, following, given.shapes)
        turned = {track: side for track, side in sides.items() if given.sides.get(track, side) != side}
        given.sides |= turned
        wanted = {number: sizes.pop(number) for number, seconds in moments if after < seconds <= until}
        hands = [_settled(track, one) for track in tracks for one in track.hands if one.frame in wanted]
        for track in tracks:
            here = [one.hand for one in track.hands if one.frame in wanted]
            if here:
                given.shapes.setdefault(track.id, here[0].parameters.shape)
                given.sides.setdefault(track.id, here[0].side)
        return Piece(wanted, tuple(hands), turned, looked_at, follower.searches, tuple(failed))

    until_now = -np.inf if not done else float(source.seconds[source.position(int(numbers[done - 1]))])
    for frame in steps:
        sizes[frame.number] = frame.size
        moments.append((frame.number, frame.seconds))
        looked_at += 1
        if progress is not None:
            progress(done + looked_at, len(numbers))
        if looked_at % count == 0:
            until = frame.seconds - LAG
            if until > until_now:
                yield settle(until_now, until, MARGIN)
            until_now = max(until_now, until)
            follower.forget_before(until_now - LAG)
            moments[:] = [one for one in moments if one[1] >= until_now - LAG]
    yield settle(until_now, np.inf, 0.0)


def doubt_of(reasons: Sequence[str]) -> float:
    """0..1: what these reasons leave of a hand's confidence."""
    return float(np.prod([DOUBT.get(reason, 1.0) for reason in reasons]))


def _settled(track: Track, one: TrackedHand) -> SettledHand:
    hand = one.hand.replace(corrections={}, confidence=one.hand.confidence * doubt_of(one.reasons))
    return SettledHand(track.id, one.frame, one.kind, one.reasons, prepare(hand).pack(), np.array(hand.keypoints))
