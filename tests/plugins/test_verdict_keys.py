"""Keys judge where they are meant to, and what was typed or judged too fast is taken back."""

from __future__ import annotations

import pytest

pytest.importorskip("napari")
pytest.importorskip("qtpy.QtWidgets")

from napari_hand_mesh.docks.frame import typing  # noqa: E402
from napari_hand_mesh.session import verdicts  # noqa: E402
from window_steps import settled  # noqa: E402


def test_keys_typed_elsewhere_judge_nothing(widget, folder, keyboard, wait_until, canvas, monkeypatch):
    monkeypatch.setattr(typing, "TEXT", 60.0)  # s: a busy machine types slowly
    widget.open_project(folder)
    settled(widget, wait_until)
    session = widget.session
    widget.search.setFocus()
    keyboard("freihand")
    assert {entry.state for entry in session.project.hands()} == {"proposed"}
    assert widget.search.text() == "freihand"
    widget.asking.setFocus()  # the button of a form that did not open
    keyboard("fert")
    assert {entry.state for entry in session.project.hands()} == {"proposed"}
    canvas().setFocus()
    keyboard("handmesher")  # letters that are no keys of ours: this is being typed
    assert {entry.state for entry in session.project.hands()} == {"proposed"}
    assert "typed" in widget.status.text()
    widget.typing.forget()
    keyboard("e")
    assert session.project.hand("signing-0153-1").state == "accepted"


def test_verdict_keys_work_from_the_queue_and_the_canvas(widget, folder, keyboard, wait_until, canvas):
    widget.open_project(folder)
    settled(widget, wait_until)
    widget.queue.table.setFocus()
    keyboard("e")
    canvas().setFocus()
    keyboard("r")
    states = {entry.id: entry.state for entry in widget.session.project.hands()}
    assert states["signing-0153-1"] == "accepted" and states["signing-0153-2"] == "rejected"


def test_a_burst_of_verdicts_is_shown_and_taken_back_as_one(widget, folder, keyboard, wait_until, mouse, monkeypatch):
    monkeypatch.setattr(verdicts, "WITHIN", 60.0)  # s: a busy machine judges slowly
    widget.open_project(folder)
    settled(widget, wait_until)
    session = widget.session
    keyboard("ere")
    states = {entry.id: entry.state for entry in session.project.hands()}
    assert sorted(states.values()) == ["accepted", "accepted", "rejected"]
    assert widget.verdicts.burst.isVisible() and "3 verdicts" in widget.verdicts.burst.text()
    widget.verdicts.burst.click()
    assert {entry.state for entry in session.project.hands()} == {"proposed"}
    assert session.hand.id == "signing-0153-1" and not widget.verdicts.burst.isVisible()


def test_verdicts_of_letters_that_were_typed_fast_are_taken_back(widget, folder, keyboard, wait_until, monkeypatch):
    monkeypatch.setattr(typing, "FAST", 60.0)
    monkeypatch.setattr(verdicts, "WITHIN", 60.0)
    widget.open_project(folder)
    settled(widget, wait_until)
    keyboard("reh")  # two verdicts, then a letter that is no key of ours: "rehearsal"
    assert {entry.state for entry in widget.session.project.hands()} == {"proposed"}
    assert "typed" in widget.status.text()
