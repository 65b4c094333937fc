"""A long video followed in stretches that overlap, each by itself, and joined without a seam.

Following a hand needs the frames before, but only a moment of them. So a stretch begins a little before its own frames
and goes on a little behind them; the hands that two stretches have both followed in the frames between say which of
their tracks are one. What is smoothed, bridged and doubted is so only after that, over the seam as anywhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from annotator.model import Model
from annotator.tracking.following import Follower, Following, frames_of
from annotator.tracking.matching import apart
from annotator.tracking.pieces import Moment
from annotator.tracking.records import SEEN, Track, TrackedHand
from annotator.tracking.siding import of_one_side, side_of
from annotator.vision.video.source import VideoSource

OVERLAP = 2.0  # s before a stretch's own frames, and behind them: longer than a lost hand is waited for
SAME = 0.3  # mean distance of keypoints over the hand's size: two stretches followed one hand


@dataclass(frozen=True, eq=False)
class Plan:
    """What a stretch is to follow. numbers: of its own frames; before, behind: of those that it shares with the
    stretches beside it."""

    numbers: np.ndarray
    before: np.ndarray
    behind: np.ndarray


@dataclass(frozen=True, eq=False)
class Stretch:
    """What was seen in a stretch. moments: its own frames; tracks: with the hands of shared frames, too; odds, weights:
    what each track's frames say of its side, by id, see `paths.Path`."""

    moments: tuple[Moment, ...]
    tracks: tuple[Track, ...]
    odds: dict[int, float]
    weights: dict[int, float]
    K: np.ndarray
    searches: int
    failed: tuple[str, ...] = ()


