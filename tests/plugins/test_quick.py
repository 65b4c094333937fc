"""What the window does not do: paint twice, lay out anew, compile, collect. In a real window."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

pytest.importorskip("napari")
pytest.importorskip("qtpy.QtWidgets")

from napari_hand_mesh import showing  # noqa: E402
from napari_hand_mesh.docks import history  # noqa: E402
from napari_hand_mesh.session.video.lanes import Lane  # noqa: E402
from qtpy.QtCore import QEvent, QObject  # noqa: E402
from qtpy.QtWidgets import QApplication, QMainWindow  # noqa: E402
from small_tracks import tracked_project  # noqa: E402

from annotator.project import Project, Provenance  # noqa: E402


class Events(QObject):
    """Counts what Qt sends while it is watched. of: (type of the event, class of the receiver) -> how often."""

    def __init__(self):
        super().__init__()
        self.of: dict[tuple[str, str], int] = {}

    def eventFilter(self, watched, event) -> bool:  # noqa: N802
        names = {QEvent.Type.Paint: "paint", QEvent.Type.LayoutRequest: "layout"}
        if event.type() in names:
            kind = "QMainWindow" if isinstance(watched, QMainWindow) else type(watched).__name__
            self.of[names[event.type()], kind] = self.of.get((names[event.type()], kind), 0) + 1
        return False


@pytest.fixture
def watched(qtbot):
    """watched(call): `Events` while it runs and until Qt has rested for a while."""

    def watch(call):
        events = Events()
        qtbot.wait(600)
        QApplication.instance().installEventFilter(events)
        call()
        qtbot.wait(600)
        QApplication.instance().removeEventFilter(events)
        return events.of

    return watch


@pytest.fixture
def tracked(canvas, widget, own_cache, tmp_path, photo_file, make_hand, hand_model):
    widget.open_project(tracked_project(tmp_path / "tracked", photo_file, make_hand, hand_model))
    return widget


def test_a_frame_paints_the_canvas_once(tracked, canvas, watched):
    name = type(canvas()).__name__
    for _ in range(3):
        zoom = tracked.layers.camera.zoom
        assert watched(lambda: tracked.act("next_frame"))["paint", name] == 1
        assert tracked.layers.camera.zoom != zoom  # each hand fills the canvas


def test_a_frame_puts_the_window_together_once(tracked, watched, monkeypatch):
    monkeypatch.setattr(showing, "STAYED", 60_000)
    for pictures in (tracked.queue.model.thumbnails, tracked.video.strip.thumbnails):
        pictures.stop()  # they are painted when they come
    tracked.act("next_frame")
    for _ in range(3):
        assert watched(lambda: tracked.act("next_frame"))["paint", "QMainWindow"] == 1
        assert tracked.side.hand is tracked.session.mesh  # the docks are of the new frame by then
        assert f"frame {tracked.video.timeline.entry().frame} " in tracked.video.where.text()


def test_why_to_look_is_asked_once_somebody_stays(tracked, monkeypatch, wait_until):
    asked = []
    monkeypatch.setattr(showing, "STAYED", 60_000)
    why = tracked.session.why
    monkeypatch.setattr(tracked.session, "why", lambda *given: asked.append(tracked.session.hand.id) or why(*given))
    for _ in range(5):
        tracked.act("next_frame")
        QApplication.processEvents()
    assert not asked and tracked.session.hand.id in tracked.what.text()
    monkeypatch.setattr(showing, "STAYED", 50)
    tracked.act("next_frame")
    wait_until(lambda: "Why look: " in tracked.what.text())
    assert asked == [tracked.session.hand.id]


def test_looking_at_another_hand_lists_no_steps_anew(widget, folder, monkeypatch, wait_until):
    widget.open_project(folder)
    listed = []
    steps_of = history.steps_of
    monkeypatch.setattr(history, "steps_of", lambda events: listed.append(1) or steps_of(events))
    widget.act("next_open")
    widget._finish()
    assert not listed
    widget.act("flag")
    widget._finish()
    assert listed and widget.history.steps[0].words == "flagged"
    widget.act("undo")
    widget._finish()
    assert widget.history.steps[0].undone


def test_the_strip_is_drawn_anew_only_where_something_changed(tracked, monkeypatch, wait_until, qtbot):
    calls = []
    of_columns = Lane.columns
    monkeypatch.setattr(Lane, "columns", lambda *given: calls.append(len(calls)) or of_columns(*given))

    def drawn_for_a_while():
        count = len(calls)
        qtbot.wait(1000)
        return len(calls) > count

    while drawn_for_a_while():  # its pictures come
        pass
    calls.clear()
    before = tracked.video.strip.grab().toImage()
    tracked.act("next_frame")
    qtbot.wait(300)
    assert tracked.video.strip.grab().toImage() != before  # the person's place is another
    assert not calls
    tracked.act("accept")
    wait_until(lambda: bool(calls))


def test_a_drag_compiles_no_program(widget, folder, canvas, mouse, monkeypatch, qtbot):
    from vispy.gloo import glir

    widget.open_project(folder)
    camera = widget.layers.camera
    start = widget.session.mesh.keypoints[8].copy()

    def drag(by):
        mouse("move", start, camera)
        mouse("press", start, camera)
        for part in np.linspace(0.2, 1, 5):
            mouse("move", start + np.array(by) * part, camera)
        mouse("release", start + np.array(by), camera)
        qtbot.wait(300)

    drag((30.0, 0.0))  # lines to the mesh are drawn for the first time
    start = widget.layers.places[8].copy()
    linked = []
    link = glir.GlirProgram.link_program
    monkeypatch.setattr(glir.GlirProgram, "link_program", lambda self: linked.append(self) or link(self))
    version = widget.session.hand.version
    drag((-8.0, 6.0))
    assert widget.session.hand.version == version + 1 and not linked


def test_words_lay_out_nothing(widget, folder, canvas, watched):
    widget.open_project(folder)
    words = iter("ab")

    def speak():
        widget.say(f"something quite long that was not said before {next(words)}")
        widget.what.setText(f"<b>other</b><br>words after {widget.status.text()}")
        widget.video.where.setText(f"somewhere else in the video {widget.status.text()}")

    watched(speak)  # whatever else is to be laid out after opening is
    seen = watched(speak)
    assert seen["paint", "QLabel"] >= 2 and ("layout", "QMainWindow") not in seen
    assert seen["paint", "QMainWindow"] == 1  # all that is round them, and not again


def test_a_bar_waits_for_the_next_painting(widget, folder, canvas, qtbot):
    widget.open_project(folder)
    qtbot.wait(300)
    events = Events()
    QApplication.instance().installEventFilter(events)
    widget.queue.progress.show_part(2, 3)
    assert widget.queue.progress.value() == 2 and not events.of
    qtbot.wait(300)
    QApplication.instance().removeEventFilter(events)
    assert events.of["paint", "Progress"] == 1


def test_opening_collects_nothing(widget, folder):
    collected = []

    def note(phase, about):
        if phase == "start":
            collected.append(about)

    widget.open_project(folder)  # imports are done
    widget.close_project()
    gc.callbacks.append(note)
    try:
        widget.open_project(folder)
    finally:
        gc.callbacks.remove(note)
    # but the youngest once, when it may again
    assert [about["generation"] for about in collected] in ([], [0]) and gc.isenabled()


def test_pictures_that_come_together_are_shown_together(widget, folder, qtbot):
    widget.open_project(folder)
    thumbnails, told = widget.queue.model.thumbnails, []
    qtbot.wait(500)
    thumbnails.came.connect(told.append)
    thumbnails.start(folder)  # nothing is known of them any more
    for entry in widget.session.queue:
        thumbnails.pixmap(entry)
    qtbot.waitUntil(lambda: sum(map(len, told)) >= 3, timeout=30_000)
    assert {hand for hands in told for hand in hands} == {entry.id for entry in widget.session.queue}
    assert len(told) < 3


@pytest.fixture
def found(widget, tmp_path, photo_file, make_hand):
    """A widget with an empty project, in which a photo's two hands have just been found."""
    Project.create(tmp_path / "empty").close()
    widget.open_project(tmp_path / "empty")
    with Project.open(tmp_path / "empty") as other:
        hands = [make_hand(1).replace(confidence=0.3), make_hand(2, "left").replace(confidence=0.5)]
        other.add_proposals(other.add_photo(photo_file), hands, Provenance("test", "d" * 64))
    return widget


