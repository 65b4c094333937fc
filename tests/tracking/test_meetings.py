"""Hands that meet come out as who they were, whatever was followed in between."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest

from annotator.tracking.following.meetings import ENOUGH, Meetings
from annotator.tracking.following.paths import Path
from annotator.tracking.following.portraits import Sight
from annotator.tracking.matching import Looks
from annotator.tracking.records import TrackedHand

SQUARE = np.array([(x, y) for y in range(3) for x in range(7)], float) * (10, 30)
LIGHT, DARK = Looks(np.array([0.42, 0.31, 6.2]), np.zeros(20)), Looks(np.array([0.37, 0.33, 5.6]), np.zeros(20))
KEEP = 1.0


@pytest.fixture(scope="module")
def hand(model, moving):
    return model.propose(moving[0])[0]


class Video:
    """Frames, ten a second, in which paths are put where they are said to be."""

    def __init__(self, hand, seed: int = 0):
        self.hand, self.rng = hand, np.random.default_rng(seed)
        self.meetings, self.paths, self.frame = Meetings(), [], 0
        self.whose = {}  # (path, frame) of a hand that was put -> the looks it was given

    def step(self, *seen: tuple[int, float, Looks]):
        """seen: (path's number, its place from left to right, how it looks); paths that are not among them are lost."""
        seconds = self.frame / 10
        for number, place, looks in seen:
            path = next((one for one in self.paths if one.id == number), None)
            if path is None:
                path = Path(number, "right", 0.9, looks, deque(maxlen=2))
                self.paths.append(path)
            noisy = Looks(looks.colour + self.rng.normal(0, (0.004, 0.003, 0.05)), looks.bones)
            path.recent.append((seconds, SQUARE + (place, 0)))
            path.latest, path.since = Sight(noisy, 0.9, 0.6), None
            one = TrackedHand(self.frame, seconds, self.hand.replace(keypoints=SQUARE + (place, 0)))
            path.hands.append(one)
            self.whose[id(one)] = looks
        for path in self.paths:
            if path.id not in [number for number, *_ in seen] and path.since is None:
                path.since = seconds
        self.paths = self.meetings.step(seconds, self.paths, KEEP)
        self.frame += 1

    def owners(self) -> dict[int, list[Looks]]:
        """Path's number -> whose hands it has, in order."""
        return {path.id: [self.whose[id(one)] for one in path.hands] for path in self.paths}


def apart(video: Video, first: Looks, second: Looks, count: int = ENOUGH + 2):
    for _ in range(count):
        video.step((1, 0.0, first), (2, 300.0, second))


@pytest.mark.parametrize("changed", [False, True])
def test_two_that_part_are_who_they_were(hand, changed):
    """The crops went on with the other hand each, or with their own."""
    video = Video(hand)
    apart(video, LIGHT, DARK)
    after = (DARK, LIGHT) if changed else (LIGHT, DARK)
    for place, looks in ((100.0, (LIGHT, DARK)), (145.0, (LIGHT, DARK)), (190.0, after)):
        video.step((1, place, looks[0]), (2, 300.0 - place, looks[1]))
    apart(video, *after, count=ENOUGH - 1)
    whole = 2 * ENOUGH + 4
    counts = {number: [sum(one is looks for one in own) for looks in (LIGHT, DARK)]
              for number, own in video.owners().items()}  # fmt: skip
    # of the frames in which they were closest nobody can tell
    assert counts[1][0] >= whole - 2 and counts[2][1] >= whole - 2
    assert sum(sum(count) for count in counts.values()) == 2 * whole
    for path in video.paths:
        assert [one.frame for one in path.hands] == list(range(whole)) and path.since is None
    # and they are followed on as such
    assert video.paths[0].recent[-1][1][0, 0] == (300.0 if changed else 0.0)


def test_one_that_came_out_as_a_new_hand_is_the_one_it_was(hand):
    """One crop went on with the hand in front, that hand's own was lost, and the other came out behind as a new one."""
    video = Video(hand)
    apart(video, LIGHT, DARK)
    for _ in range(2):
        video.step((1, 150.0, LIGHT), (2, 160.0, DARK))
    video.step((1, 190.0, DARK))
    for _ in range(ENOUGH):
        video.step((1, 300.0, DARK), (3, 0.0, LIGHT))
    owners = video.owners()
    assert sorted(owners) == [1, 2]
    assert all(one is LIGHT for one in owners[1]) and sum(one is not DARK for one in owners[2]) <= 1
    assert all(path.since is None for path in video.paths)


def test_a_third_person_is_nobody_who_met(hand):
    other = Looks(np.array([0.5, 0.27, 4.5]), np.full(20, 0.2))
    video = Video(hand)
    apart(video, LIGHT, DARK)
    for _ in range(2):
        video.step((1, 150.0, LIGHT), (2, 160.0, DARK))
    for _ in range(ENOUGH + 1):
        video.step((1, 0.0, LIGHT), (2, 300.0, DARK), (3, 600.0, other))
    assert {number: len(own) for number, own in video.owners().items()} == {
        1: 2 * ENOUGH + 5,
        2: 2 * ENOUGH + 5,
        3: ENOUGH + 1,
    }


@pytest.mark.parametrize("seed", range(5))
def test_hands_of_one_person_stay_where_motion_has_them(hand, seed):
    video = Video(hand, seed)
    apart(video, LIGHT, LIGHT)
    for _ in range(3):
        video.step((1, 150.0, LIGHT), (2, 160.0, LIGHT))
    for _ in range(ENOUGH + 1):
        video.step((1, 0.0, LIGHT), (2, 300.0, LIGHT))
    assert [path.recent[-1][1][0, 0] for path in video.paths] == [0.0, 300.0]


@pytest.mark.parametrize("again", [True, False])
def test_a_hand_that_comes_back_where_it_was(hand, again):
    """One frame was not enough to know it, and it was taken for a new one; or it is somebody else's."""
    video = Video(hand)
    for _ in range(ENOUGH + 2):
        video.step((1, 0.0, LIGHT))
    for _ in range(5):
        video.step()
    for _ in range(ENOUGH):
        video.step((2, 10.0, LIGHT if again else DARK))
    owners = video.owners()
    assert sorted(owners) == ([1] if again else [1, 2])
    if again:
        (path,) = video.paths
        assert path.since is None and [one.frame for one in path.hands] == [
            *range(ENOUGH + 2),
            *range(ENOUGH + 7, 2 * ENOUGH + 7),
        ]
