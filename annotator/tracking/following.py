"""Hands followed from frame to frame: where a hand was a moment ago its next place is known, and nothing is searched.

The crop of the next frame comes from the keypoints of the last ones, moved on as they moved. One pass of the encoder
there says whether the hand is still in it and where; a hand that moved farther than expected is looked at once more.
Palms are searched in the first frame, where a hand was lost, and now and then for hands that came. What is found is
matched with what was lost (`matching`), and a hand that is found anew is followed backward, too, through the frames
that were not searched.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from annotator.hand.mesh import HandMesh
from annotator.model import Model
from annotator.stopping import still_wanted
from annotator.tracking.matching import Candidate, Known, Looks, apart, bones_of, looks_of, match
from annotator.tracking.records import Track, TrackedHand
from annotator.tracking.siding import MARGIN, reasons_of, side_of, word_of
from annotator.vision.camera import check_camera, default_camera
from annotator.vision.crops import Crop
from annotator.vision.photos import as_photo


@dataclass(frozen=True)
class Following:
    """When to search and what counts as lost.

    again: seconds between searches for hands that came into the picture; retry: between searches for lost ones, or for
    any where none is known; keep: for which a lost hand is waited for, afterwards it is a new track; presence: 0..1,
    below which a hand is lost; moved, turned, grown: share of the crop's size, rad, log of the size's ratio, beyond
    which a crop is looked at again where it should have been; same: mean distance of keypoints over the hand's size
    below which two hands are one.
    """

    again: float = 1.0
    retry: float = 0.2
    keep: float = 1.0
    presence: float = 0.5
    moved: float = 0.10
    turned: float = 0.30
    grown: float = 0.22
    same: float = 0.16


MOST_BYTES = 200_000_000  # of frames that are kept to follow a hand back through
FOLLOWING = Following()


class Frame(NamedTuple):
    """number: of the frame in its video; seconds: its time stamp; photo: (H, W, 3) uint8."""

    number: int
    seconds: float
    photo: np.ndarray


class _Seen(NamedTuple):
    """A hand as it was answered in a crop. landmarks (21, 2) photo px: what the next crop is placed by; presence: 0..1;
    right: 0..1."""

    hand: HandMesh
    landmarks: np.ndarray
    presence: float
    right: float


@dataclass(eq=False)
class _Path:
    """A hand that is being followed."""

    id: int
    side: str
    right: float
    looks: Looks
    recent: deque[tuple[float, np.ndarray]]  # (seconds, landmarks), newest last
    since: float | None = None  # the moment it was lost, None while it is seen
    odds: float = 0.0  # log odds of a right hand, of all its frames
    doubted: int = 0  # searches in a row that did not find it where it is followed
    hands: list[TrackedHand] = field(default_factory=list)

    def expected(self, seconds: float) -> np.ndarray:
        """(21, 2) photo px: where its landmarks should be at that time. It goes on as it moved last, for a moment."""
        (before, then), (last, now) = self.recent[0], self.recent[-1]
        if last == before:
            return now
        step = (seconds - last) / (last - before)
        return now + np.clip(step, -1.5, 1.5) * (now - then).mean(0)


def follow(
    model: Model, frames: Iterable[Frame], K: np.ndarray | None = None, settings: Following = FOLLOWING
) -> list[Track]:
    """The tracks of a video's hands, in the order they appear. frames: rising in time; K: (3, 3) px of all of them, or
    None: see `vision.camera.default_camera`."""
    follower = Follower(model, K, settings)
    for frame in frames:
        still_wanted()
        follower.step(frame)
    follower.finish()
    return follower.tracks()


class Follower:
    """Takes frame after frame. `tracks()` is what is known so far; a hand that is found anew may still be followed back
    for `Following.retry` seconds."""

    def __init__(self, model: Model, K: np.ndarray | None = None, settings: Following = FOLLOWING):
        self.model, self.settings = model, settings
        self.K = None if K is None else check_camera(K)
        self._paths: list[_Path] = []
        self._unsearched: list[Frame] = []
        self._searched = -math.inf
        self._last_id = 0
        self.searches = 0  # how many frames were searched

    def go_on_from(self, tracks: Sequence[Track], last_id: int) -> None:
        """Begin with hands that are known from the frames before: their ids are kept, new tracks count from behind
        `last_id`."""
        self._last_id = last_id
        for track in tracks:
            recent = deque(((one.seconds, np.array(one.hand.keypoints)) for one in track.hands[-2:]), maxlen=2)
            plain = Looks(np.full(3, np.nan), bones_of(track.hands[-1].hand))
            path = _Path(track.id, track.side, float(track.side == "right"), plain, recent)
            path.hands = list(track.hands)
            path.odds = MARGIN if track.side == "right" else -MARGIN  # its frames were heard before
            self._paths.append(path)
        newest = max((path.recent[-1][0] for path in self._paths), default=-math.inf)
        self._searched = newest
        for path in self._paths:
            if path.recent[-1][0] < newest:
                path.since = path.recent[-1][0]

    def forget_before(self, seconds: float) -> None:
        """Let go of what was seen before that time, and of tracks that ended then."""
        for path in self._paths:
            path.hands = [one for one in path.hands if one.seconds >= seconds]
        self._paths = [path for path in self._paths if path.hands or path.since is None]

    def tracks(self) -> list[Track]:
        """All tracks so far, hands that are lost among them."""
        return [Track(path.id, tuple(sorted(path.hands, key=lambda one: one.seconds))) for path in self._paths]

    def sides(self, margin: float = 0.0) -> dict[int, str]:
        """The side of each track, by id: what all its frames say together. margin: log odds by which they must
        contradict the side that it is followed as."""
        return {path.id: side_of(path.side, path.odds, margin) for path in self._paths}

    def step(self, frame: Frame) -> None:
        """The next frame."""
        frame = frame._replace(photo=as_photo(frame.photo))
        if self.K is None:
            self.K = default_camera(*frame.photo.shape[:2])
        wait = self.settings.retry
        followed = [p for p in self._paths if p.since is None or frame.seconds - p.recent[-1][0] <= wait + 1e-6]
        answers = self._look(frame, followed)
        own = [self._regained(frame, *one) for one in zip(followed, answers, strict=True)]
        lost = False
        for path, seen in zip(followed, self._undoubled(frame, followed, own), strict=True):
            if seen is not None:
                path.since = None
                self._put(path, frame, seen)
            elif path.since is None:
                path.since, lost = frame.seconds, True
        if self._search_due(frame.seconds, lost):
            self._search(frame)
        else:
            self._unsearched.append(frame)
            while sum(one.photo.nbytes for one in self._unsearched) > MOST_BYTES:
                self._unsearched.pop(0)

    def finish(self) -> None:
        """There are no more frames: where hands are missing, they are looked for once more."""
        if self._unsearched:
            last = self._unsearched[-1]
            if self._waiting(last.seconds) or all(path.since is not None for path in self._paths):
                self._unsearched.pop()
                self._search(last)

    def _regained(self, frame: Frame, path: _Path, seen: _Seen | None) -> _Seen | None:
        """What is seen of a lost hand where it was: only if it is the same hand."""
        if seen is None or path.since is None:
            return seen
        candidate = Candidate(seen.landmarks, seen.right, looks_of(frame.photo, seen.hand))
        return seen if match([_known(path, frame.seconds)], [candidate]) else None

    def _waiting(self, seconds: float) -> list[_Path]:
        """Lost hands that may come back."""
        return [p for p in self._paths if p.since is not None and seconds - p.recent[-1][0] <= self.settings.keep]

    # -- where hands are followed ------------------------------------------------------------------------------
    def _look(self, frame: Frame, paths: Sequence[_Path]) -> list[_Seen | None]:
        """What is seen of each hand where it is expected; None where it is not."""
        places = [path.expected(frame.seconds) for path in paths]
        return self._look_at(frame, places, [path.side for path in paths])

    def _look_at(self, frame: Frame, places: Sequence[np.ndarray], sides: Sequence[str]) -> list[_Seen | None]:
        crops = [Crop.from_landmarks(place, side == "left") for place, side in zip(places, sides, strict=True)]
        height, width = frame.photo.shape[:2]
        inside = [k for k, crop in enumerate(crops) if _in_sight(crop, height, width)]
        seen: list[_Seen | None] = [None] * len(crops)
        for k, answer in zip(inside, self._answers(frame, [crops[k] for k in inside]), strict=True):
            seen[k] = answer
        again, where = [], []
        for k, one in enumerate(seen):
            if one is not None and one.presence >= self.settings.presence / 2:
                crop = Crop.from_landmarks(one.landmarks, crops[k].flip)
                if self._far(crops[k], crop):
                    again.append(k)
                    where.append(crop)
        for k, answer in zip(again, self._answers(frame, where), strict=True):
            seen[k] = answer
        return [one if one is not None and one.presence >= self.settings.presence else None for one in seen]

    def _answers(self, frame: Frame, crops: Sequence[Crop]) -> list[_Seen]:
        assert self.K is not None  # set by the first step
        return [_seen(hand) for hand in self.model.answer_in(frame.photo, crops, self.K)]

    def _far(self, was: Crop, now: Crop) -> bool:
        moved = math.hypot(now.cx - was.cx, now.cy - was.cy) / was.size
        turned = abs(math.remainder(now.angle - was.angle, math.tau))
        grown = abs(math.log(now.size / was.size))
        return moved > self.settings.moved or turned > self.settings.turned or grown > self.settings.grown

    def _undoubled(self, frame: Frame, paths: Sequence[_Path], answers: Sequence[_Seen | None]) -> list[_Seen | None]:
        """The answers without those that show another path's hand: where two went to one hand, it is whose it is."""
        kept = list(answers)
        for a in range(len(kept)):
            for b in range(a):
                one, other = kept[a], kept[b]
                if one is None or other is None or apart(one.landmarks, other.landmarks) > self.settings.same:
                    continue
                candidate = Candidate(one.landmarks, (one.right + other.right) / 2, looks_of(frame.photo, one.hand))
                owner = match([_known(paths[b], frame.seconds), _known(paths[a], frame.seconds)], [candidate])
                # nobody's: the older path keeps it
                kept[b if owner.get(1) == 0 else a] = None
        return kept

    # -- where they are searched -------------------------------------------------------------------------------
    def _search_due(self, seconds: float, lost: bool) -> bool:
        nobody = all(path.since is not None for path in self._paths)
        every = self.settings.retry if self._waiting(seconds) or nobody else self.settings.again
        return lost or seconds - self._searched >= every - 1e-6

    def _search(self, frame: Frame) -> None:
        self._searched = frame.seconds
        self.searches += 1
        found = [_seen(hand) for hand in self.model.propose(frame.photo, K=self.K)]
        here = [path for path in self._paths if path.since is None]
        fresh = []
        for one in found:
            if not any(apart(one.landmarks, path.recent[-1][1]) < 2 * self.settings.same for path in here):
                fresh.append(one)
        self._confirm(here, found, frame)
        waiting = self._waiting(frame.seconds)
        candidates = [Candidate(one.landmarks, one.right, looks_of(frame.photo, one.hand)) for one in fresh]
        owners = match([_known(path, frame.seconds) for path in waiting], candidates)
        again = set()
        for number, at in owners.items():
            path, one = waiting[number], fresh[at]
            if one.hand.side != path.side:  # a track has one side: what is seen there of a hand of that side
                (other,) = self._look_at(frame, [one.landmarks], [path.side])
                if other is None:
                    continue
                one = other
            again.add(at)
            self._fill_back(path, one, path.recent[-1][0])
            path.since = None
            self._put(path, frame, one)
        for at, one in enumerate(fresh):
            if at not in again:
                looks = candidates[at].looks
                self._last_id += 1
                path = _Path(self._last_id, one.hand.side, one.right, looks, deque(maxlen=2))
                self._paths.append(path)
                self._fill_back(path, one, -math.inf)
                self._put(path, frame, one)
        self._unsearched.clear()

    def _confirm(self, here: Sequence[_Path], found: Sequence[_Seen], frame: Frame) -> None:
        """A hand that searches do not find where it is followed, twice in a row, while they find others: lost, unless
        the network is sure."""
        for path in here:
            near = any(apart(one.landmarks, path.recent[-1][1]) < 0.5 for one in found)
            path.doubted = 0 if near else path.doubted + 1
            if path.doubted >= 2 and path.hands and path.hands[-1].hand.confidence < 0.6:
                path.since = frame.seconds
                if path.hands[-1].frame == frame.number:
                    path.hands.pop()

    def _fill_back(self, path: _Path, found: _Seen, until: float) -> None:
        """Follow a hand that was found backward, through frames that were not searched."""
        place = found.landmarks
        for frame in reversed(self._unsearched):
            if frame.seconds <= until:
                break
            (seen,) = self._look_at(frame, [place], [found.hand.side])
            others = [p.hands[-1].hand.keypoints for p in self._paths if p is not path and p.hands]
            if seen is None or any(apart(seen.hand.keypoints, other) < self.settings.same for other in others):
                break
            path.odds += word_of(seen.right, seen.presence)
            path.hands.append(TrackedHand(frame.number, frame.seconds, seen.hand.replace(features=None)))
            place = seen.landmarks

    def _put(self, path: _Path, frame: Frame, seen: _Seen) -> None:
        path.recent.append((frame.seconds, seen.landmarks))
        path.right += 0.1 * (seen.right - path.right)
        path.looks = path.looks.mixed(looks_of(frame.photo, seen.hand), 0.05)
        path.odds += word_of(seen.right, seen.presence)
        reasons = reasons_of(path.side, seen.right)
        path.hands.append(TrackedHand(frame.number, frame.seconds, seen.hand.replace(features=None), reasons=reasons))
        path.side = side_of(path.side, path.odds, MARGIN)  # it is followed as one of the other side from here on