def planned(source: VideoSource, numbers: np.ndarray, seconds: float) -> list[Plan]:
    """Stretches of so many seconds or a little more. numbers: of the frames that are chosen, rising."""
    times = np.array([source.seconds[source.position(int(number))] for number in numbers])
    count = max(int((times[-1] - times[0]) // seconds), 1) if len(times) else 0
    ends = np.searchsorted(times, times[0] + (times[-1] - times[0]) * np.arange(1, count) / count) if count else []
    edges = [0, *(int(end) for end in ends), len(numbers)]
    plans = []
    for first, last in zip(edges[:-1], edges[1:], strict=True):
        if first < last:
            before = (np.arange(len(times)) < first) & (times >= times[first] - OVERLAP)
            behind = (np.arange(len(times)) >= last) & (times <= times[last - 1] + OVERLAP)
            plans.append(Plan(numbers[first:last], numbers[before], numbers[behind]))
    return plans


def follow_stretch(
    model: Model,
    source: VideoSource,
    plan: Plan,
    K: np.ndarray | None,
    following: Following,
    before: Sequence[Track] = (),
    last: int = 0,
) -> Stretch:
    """Follow the hands of a stretch. before, last: tracks that go on from the frames before it, and the highest number
    of a track, where those are known."""
    follower, failed, moments = Follower(model, K, following), list[str](), []
    follower.go_on_from(before, last)
    own = set(plan.numbers.tolist())
    for frame in frames_of(source, np.concatenate([plan.before, plan.numbers, plan.behind]), failed.append):
        follower.step(frame)
        if frame.number in own:
            moments.append(Moment(frame.number, frame.seconds, (frame.photo.shape[0], frame.photo.shape[1])))
    follower.finish()
    follower.weigh_sides(source.read)
    tracks = of_one_side(follower.tracks(), follower.sides(), model, follower.K, source.read)
    odds, weights = follower.evidence()
    assert follower.K is not None or not moments
    camera = np.eye(3) if follower.K is None else follower.K
    return Stretch(tuple(moments), tuple(tracks), odds, weights, camera, follower.searches, tuple(failed))


class Joined:
    """Stretches one after the other, as one follower would have seen them (`pieces.Followed`).

    before, last: see `follow_stretch`; the first stretch was begun with them. failed: lines about frames that could not
    be used, so far.
    """

    def __init__(self, before: Sequence[Track] = (), last: int = 0):
        self.K: np.ndarray | None = None
        self.searches = 0
        self.failed: list[str] = []
        self._last, self._now = last, -np.inf
        self._known = {track.id for track in before}
        self._hands: dict[int, list[TrackedHand]] = {track.id: list(track.hands) for track in before}
        self._sides: dict[int, str] = {track.id: track.side for track in before}
        self._odds: dict[int, float] = {}
        self._weights: dict[int, float] = {}
        self._shared: dict[int, list[TrackedHand]] = {}  # of the stretch before, by number: for the next seam

    def steps(self, stretches: Iterable[Stretch]) -> Iterator[Moment]:
        """The frames of the stretches, which come in their order, as if they were followed now."""
        for one in stretches:
            self._add(one)
            for moment in one.moments:
                self._now = moment.seconds
                yield moment

    def tracks(self) -> list[Track]:
        found = []
        for number, hands in self._hands.items():
            here = [one for one in hands if one.seconds <= self._now]
            if here:
                found.append(Track(number, tuple(here)))
        return found

    def sides(self, margin: float = 0.0) -> dict[int, str]:
        found = {}
        for number, side in self._sides.items():
            weight = self._weights.get(number, 0.0)
            odds = weight if weight else self._odds.get(number, 0.0)
            found[number] = side_of(side, odds, 0.0 if weight else margin)
        return found

    def weigh_sides(self, photo_of: Callable[[int], np.ndarray], after: float = -np.inf) -> None:
        """Each stretch has weighed its own."""

    def forget_before(self, seconds: float) -> None:
        for number, hands in self._hands.items():
            self._hands[number] = [one for one in hands if one.seconds >= seconds]

    # -- inside ----------------------------------------------------------------------------------------------
    def _add(self, one: Stretch) -> None:
        seam = one.moments[0].seconds if one.moments else np.inf
        end = one.moments[-1].seconds if one.moments else -np.inf
        first = self.K is None
        self.K = one.K if first else self.K
        self.searches += one.searches
        self.failed += [line for line in one.failed if line not in self.failed]
        numbers = {track.id: track.id for track in one.tracks if track.id in self._known} if first else {}
        numbers |= self._met(one.tracks) if not first else {}
        self._shared = {}
        for track in one.tracks:
            if track.id not in numbers:
                if not any(seam <= hand.seconds <= end for hand in track.hands):
                    continue  # of shared frames alone: the stretch beside has it, or nobody
                self._last += 1
                numbers[track.id] = self._last
            number = numbers[track.id]
            own = [hand for hand in track.hands if seam <= hand.seconds]
            kept = [hand for hand in self._hands.get(number, ()) if hand.seconds < seam]
            self._hands[number] = [*kept, *(hand for hand in own if hand.seconds <= end)]
            self._shared[number] = list(track.hands)
            self._sides.setdefault(number, track.side)
            self._odds[number] = self._odds.get(number, 0.0) + one.odds.get(track.id, 0.0)
            self._weights[number] = self._weights.get(number, 0.0) + one.weights.get(track.id, 0.0)

    def _met(self, tracks: Sequence[Track]) -> dict[int, int]:
        """A new stretch's id of a track -> the number of that which is the same hand: they were followed in the same
        places in the frames that both stretches saw."""
        if not tracks or not self._shared:
            return {}
        old = list(self._shared)
        costs = np.array([[_apart(self._shared[number], track.hands) for number in old] for track in tracks])
        rows, columns = linear_sum_assignment(np.minimum(costs, 10 * SAME))
        return {tracks[a].id: old[b] for a, b in zip(rows, columns, strict=True) if costs[a, b] < SAME}


def _apart(one: Sequence[TrackedHand], other: Sequence[TrackedHand]) -> float:
    """Median distance of two tracks' keypoints, over the hand's size, in the frames where both saw it; infinite where
    there are none."""
    there = {hand.frame: hand.hand.keypoints for hand in one if hand.kind == SEEN}
    found = [apart(there[hand.frame], hand.hand.keypoints) for hand in other if hand.frame in there]
    return float(np.median(found)) if found else np.inf
