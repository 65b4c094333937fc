"""One hand is current everywhere; a photo without one is shown bare."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

pytest.importorskip("napari")
pytest.importorskip("qtpy.QtWidgets")

from window_steps import pull, settled, shown_on_canvas  # noqa: E402

from annotator.project import Project, Provenance  # noqa: E402


def test_a_photo_without_a_hand_is_shown_whole_and_bare(widget, folder, wait_until, mouse, keyboard, sample_photos):
    bare = next(path for path in sample_photos if path.name not in ("signing-0153.jpg", "signing-0180.jpg"))
    with Project.open(folder) as project:
        project.add_photos([bare])
    widget.open_project(folder)
    settled(widget, wait_until)
    keyboard("q", "Shift")
    settled(widget, wait_until)
    session, layers = widget.session, widget.layers
    assert session.hand is None and session.at.path.name == bare.name
    assert not layers.points.shown.any() and not layers.mesh.data.any() and not layers.skeleton.data.any()
    assert np.array_equal(layers.photo.data, session.photo)
    height, width = session.photo.shape[:2]
    middle = layers.camera.center[-2:]
    assert np.allclose(middle, ((height - 1) / 2, (width - 1) / 2), atol=2)
    layers.camera.zoom /= 6  # whatever lay beside the photo is in sight
    screen = widget.viewer.screenshot(flash=False).astype(int)
    for layer in layers.all[1:]:
        layer.visible = False
    alone = widget.viewer.screenshot(flash=False).astype(int)
    assert (np.abs(screen - alone).max(2) > 10).sum() == 0  # the photo alone, to the last pixel
    keyboard("w")
    settled(widget, wait_until)
    assert shown_on_canvas(widget)


def test_a_photo_that_is_zoomed_into_is_whole_again_when_its_hand_is_gone(widget, folder, wait_until, keyboard):
    widget.open_project(folder)
    widget.session.go("signing-0180-1")
    settled(widget, wait_until)
    zoomed = widget.layers.camera.zoom
    keyboard("r", "Shift")  # it is no hand
    keyboard("q", "Shift")
    assert widget.session.hand is None and widget.session.at.path.name == "signing-0180.jpg"
    assert widget.layers.camera.zoom < zoomed


def test_a_photo_whose_only_hand_was_rejected_is_not_without_a_hand(widget, folder, wait_until, keyboard):
    widget.open_project(folder)
    widget.session.go("signing-0180-1")
    settled(widget, wait_until)
    keyboard("r")  # rejected: somebody looked at it, there is a hand
    keyboard("q", "Shift")
    assert widget.session.hand is not None
    widget.session.go("signing-0180-1")
    keyboard("r", "Shift")
    assert "rejected already" in widget.status.text()
    keyboard("z", "Control")
    keyboard("r", "Shift")  # deleted: there is none
    keyboard("q", "Shift")
    assert widget.session.hand is None and widget.session.at.path.name == "signing-0180.jpg"


def test_everything_names_the_new_hand_as_soon_as_another_project_is_open(
    widget, folder, tmp_path, make_hand, sample_photos, mouse, wait_until
):
    other = next(path for path in sample_photos if path.name not in ("signing-0153.jpg", "signing-0180.jpg"))
    with Project.create(tmp_path / "second") as project:
        project.add_proposals(project.add_photo(other), [make_hand(5)], Provenance("test", "d" * 64))
    widget.open_project(folder)
    settled(widget, wait_until)
    before = widget.side.picture.pixmap().toImage()
    widget.open_project(tmp_path / "second")  # and no turn of Qt's loop
    hand = widget.session.hand.id
    assert hand.startswith(other.stem) and hand in widget.what.text()
    assert widget.side.hand is widget.session.mesh and widget.side.picture.pixmap().toImage() != before
    assert widget.layers.hand is widget.session.mesh
    assert widget.queue.model.row_of(hand) == 0


def test_caption_and_side_view_never_speak_of_the_hand_before(widget, folder, wait_until, mouse, keyboard):
    widget.open_project(folder)
    settled(widget, wait_until)
    widget.session.next_open()  # and no turn of Qt's loop
    assert "signing-0153-2" in widget.what.text() and "signing-0153-1" not in widget.what.text()
    assert widget.side.hand in (None, widget.session.mesh)


def test_a_drag_ends_where_another_hand_comes(widget, folder, wait_until, mouse, keyboard, keys):
    widget.open_project(folder)
    keyboard("e")
    settled(widget, wait_until)
    begin_a_drag(widget, mouse)
    assert widget._magnifier.isVisible()
    keys("Z", held="Control")  # takes the verdict back and goes to its hand
    assert widget.session.hand.id == "signing-0153-1" and not widget._magnifier.isVisible()
    view = widget.layers.camera.center, widget.layers.camera.zoom
    mouse("move", (200, 500), widget.layers.camera)
    mouse("release", (200, 500), widget.layers.camera)
    assert (widget.layers.camera.center, widget.layers.camera.zoom) == view
    assert all(not widget.session.project.hand(entry.id).corrections for entry in widget.session.queue)
    pull(mouse, widget, widget.layers.places[4].copy(), (9, 6))
    assert set(widget.session.mesh.corrections) == {4}  # the next drag is one again


def test_a_drag_ends_where_another_project_is_opened(
    widget, folder, tmp_path, make_hand, sample_photos, mouse, wait_until
):
    with Project.create(tmp_path / "second") as project:
        project.add_proposals(project.add_photo(sample_photos[0]), [make_hand(5)], Provenance("test", "d" * 64))
    widget.open_project(folder)
    settled(widget, wait_until)
    begin_a_drag(widget, mouse)
    widget.open_project(tmp_path / "second")
    mouse("move", (200, 500), widget.layers.camera)
    mouse("release", (200, 500), widget.layers.camera)
    assert widget.session.hand.version == 1
    with Project.open(folder) as project:
        assert not any(project.hand(entry.id).corrections for entry in project.hands())


def begin_a_drag(widget, mouse):
    start, camera = widget.layers.places[8].copy(), widget.layers.camera
    for kind, by in (("move", 0), ("press", 0), ("move", 6), ("move", 12)):
        mouse(kind, start + by, camera)


def test_hands_whose_photos_are_gone_are_passed_over(widget, tmp_path, sample_photos, make_hand, wait_until, keyboard):
    files = [shutil.copy(photo, tmp_path / f"photo-{at}.jpg") for at, photo in enumerate(sample_photos[:4])]
    with Project.create(tmp_path / "project") as project:
        for at, file in enumerate(files):
            hand = make_hand(at + 1).replace(confidence=0.1 + 0.1 * at)
            project.add_proposals(project.add_photo(file), [hand], Provenance("test", "d" * 64))
    widget.open_project(tmp_path / "project")
    for file in files[1:3]:
        (tmp_path / file).unlink()
    settled(widget, wait_until)
    keyboard("e")
    assert widget.session.hand.id == "photo-3-1" and widget.session.project.hand("photo-0-1").state == "accepted"
    assert "2 hands were passed over" in widget.status.text() and "photo-1.jpg" in widget.status.text()
    settled(widget, wait_until)
    keyboard("q")  # nothing else waits that can be seen
    assert widget.session.hand.id == "photo-3-1" and "photo-2.jpg" in widget.status.text()
    widget.close_project()
    (tmp_path / files[3]).unlink()
    shutil.copy(sample_photos[1], files[1])
    widget.open_project(tmp_path / "project")  # the hand that was looked at last cannot be seen
    assert shown_on_canvas(widget) == "photo-1-1"
