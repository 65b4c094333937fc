"""Stretches of a video that were followed each by itself, joined: hands keep their identities, and nothing is twice."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.tracking.pieces import Moment
from annotator.tracking.records import Track, TrackedHand
from annotator.tracking.stretches import OVERLAP, Joined, Stretch, planned

RATE = 10.0


def source(count: int):
    numbers = np.arange(count)
    return SimpleNamespace(numbers=numbers, seconds=numbers / RATE, position=int)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 400), st.floats(0.3, 60.0), st.integers(1, 5))
def test_a_plan_has_every_frame_once(count, seconds, every):
    numbers = np.arange(0, count, every)
    plans = planned(source(count), numbers, seconds)
    assert np.concatenate([plan.numbers for plan in plans]).tolist() == numbers.tolist()
    for plan in plans:
        times = np.concatenate([plan.before, plan.numbers, plan.behind]) / RATE
        assert (np.diff(times) > 0).all()
        assert times[0] >= plan.numbers[0] / RATE - OVERLAP and times[-1] <= plan.numbers[-1] / RATE + OVERLAP


@pytest.fixture
def stretch(make_hand):
    """stretch(own frames, all frames, hands): hands {id: (x in px, frames in which it is seen)}."""
    first = make_hand(3, size=(540, 310)).replace(corrections={})

    def made(own, frames, hands, odds=1.0):
        tracks = []
        for number, (x, seen) in hands.items():
            hand = first.replace(keypoints=first.keypoints + (x, 0.0))
            tracks.append(Track(number, tuple(TrackedHand(k, k / RATE, hand) for k in frames if k in seen)))
        moments = tuple(Moment(k, k / RATE, (540, 310)) for k in own)
        ids = list(hands)
        return Stretch(moments, tuple(tracks), dict.fromkeys(ids, odds), dict.fromkeys(ids, 0.0), first.camera, 1)

    return made


def joined(stretches):
    found = Joined(last=7)
    moments = [moment.number for moment in found.steps(stretches)]
    return found, moments, {track.id: track.frames.tolist() for track in found.tracks()}


def test_hands_are_known_again_whatever_their_numbers(stretch):
    one = stretch(range(0, 20), range(0, 30), {8: (0.0, range(30)), 9: (400.0, range(30))})
    two = stretch(range(20, 40), range(10, 40), {1: (402.0, range(10, 40)), 2: (1.0, range(10, 40))})
    found, moments, tracks = joined([one, two])
    assert moments == list(range(40))
    assert tracks == {8: list(range(40)), 9: list(range(40))}
    assert found.searches == 2 and found.sides() == {8: "right", 9: "right"}


def test_a_hand_that_is_lost_over_the_seam_is_found_behind_it(stretch):
    seen = [k for k in range(40) if not 16 <= k < 24]
    one = stretch(range(0, 20), range(0, 30), {8: (0.0, seen)})
    two = stretch(range(20, 40), range(17, 40), {1: (2.0, seen)})
    assert joined([one, two])[2] == {8: seen}


def test_a_new_hand_gets_a_number_of_its_own_and_one_of_shared_frames_alone_none(stretch):
    one = stretch(range(0, 20), range(0, 30), {8: (0.0, range(30)), 9: (900.0, range(24, 30))})
    two = stretch(range(20, 40), range(10, 40), {1: (0.0, range(10, 40)), 2: (500.0, range(10, 14)),
                                                 3: (900.0, range(24, 40))})  # fmt: skip
    tracks = joined([one, two])[2]
    assert tracks[8] == list(range(40)) and sorted(tracks.values())[1:] == [list(range(24, 40))] and len(tracks) == 2


def test_what_is_forgotten_does_not_come_back_and_what_is_to_come_is_not_told(stretch):
    one = stretch(range(0, 20), range(0, 30), {8: (0.0, range(30))})
    found = Joined()
    for moment in found.steps([one]):
        (track,) = found.tracks()
        assert track.frames[-1] == moment.number and track.frames[0] == max(0, moment.number - 5)
        found.forget_before(moment.seconds - 0.41)


def test_the_side_is_what_all_stretches_say(stretch):
    one = stretch(range(0, 20), range(0, 30), {8: (0.0, range(30))}, odds=2.0)
    two = stretch(range(20, 40), range(10, 40), {1: (0.0, range(10, 40))}, odds=-9.0)
    found, _, _ = joined([one, two])
    assert (found.sides(), found.sides(20.0)) == ({8: "left"}, {8: "right"})
