"""The strip of a video: tracks as lanes by frame, going through them, labels carried over, in a real window."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

pytest.importorskip("napari")
pytest.importorskip("qtpy.QtWidgets")

from napari_hand_mesh.session.session import Session  # noqa: E402
from napari_hand_mesh.session.video.lanes import CODE, Lane, mark_of  # noqa: E402
from napari_hand_mesh.session.video.timeline import Timeline  # noqa: E402
from small_tracks import BRIDGED, COUNT, GAP, JUMPED, tracked_project  # noqa: E402

from annotator.project import Project  # noqa: E402


@pytest.fixture(autouse=True)
def cache(own_cache):
    """Nothing of these videos stays in the user's cache."""


@pytest.fixture
def tracked(tmp_path, photo_file, make_hand, hand_model):
    return tracked_project(tmp_path / "tracked", photo_file, make_hand, hand_model)


@pytest.fixture
def session(tracked):
    session = Session.open(tracked)
    yield session
    session.close()


def at(session, frame: int, track: int = 1) -> str:
    """The id of a track's hand in this frame."""
    return next(entry.id for entry in session.queue if (entry.frame, entry.track) == (frame, track))


def correct(session, frame: int) -> None:
    """A person moves four keypoints of the first track's hand."""
    session.go(at(session, frame))
    for joint in (5, 6, 7, 8):
        session.drop(joint, tuple(session.mesh.keypoints[joint] + (9.0, 4.0)))


def marks(lane: Lane) -> dict[int, str]:
    return {int(frame): lane.mark(row) for row, frame in enumerate(lane.frames)}


# -- without a window --------------------------------------------------------------------------------------------
def test_lanes_say_what_each_frame_is(session):
    correct(session, 5)
    session.go(at(session, 3))
    session.set_state("accepted")
    timeline = Timeline()
    timeline.follow(session)
    first, second = timeline.lanes
    assert (first.side, second.side, timeline.span()) == ("right", "left", (0, COUNT))
    seen = marks(first)
    assert not set(GAP) & set(seen) and {seen[k] for k in BRIDGED} == {"bridged"}
    assert (seen[3], seen[5], seen[6]) == ("accepted", "corrected", "proposed")
    assert [int(frame) for frame in first.frames[first.doubtful]] == [8, 12, *BRIDGED, JUMPED]
    assert timeline.words().startswith("frame 3 · 0.30 s · track 1 (right) · accepted")


def test_what_is_done_is_seen_at_once_and_undo_goes_back(session):
    from annotator.tracking import propagate

    timeline = Timeline()
    correct(session, 5)
    timeline.follow(session)
    propagate(session.project, session.hand.id, "forward")
    session.read_queue()
    timeline.follow(session)
    assert [marks(timeline.lanes[0])[k] for k in (4, 5, 6)] == ["proposed", "corrected", "propagated"]
    session.undo()  # all of the propagation is one step
    timeline.follow(session)
    seen = marks(timeline.lanes[0])
    assert "propagated" not in seen.values() and seen[5] == "corrected" and not session.project.propagated()
    session.redo()
    timeline.follow(session)
    assert marks(timeline.lanes[0])[6] == "propagated" and "labels carried over" in {
        step.words for step in _steps(session)
    }
    session.go(at(session, 6))
    session.set_state("accepted")
    timeline.follow(session)
    assert marks(timeline.lanes[0])[6] == "accepted"


def _steps(session):
    from annotator.project.overview.steps import steps_of

    return steps_of(session.project.recent())


def test_the_next_doubtful_frame_begins_a_stretch(session):
    timeline = Timeline()
    session.go(at(session, 0))
    timeline.follow(session)
    lane, row, found = timeline.lane, timeline.row, []
    while (row := lane.next_doubtful(row, 1)) is not None:
        found.append(int(lane.frames[row]))
    assert found == [8, BRIDGED[0], JUMPED]  # a gap's two sides are one stretch
    back = lane.next_doubtful(len(lane.entries) - 1, -1)
    assert int(lane.frames[back]) == JUMPED and lane.next_doubtful(0, -1) is None


def test_a_range_ends_at_what_was_judged_and_leaves_out_what_nobody_saw(session):
    session.go(at(session, 6))
    session.set_state("accepted")
    session.go(at(session, 19))
    timeline = Timeline()
    timeline.follow(session)
    frames = [entry.frame for entry in timeline.lane.to_here(timeline.row)]
    assert frames == [7, 8, 12, 13, 14, 17, 18, 19]


