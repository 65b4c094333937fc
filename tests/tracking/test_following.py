"""Hands followed through real pictures, and told apart."""

from __future__ import annotations

import numpy as np
import pytest

from annotator.tracking import Follower, track_frames
from annotator.tracking.matching import Candidate, Known, Looks, match

PLAIN = Looks(np.array([0.4, 0.3, 5.0]), np.zeros(20))


def test_a_moving_hand_is_one_track(model, moving, timed):
    follower = Follower(model)
    for frame in timed(moving):
        follower.step(frame)
    (track,) = follower.tracks()
    assert follower.searches == 1 and track.frames.tolist() == list(range(10)) and track.side == "right"
    middles = np.array([one.hand.keypoints.mean(0) for one in track.hands])
    assert np.allclose(np.diff(middles, axis=0), (-6, -4), atol=2.5)
    for frame in (0, 9):
        (hand,) = model.propose(moving[frame])
        assert np.linalg.norm(hand.keypoints - track.hands[frame].hand.keypoints, axis=1).mean() < 6


def test_a_hand_that_goes_away_and_comes_back(model, moving, timed):
    """Hidden for three frames: one track, bridged; what was not seen is never called seen."""
    pictures = [np.full_like(p, 128) if k in (4, 5, 6) else p for k, p in enumerate(moving)]
    (track,) = track_frames(model, timed(pictures))
    assert track.frames.tolist() == list(range(10)) and np.flatnonzero(~track.seen).tolist() == [4, 5, 6]
    assert track.hands[5].reasons == ("not seen",) and "gap" in track.hands[3].reasons + track.hands[7].reasons
    middles = np.array([one.hand.keypoints.mean(0) for one in track.hands])
    assert np.allclose(np.diff(middles, axis=0), (-6, -4), atol=3.5)


def test_a_hand_that_comes_is_found_and_followed_back(model, moving, timed):
    pictures = [np.full_like(p, 128) if k < 3 else p for k, p in enumerate(moving)]
    (track,) = track_frames(model, timed(pictures))
    assert track.frames.tolist() == list(range(3, 10)) and track.seen.all()


def test_no_hand_no_track(model, timed):
    assert track_frames(model, timed([np.full((120, 160, 3), 90, np.uint8)] * 4)) == []


@pytest.mark.parametrize("swapped", [False, True])
def test_hands_are_matched_all_together(swapped):
    """Two hands near both places: the right one stays right, though each alone would rather be elsewhere."""
    square = np.array([(x, y) for y in range(3) for x in range(7)], float) * (10, 30)
    known = [Known(square, 0.0, 0.95, PLAIN), Known(square + (30, 0), 0.0, 0.05, PLAIN)]
    found = [Candidate(square + (14, 0), 0.9, PLAIN), Candidate(square + (16, 0), 0.1, PLAIN)]
    if swapped:
        assert match(known, found[::-1]) == {0: 1, 1: 0}
    else:
        assert match(known, found) == {0: 0, 1: 1}


def test_a_hand_far_away_is_another_one():
    square = np.array([(x, y) for y in range(3) for x in range(7)], float) * (10, 30)
    assert match([Known(square, 0.0, 0.9, PLAIN)], [Candidate(square + (300, 0), 0.9, PLAIN)]) == {}
    assert match([], []) == {}