def _seen(hand: HandMesh) -> _Seen:
    features, crop = hand.features.features, hand.features.crop
    points = features.landmarks[0].double().cpu().numpy()
    landmarks = crop.to_photo(points) if np.isfinite(points).all() else np.array(hand.keypoints)
    right = float(np.nan_to_num(features.right[0].item(), nan=1.0))  # of the crop, which shows all as right hands
    presence = float(np.nan_to_num(features.presence[0].item(), nan=hand.confidence))
    return _Seen(hand, landmarks, presence, 1 - right if crop.flip else right)


def _known(path: _Path, seconds: float) -> Known:
    missing = 0.0 if path.since is None else seconds - path.recent[-1][0]
    return Known(path.expected(seconds), missing, path.right, path.looks)


def _in_sight(crop: Crop, height: int, width: int) -> bool:
    """Whether the crop's middle is in the photo, or not far out."""
    out = max(-crop.cx, -crop.cy, crop.cx - width, crop.cy - height)
    return out < 0.3 * crop.size


def frames_of(source, numbers: Iterable[int], skipped=None) -> Iterator[Frame]:
    """The frames of a video (`vision.video.source.VideoSource`) with these numbers; one that cannot be decoded is left
    out: `skipped` is called with a line that names it."""
    from annotator.errors import InputError

    for number in numbers:
        try:
            photo = source.read(int(number))
        except InputError as error:
            if skipped is not None:
                skipped(str(error))
            continue
        yield Frame(int(number), float(source.seconds[source.position(int(number))]), photo)
