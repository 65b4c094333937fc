"""The first screen, the tour, the page of progress, and photos of which little can be seen."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from annotator.project import Project, Provenance

pytest.importorskip("napari")
pytest.importorskip("qtpy.QtWidgets")

from napari_hand_mesh.canvas.tones import Tones  # noqa: E402
from napari_hand_mesh.docks.pages.progress_page import ProgressPage  # noqa: E402
from napari_hand_mesh.jobs.progress import Progress  # noqa: E402


def test_the_tour_goes_on_by_what_is_done_and_is_left_and_called_again(widget, folder, wait_until, keyboard, canvas):
    canvas()  # the window is on the screen
    widget.files["Tour"].click()
    tour = widget._tour
    assert tour.isVisible() and "Photos …" in tour.words.text() and tour._frame.isVisible()
    room = tour.parentWidget()
    assert tour.x() >= 0 and tour.geometry().bottom() <= room.height()
    widget.open_project(folder)
    assert tour.words.height() >= tour.words.heightForWidth(tour.words.width())  # nothing is cut off
    wait_until(lambda: tour.at == 2)  # a project is open and a hand is there
    assert not tour._frame.isVisible()  # it would hide the photo
    widget.session.drop(8, tuple(widget.session.mesh.keypoints[8] + 5))
    wait_until(lambda: tour.at == 3)
    frame = tour._frame.geometry()
    button = widget.verdicts.buttons["accept"]
    assert frame.contains(button.mapTo(button.window(), button.rect().center()))
    keyboard("e")
    wait_until(lambda: tour.at == 4)
    tour.leave.click()
    assert widget._tour is None
    widget.files["Tour"].click()
    for _ in range(6):
        widget._tour.next.click()
    assert widget._tour is None and widget.session.hand.version == 1


def test_the_first_screen_opens_samples_by_a_click(widget, monkeypatch):
    asked = []
    monkeypatch.setattr(type(widget), "propose_on", lambda _self, files, project: asked.append(list(files)))
    assert "sample photos" in widget.what.text() and "Tour" in widget.what.text()
    widget.what.linkActivated.emit("samples")
    assert len(asked[0]) >= 10


def test_progress_counts_who_did_what_and_not_what_was_undone(folder):
    with Project.open(folder, who="anna") as project:
        first, second, third = (entry.id for entry in project.hands())
        mesh = project.mesh(first)
        moved = mesh.replace(corrections={8: tuple(mesh.keypoints[8] + 3)})
        project.edit(first, moved, {8: "corrected"}, None, {"joint": "index_tip", "seconds": 30})
        project.set_state(first, "accepted", None, {"state": "accepted", "seconds": 60})
        project.set_state(second, "rejected", None, {"state": "rejected", "seconds": 500})
        project.undo()
    with Project.open(folder, who="ben") as project:
        project.set_state(second, "accepted", None, {"state": "accepted", "seconds": 30})
    found = Progress.read(folder)
    assert (found.total, found.left, found.corrected, found.states["accepted"]) == (3, 1, 1, 2)
    anna, ben = found.people
    assert (anna.name, anna.judged, anna.labels, anna.seconds) == ("anna", 1, 1, 90)
    assert (ben.judged, ben.labels, ben.hour) == (1, 0, None) and anna.hour == pytest.approx(40)
    assert dict(found.spent) == {"verdicts: looking and deciding": 90, "moving keypoints: index": 30}
    assert sum(count for _, count in found.over_time) == 2
    assert "60 s a hand so far: what is left takes about 60 s" in found.words()


def test_the_page_of_progress_shows_what_was_done(widget, folder, wait_until, keyboard):
    widget.open_project(folder)
    keyboard("e")
    widget.files["Progress"].click()

    def page():
        return next((one for one in widget.findChildren(ProgressPage) if one.isVisible()), None)

    wait_until(lambda: page() is not None)
    assert "1 of 3 hands judged" in page().told.text()
    image = page().grab().toImage()
    colours = {image.pixelColor(x, y).name() for x in range(0, image.width(), 2) for y in range(0, image.height(), 2)}
    assert "#3f9f7f" in colours  # a bar


def test_a_picture_of_12_bits_that_uses_few_of_them_is_spread_by_a_click(widget, tmp_path, make_hand):
    grey = (900 + 200 * np.linspace(0, 1, 640)[None] * np.ones((480, 1))).astype(np.uint16)  # of 4096
    Image.fromarray(grey).save(tmp_path / "dull.png")
    with Project.create(tmp_path / "project") as project:
        project.add_proposals(project.add_photo(tmp_path / "dull.png"), [make_hand(1)], Provenance("test", "d" * 64))
    widget.open_project(tmp_path / "project")
    before = np.ptp(widget.layers.photo.data.astype(int))
    widget.picture.stretched.emit()
    after = np.ptp(widget.layers.photo.data.astype(int))
    assert before < 20 and after > 2.5 * before
    assert np.ptp(widget.session.photo.astype(int)) == before  # nothing but what is shown
    wide = np.linspace(0, 255, 4096).astype(np.uint8).reshape(64, 64)[..., None].repeat(3, 2)
    assert np.abs(Tones.stretching(wide).of(wide).astype(int) - wide).max() < 8


def test_the_status_line_offers_no_keys_that_do_something_else_here(widget, folder, viewer):
    widget.open_project(folder)
    viewer.help = "use <2> for add points"
    assert viewer.help == ""
    viewer.layers.selection.active = widget.layers.mesh
    assert viewer.help == ""
