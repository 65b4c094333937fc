"""The side of a track is what all its frames say together."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))

from small_videos import video  # noqa: E402

from annotator.project import Project, Provenance  # noqa: E402
from annotator.tracking import Follower, pieces, restoring, storing, track_frames  # noqa: E402
from annotator.tracking.following import paths, weighing  # noqa: E402
from annotator.tracking.restoring import restore  # noqa: E402
from annotator.tracking.siding import MOST, side_of, word_of  # noqa: E402
from annotator.tracking.trajectories.smoothing import SMOOTHING  # noqa: E402
from annotator.vision.video import Choice, open_video  # noqa: E402

SHARE = st.floats(0, 1)


@pytest.fixture(autouse=True)
def cache(own_cache):
    """Nothing of these videos stays in the user's cache."""


@pytest.fixture
def mistaken(model, monkeypatch):
    """The network, which takes the hand for a left one wherever it searches."""
    found = model.propose

    def propose(photo, K=None):
        hands = found(photo, K=K)
        boxes = [(*hand.keypoints.min(0) - 10, *hand.keypoints.max(0) + 10) for hand in hands]
        return found(photo, boxes, ["left"] * len(boxes), K) if hands else []

    monkeypatch.setattr(model, "propose", propose)
    return model


@given(SHARE, SHARE)
def test_a_frame_says_so_much_and_no_more(right, presence):
    assert abs(word_of(right, presence)) <= MOST * presence
    assert word_of(right, presence) == pytest.approx(-word_of(1 - right, presence), abs=1e-4)


@given(st.sampled_from(["left", "right"]), st.floats(-50, 50), st.floats(0, 20))
def test_a_side_stays_until_it_is_contradicted(side, odds, margin):
    now = side_of(side, odds, margin)
    assert (now != side) == ((odds if side == "left" else -odds) > margin)
    assert side_of(now, odds, margin) == now


def test_one_wrong_frame_at_the_beginning_is_outvoted(mistaken, moving, timed):
    (track,) = track_frames(mistaken, timed(moving))
    assert {one.hand.side for one in track.hands} == {"right"} and len(track) == 10
    follower = Follower(mistaken)
    for frame in timed(moving):
        follower.step(frame)
    assert follower.tracks()[0].hands[0].hand.side == "left" and follower.sides() == {1: "right"}


def test_it_is_the_hand_that_a_right_beginning_gives(model, moving, timed, request):
    (right,) = track_frames(model, timed(moving))
    (turned,) = track_frames(request.getfixturevalue("mistaken"), timed(moving))
    off = [np.linalg.norm(a.hand.keypoints - b.hand.keypoints, axis=1).mean() for a, b in zip(
        right.hands, turned.hands, strict=True)]  # fmt: skip
    assert np.mean(off) < 4


def test_frames_that_faintly_say_the_wrong_side_lose_to_the_hand_that_holds_together(model, moving, timed, monkeypatch):
    monkeypatch.setattr(paths, "word_of", lambda *_: -0.5)
    (track,) = track_frames(model, timed(moving))
    assert {one.hand.side for one in track.hands} == {"right"}
    monkeypatch.setattr(weighing, "UNSURE", 0.0)
    (track,) = track_frames(model, timed(moving))
    assert {one.hand.side for one in track.hands} == {"left"}


def test_one_shape_and_two_stages_that_agree_hold_together(make_hand):
    hand = make_hand(1)
    one = [hand.replace(parametric=hand.parametric.__class__(hand.vertices, hand.joints, hand.keypoints + 1.0,
                                                             hand.parameters))] * 9  # fmt: skip
    many = [make_hand(1 + k) for k in range(9)]
    assert weighing.looseness(one) < weighing.looseness(many)
    assert (
        weighing.for_right(list(zip(one, many, strict=True)))
        > 0
        > weighing.for_right(list(zip(many, one, strict=True)))
    )


def test_a_project_gets_the_side_of_all_frames(mistaken, moving, tmp_path):
    clip = clip_of(moving, tmp_path)
    with Project.create(tmp_path / "P", "Ada") as project:
        storing.store_tracks(project, mistaken, open_video(clip), Choice.of("0", None), "test")
        assert {one.side for one in project.track(1)} == {"right"} and project.verify() == []


def test_what_was_stored_is_answered_again_but_for_a_person_s(mistaken, moving, tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "MARGIN", np.inf)
    monkeypatch.setattr(pieces, "of_one_side", lambda tracks, *_: tracks)
    monkeypatch.setattr(storing, "restore", lambda *_: 0)
    source = open_video(clip_of(moving, tmp_path))
    with Project.create(tmp_path / "P", "Ada") as project:
        storing.store_tracks(project, mistaken, source, Choice.of("0", None), "test")
        entries = project.track(1)
        assert {one.side for one in entries} == {"left"}
        project.set_state(entries[4].id, "flagged")
        monkeypatch.setattr(restoring, "AT_ONCE", 4)
        provenance = Provenance("test", mistaken.digest)
        assert restore(project, source, mistaken, 1, "right", provenance, SMOOTHING, 1.0) == 9
        after = project.track(1)
        assert [one.side for one in after] == ["left" if k == 4 else "right" for k in range(10)]
        assert [one.id for one in after] == [one.id for one in entries] and after[4].version == 2
        assert all(project.proposal(one.id).side == one.side for one in after) and project.verify() == []


def clip_of(moving, tmp_path) -> Path:
    even = [p[: p.shape[0] // 2 * 2, : p.shape[1] // 2 * 2] for p in moving]
    return video(tmp_path / "clip.mp4", even, rate=25, options={"crf": "12"})