def test_the_other_track_is_found_in_the_same_frame(session):
    timeline = Timeline()
    session.go(at(session, 10, 2))  # in the gap of the first
    timeline.follow(session)
    assert timeline.other_lane().frame in (8, 12)
    session.go(at(session, 0))
    timeline.follow(session)
    assert (timeline.other_lane().frame, timeline.neighbour(-1)) == (4, None)


def test_a_loose_photo_is_on_no_track(folder):
    session, timeline = Session.open(folder), Timeline()
    timeline.follow(session)
    assert not timeline.any_track and timeline.entry() is None and timeline.span() == (0, 1)
    timeline.follow(None)
    session.close()


def test_columns_lose_no_label_however_many_frames_there_are(session):
    """A single corrected frame of 18,000 is seen in a strip of 800 px."""
    entry = session.queue[0]
    import dataclasses

    entries = [
        dataclasses.replace(entry, id=str(k), number=k, frame=k, seconds=k / 30, corrections=int(k == 7777), reasons=())
        for k in range(18_000)
    ]
    lane = Lane.of(1, entries, frozenset())
    columns = lane.columns(0, 18_000, 800)
    at = int(7777 * 800 / 18_000)
    assert columns.marks[at] == CODE["corrected"] and (columns.marks == CODE["proposed"]).sum() == 799
    near = lane.columns(7770, 7790, 800)
    assert [count for _, count, mark in near.runs() if mark == "corrected"] == [40]
    assert lane.columns(7770, 7790, 7).marks.all()


@pytest.mark.parametrize("state", ["accepted", "rejected", "flagged"])
def test_a_verdict_is_the_mark_whatever_came_before(session, state):
    import dataclasses

    entry = dataclasses.replace(session.queue[0], state=state, corrections=3, reasons=("not seen",))
    assert mark_of(entry, propagated=True) == state


# -- in the window -----------------------------------------------------------------------------------------------
@pytest.fixture
def opened(widget, canvas, tracked, wait_until):
    widget.open_project(tracked)
    canvas()
    widget.session.go(at(widget.session, 5))
    widget._finish()
    yield widget
    widget.stop_playing()


def click(widget, frame: float, lane: int, request) -> None:
    from qtpy.QtCore import QPoint, Qt

    strip = widget.video.strip
    place = strip.lanes()[lane][1]
    x = int((strip.x_of(frame) + strip.x_of(frame + 1)) / 2)
    request.getfixturevalue("qtbot").mouseClick(strip, Qt.MouseButton.LeftButton, pos=QPoint(x, place.center().y()))


def test_the_strip_is_there_for_a_video_alone(widget, canvas, tracked, folder):
    canvas()
    widget.open_project(folder)
    assert not widget.video.isVisible()
    widget.open_project(tracked)
    assert widget.video.isVisible() and len(widget.video.strip.lanes()) == 2
    widget.open_project(folder)
    assert not widget.video.isVisible()


def test_a_click_goes_to_the_frame_of_that_track(opened, request):
    click(opened, 14, 0, request)
    assert opened.session.hand.photo.frame == 14 and opened.session.hand.side == "right"
    click(opened, 14, 1, request)
    assert opened.session.hand.photo.frame == 14 and opened.session.hand.side == "left" and opened.is_shown
    click(opened, GAP[1], 0, request)  # nothing is there
    assert opened.session.hand.photo.frame == 14 and "no hand in frame 10" in opened.status.text()


def nudged_here(widget, keys) -> tuple[str, np.ndarray]:
    """A person nudges the index tip by 2 px with real keys: (the hand's id, where the tip belongs)."""
    keys("2")
    widget._resting.setInterval(600_000)  # a busy machine presses keys slowly
    start = widget.layers.places[8].copy()
    keys("Left", "Left")
    assert widget.session.hand.version == 1  # not stored yet
    return widget.session.hand.id, start - (2, 0)


def test_a_nudge_is_stored_before_a_click_in_the_strip_goes_elsewhere(opened, keys, request):
    hand, place = nudged_here(opened, keys)
    click(opened, 14, 0, request)
    assert opened.session.hand.photo.frame == 14
    assert np.allclose(opened.session.project.mesh(hand).corrections[8], place)


@pytest.mark.parametrize("question", ["needs_you", "propagate_forward"])
def test_a_nudge_made_while_a_question_is_answered_is_stored(opened, keys, wait_until, question):
    correct(opened.session, 5)
    opened.session.go(at(opened.session, 6 if question == "needs_you" else 5))
    opened._finish()
    before = opened.session.hand.version
    opened.act(question)
    keys("0")
    opened._resting.setInterval(600_000)
    start, hand = opened.layers.places[0].copy(), opened.session.hand.id
    keys("Left")
    wait_until(lambda: "begin with" in opened.status.text() or "labels carried to" in opened.status.text())
    assert np.allclose(opened.session.project.mesh(hand).corrections[0], start - (1, 0))
    assert opened.session.project.hand(hand).version == before + 1


