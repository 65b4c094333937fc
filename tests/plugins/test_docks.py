"""Queue and history docks, the layout that is kept, and the page of keys."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from annotator.project import Project

pytest.importorskip("napari")
pytest.importorskip("qtpy.QtWidgets")

from napari_hand_mesh.session import keys  # noqa: E402
from napari_hand_mesh.session.navigation import place  # noqa: E402
from napari_hand_mesh.session.session import Session  # noqa: E402

from annotator.project.overview.steps import steps_of, words_of  # noqa: E402

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_steps_say_what_was_done_and_what_is_undone(folder):
    session = Session.open(folder)
    session.set_joint_state("thumb_tip", "occluded")
    session.drop(8, tuple(session.mesh.keypoints[8] + (6, -4)))
    session.undo()
    session.undo()
    session.redo()
    session.confirm_all()  # the moved index tip cannot be redone any more
    session.go("signing-0180-1")
    session.delete()
    seen = [(step.hand, step.words, step.undone) for step in steps_of(session.project.recent())]
    assert seen == [
        ("signing-0180-1", "deleted", False),
        ("signing-0153-1", "20 keypoints confirmed", False),
        ("signing-0153-1", "index tip moved", True),
        ("signing-0153-1", "thumb tip occluded", False),
    ]
    assert len(session.project.recent(3)) == 3
    session.close()


@pytest.mark.parametrize("note", [{}, {"joint": 3}, {"states": {}}, {"states": "all"}, {"state": None}])
def test_a_note_of_another_program_is_no_obstacle(note):
    assert words_of("edit", note) == "changed" and words_of("state", note) == "judged"


def test_thumbnails_and_reasons_arrive_from_their_thread(widget, folder, wait_until):
    widget.open_project(folder)
    model = widget.queue.model
    first = model.entry(0)
    wait_until(lambda: model.thumbnails.pixmap(first) is not None)
    wait_until(lambda: model.thumbnails.reason(first) not in (None, ""))
    assert model.thumbnails.reason(first) == widget.session.why(first.id)
    image = model.thumbnails.pixmap(first).toImage()
    mean = np.mean([image.pixelColor(x, y).lightness() for x in range(0, 40, 5) for y in range(0, 40, 5)])
    assert 20 < mean < 235  # a photo, not a blank
    widget.close_project()
    assert model.rowCount() == 0


def test_a_photo_that_is_gone_leaves_the_queue_usable(widget, folder, wait_until):
    widget.open_project(folder)
    with Project.open(folder) as project:
        entry = project.hands()[-1]
    moved = Path(entry.photo)
    model = widget.queue.model
    model.thumbnails.start(folder)
    gone = dataclasses.replace(entry, photo=str(moved.with_name("gone.jpg")))
    wait_until(lambda: model.thumbnails.reason(gone) is not None)
    assert model.thumbnails.pixmap(gone) is None


def test_the_layout_of_the_window_comes_back(widget, folder):
    widget.viewer.window.show()
    widget.open_project(folder)
    dock = widget.history.parentWidget()
    assert dock.isVisibleTo(widget.window())
    dock.hide()
    widget.close_project()
    dock.show()
    widget.open_project(folder)
    assert not dock.isVisibleTo(widget.window())
    widget.close_project()
    for damaged in (
        {"window": 3},
        {"window": "%%%"},
        {"window": "AAAA"},
        {"camera": []},
        {"filter": 3},
        {"opacity": "much"},
    ):
        place.note(folder, **damaged)
        widget.open_project(folder)
        assert widget.session.hand is not None
        widget.close_project()


def test_the_form_of_an_export_names_a_new_folder(widget, folder):
    from napari_hand_mesh.files import ExportDialog

    widget.open_project(folder)
    dialog = ExportDialog(folder.parent, widget)
    assert (dialog.format, dialog.folder) == ("freihand", folder.parent / "export-freihand")
    assert dialog.strained is False
    dialog.form.strained.value = True
    assert dialog.strained is True
    dialog.form.kind.value = "parquet"
    assert (dialog.format, dialog.folder) == ("parquet", folder.parent / "export-parquet")
    dialog.close()


def test_the_page_of_keys_is_current():
    page = (DOCS / "keys.md").read_text(encoding="utf-8")
    assert page == keys.page(), "write it anew: python -m napari_hand_mesh.session.keys > docs/keys.md"
    said = subprocess.run(
        [sys.executable, "-m", "napari_hand_mesh.session.keys"], capture_output=True, text=True, check=True
    )
    assert said.stdout == page


def test_all_keys_are_under_the_left_hand():
    """But those of the group `keys`, which take the mouse's place, and the space bar, which is held."""
    left = {*"QWERTASDFGZXCVB12345", "Space"}
    for action in keys.ACTIONS:
        if action.group == "keys":
            continue
        assert action.key.split("-")[-1] in left, action
        assert set(action.key.split("-")[:-1]) <= {"Shift", "Control"}
