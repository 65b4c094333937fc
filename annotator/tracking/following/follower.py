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
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from annotator.model import Model
from annotator.stopping import still_wanted
from annotator.tracking.following.frames import Frame
from annotator.tracking.following.meetings import Meetings
from annotator.tracking.following.paths import Path, SeenHand
from annotator.tracking.following.settings import FOLLOWING, Following
from annotator.tracking.following.watching import Watching
from annotator.tracking.following.weighing import weigh
from annotator.tracking.matching import apart, match
from annotator.tracking.records import Track, TrackedHand
from annotator.vision.camera import check_camera, default_camera
from annotator.vision.photos import as_photo

MOST_BYTES = 200_000_000  # of frames that are kept to follow a hand back through


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
        self._watching = Watching(model, settings)
        self._meetings = Meetings()
        self._paths: list[Path] = []
        self._unsearched: list[Frame] = []
        self._searched = -math.inf
        self._last_id = 0
        self.searches = 0  # how many frames were searched

    def go_on_from(self, tracks: Sequence[Track], last_id: int) -> None:
        """Begin with hands that are known from the frames before: their ids are kept, new tracks count from behind
        `last_id`."""
        self._last_id = last_id
        self._paths += [Path.of_track(track) for track in tracks]
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
        return {path.id: path.told(margin) for path in self._paths}

    def evidence(self) -> tuple[dict[int, float], dict[int, float]]:
        """(log odds of a right hand, weight by which it holds together as one) of each track, by id: see `Path`."""
        return {path.id: path.odds for path in self._paths}, {path.id: path.weight for path in self._paths}

    def weigh_sides(self, photo_of: Callable[[int], np.ndarray], after: float = -math.inf) -> None:
        """Where frames behind `after` (s) do not say clearly of which side a hand is, try both: see `weighing`."""
        weigh(self._paths, self.model, self.K, photo_of, after)

    @property
    def _camera(self) -> np.ndarray:
        assert self.K is not None  # set by the first step
        return self.K

    def step(self, frame: Frame) -> None:
        """The next frame."""
        frame = frame._replace(photo=as_photo(frame.photo))
        if self.K is None:
            self.K = default_camera(*frame.photo.shape[:2])
        wait = self.settings.retry
        followed = [p for p in self._paths if p.since is None or frame.seconds - p.recent[-1][0] <= wait + 1e-6]
        lost = False
        for path, seen in zip(followed, self._watching.expected(frame, self.K, followed), strict=True):
            if seen is not None:
                path.since = None
                path.put(frame, seen)
            elif path.since is None:
                path.since, lost = frame.seconds, True
        if self._search_due(frame.seconds, lost):
            self._search(frame)
        else:
            self._unsearched.append(frame)
            while sum(one.photo.nbytes for one in self._unsearched) > MOST_BYTES:
                self._unsearched.pop(0)
        self._paths = self._meetings.step(frame.seconds, self._paths, self.settings.keep)

    def finish(self) -> None:
        """There are no more frames: where hands are missing, they are looked for once more."""
        if self._unsearched:
            last = self._unsearched[-1]
            if self._waiting(last.seconds) or all(path.since is not None for path in self._paths):
                self._unsearched.pop()
                self._search(last)

    def _waiting(self, seconds: float) -> list[Path]:
        """Lost hands that may come back."""
        return [p for p in self._paths if p.since is not None and seconds - p.recent[-1][0] <= self.settings.keep]

    # -- where they are searched -------------------------------------------------------------------------------
    def _search_due(self, seconds: float, lost: bool) -> bool:
        nobody = all(path.since is not None for path in self._paths)
        every = self.settings.retry if self._waiting(seconds) or nobody else self.settings.again
        return lost or seconds - self._searched >= every - 1e-6

    def _search(self, frame: Frame) -> None:
        self._searched = frame.seconds
        self.searches += 1
        found = [SeenHand.of(hand) for hand in self.model.propose(frame.photo, K=self.K)]
        here = [path for path in self._paths if path.since is None]
        fresh = []
        for one in found:
            if not any(apart(one.landmarks, path.recent[-1][1]) < 2 * self.settings.same for path in here):
                fresh.append(one)
        self._confirm(here, found, frame)
        waiting = self._waiting(frame.seconds)
        candidates = [one.candidate(frame) for one in fresh]
        owners = match([path.known(frame.seconds) for path in waiting], candidates)
        again = set()
        for number, at in owners.items():
            path, one = waiting[number], fresh[at]
            if one.hand.side != path.side:  # a track has one side: what is seen there of a hand of that side
                (other,) = self._watching.at(frame, self._camera, [one.landmarks], [path.side])
                if other is None:
                    continue
                one = other
            again.add(at)
            self._fill_back(path, one, path.recent[-1][0])
            path.since = None
            path.put(frame, one)
        for at, one in enumerate(fresh):
            if at not in again:
                looks = candidates[at].looks
                self._last_id += 1
                path = Path(self._last_id, one.hand.side, one.right, looks, deque(maxlen=2))
                self._paths.append(path)
                self._fill_back(path, one, -math.inf)
                path.put(frame, one)
        self._unsearched.clear()

    def _confirm(self, here: Sequence[Path], found: Sequence[SeenHand], frame: Frame) -> None:
        """A hand that searches do not find where it is followed, twice in a row, while they find others: lost, unless
        the network is sure."""
        for path in here:
            near = any(apart(one.landmarks, path.recent[-1][1]) < 0.5 for one in found)
            path.doubted = 0 if near else path.doubted + 1
            if path.doubted >= 2 and path.hands and path.hands[-1].hand.confidence < 0.6:
                path.since = frame.seconds
                if path.hands[-1].frame == frame.number:
                    path.hands.pop()

    def _fill_back(self, path: Path, found: SeenHand, until: float) -> None:
        """Follow a hand that was found backward, through frames that were not searched."""
        place = found.landmarks
        for frame in reversed(self._unsearched):
            if frame.seconds <= until:
                break
            (seen,) = self._watching.at(frame, self._camera, [place], [found.hand.side])
            others = [p.hands[-1].hand.keypoints for p in self._paths if p is not path and p.hands]
            if seen is None or any(apart(seen.hand.keypoints, other) < self.settings.same for other in others):
                break
            path.hear(seen)
            path.hands.append(TrackedHand(frame.number, frame.seconds, seen.hand.replace(features=None)))
            place = seen.landmarks