def test_keys_step_through_the_track(opened, keyboard):
    keyboard("ff", "Control")
    assert opened.session.hand.photo.frame == 7
    keyboard("d", "Control")
    assert opened.session.hand.photo.frame == 6
    opened.act("next_doubtful")
    assert opened.session.hand.photo.frame == 8 and "gap" in opened.status.text()
    opened.act("next_frame")
    assert opened.session.hand.photo.frame == 12 and "3 frames without this hand" in opened.status.text()
    opened.act("other_track")
    assert (opened.session.hand.side, opened.session.hand.photo.frame) == ("left", 12)
    opened.session.go(at(opened.session, 0))
    opened.act("previous_frame")
    assert opened.session.hand.photo.frame == 0 and "first frame" in opened.status.text()


def test_it_plays_with_the_mesh_and_stops_where_a_person_stops_it(opened, wait_until):
    shown = []
    opened.session.listeners.append(lambda: shown.append(opened.layers.hand is opened.session.mesh))
    opened.act("play")
    wait_until(lambda: len(shown) >= 4)
    assert opened.video.buttons["play"].text() == "■ Stop"
    opened.act("play")
    here = opened.session.hand.id
    assert not opened.playing and all(shown) and opened.session.hand.photo.frame >= 8
    opened._finish()
    assert opened.session.hand.id == here and opened.is_shown
    opened.act("play")
    opened.act("flag")  # a verdict is on the frame that is seen, and stops it
    assert not opened.playing
    opened.session.go(at(opened.session, COUNT - 2))
    opened.act("play")
    wait_until(lambda: not opened.playing)
    assert opened.session.hand.photo.frame == COUNT - 1


def test_labels_are_carried_and_taken_back_by_one_undo(opened, wait_until):
    opened.act("propagate_forward")
    assert "nothing to carry" in opened.status.text()
    correct(opened.session, 5)
    opened.act("propagate_forward")
    wait_until(lambda: "labels carried to" in opened.status.text())
    opened._finish()
    lane = opened.video.timeline.lanes[0]
    assert marks(lane)[6] == "propagated" and marks(lane)[4] == "proposed"
    opened.act("undo")
    opened._finish()
    assert "propagated" not in marks(opened.video.timeline.lanes[0]).values()
    opened.session.go(at(opened.session, 5))
    opened.act("propagate_backward")
    wait_until(lambda: "labels carried to 5 hands, frames 0 to 4" in opened.status.text())


def test_the_frame_that_needs_a_person_is_gone_to(opened, wait_until):
    opened.act("needs_you")
    wait_until(lambda: "begin with" in opened.status.text())
    assert f"frame {opened.session.hand.photo.frame} of track" in opened.status.text()


def test_a_range_is_accepted_after_a_question_and_undone_as_one(opened, wait_until):
    from qtpy.QtWidgets import QApplication, QMessageBox, QPushButton

    opened.act("accept_to_here")
    boxes = [w for w in QApplication.topLevelWidgets() if isinstance(w, QMessageBox) and w.isVisible()]
    next(button for button in boxes[0].findChildren(QPushButton) if button.text() == "Accept 6").click()
    wait_until(lambda: "6 hands accepted" in opened.status.text())
    opened._finish()
    assert {marks(opened.video.timeline.lanes[0])[k] for k in range(6)} == {"accepted"}
    opened.act("undo")
    with Project.open(opened.session.project.folder) as project:
        assert not project.hands("accepted")


def test_the_wheel_zooms_at_the_mouse_and_the_frame_stays_in_sight(opened):
    strip = opened.video.strip
    strip.look(0, 12)
    assert (strip.first, strip.last) == (0, 12)
    opened.session.go(at(opened.session, 20))
    opened._finish()
    assert strip.first <= 20 < strip.last and strip.last - strip.first == 12
    strip.look(-100, 1e9)
    assert (strip.first, strip.last) == (0, COUNT)


def test_pictures_of_frames_come(opened, wait_until):
    strip = opened.video.strip

    def colours():
        image = strip.grab().toImage()
        places = ((x, y) for x in range(62, image.width(), 3) for y in range(16, image.height(), 2))
        return {image.pixelColor(*place).name() for place in places}

    wait_until(lambda: len(colours()) > 50)
    assert "#5b7083" in colours()
    assert np.isfinite(strip.frame_at(100))