def test_a_key_pressed_while_the_first_hand_comes_judges_nothing(found):
    found._proposed_some(1, 2, 2, "")
    while found.session.hand is None:
        found._go_on()
    found._go_on()
    assert not found.is_shown  # the mesh is there, the rest comes
    first = found.session.hand.id
    found.act("accept")
    assert found.is_shown and (found.session.hand.id, found.session.hand.state) == (first, "proposed")
    found.act("accept")
    assert found.session.hand_queue.entry(first).state == "accepted"


def test_the_first_hand_comes_in_steps(found, monkeypatch):
    widget = found
    steps, session, layers = [[]], widget.session, widget.layers
    slow = ((session, "go"), (layers, "show_photo"), (layers, "place"), (layers, "show"), (layers, "show_others"))

    def noted(name, of):
        return lambda *given, **more: (steps[-1].append(name), of(*given, **more))[1]

    for owner, name in slow:
        monkeypatch.setattr(owner, name, noted(name, getattr(owner, name)))
    widget._proposed_some(1, 2, 2, "")
    while not widget._shown[0]:
        assert len(steps) < 20
        steps.append([])
        widget._go_on()
    assert widget.is_shown
    first = [next(at for at, names in enumerate(steps) if name in names) for _, name in slow]
    assert len(set(first)) == len(slow), steps


def test_looking_is_no_news(widget, folder):
    widget.open_project(folder)
    queue = widget.session.hand_queue
    heard = len(queue.news)
    widget.act("next_open")
    assert len(queue.news) == heard
    widget.act("accept")
    assert len(queue.news) > heard
