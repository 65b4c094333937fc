"""Several cameras in a real window: photos beside the canvas, epipolar lines in them, one mesh moved in all."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from PIL import Image
from small_rigs import proposal, rig_of

pytest.importorskip("napari")
pytest.importorskip("qtpy.QtWidgets")

from napari_hand_mesh.docks.frame.layout import dock_of  # noqa: E402
from napari_hand_mesh.session.session import Session  # noqa: E402

from annotator.correcting.views import join  # noqa: E402
from annotator.errors import InputError  # noqa: E402
from annotator.hand.mesh import HandParameters  # noqa: E402
from annotator.project import Project, Provenance  # noqa: E402


@pytest.fixture
def rig():
    return rig_of(3)


@pytest.fixture
def instant_folder(tmp_path, rig, hand_model, photo_file, make_hand):
    """A project: an instant of three cameras with one hand, least sure and so first, and a photo of its own."""
    random = np.random.default_rng(3)
    pose = random.normal(0, 0.12, (16, 3))
    first = HandParameters(pose, np.zeros(10), np.zeros(3), np.zeros((hand_model.offset_count, 3)))
    world = hand_model.joints(hand_model.vertices(first))
    world -= world.mean(axis=0)
    there = {n: [proposal(rig[n], hand_model, world, pose, np.zeros(10), "right", random, 2.0)] for n in rig}
    (hand,) = join(there, rig, hand_model, dict.fromkeys(rig, (480, 640)))
    views = {name: view.replace(confidence=0.2) for name, view in hand.views.items()}
    with Project.create(tmp_path / "project") as project:
        ids = {}
        for at, name in enumerate(rig):
            path = tmp_path / f"one-{name}.png"
            Image.fromarray(random.integers(60, 90 + 40 * at, (480, 640, 3)).astype(np.uint8)).save(path)
            ids[name] = project.add_photo(path)
        project.add_rig(rig, "studio")
        project.set_instants("studio", {"one": ids})
        project.add_instant(project.instants()[0], [hand.replace(views=views)], Provenance("test", "m" * 64))
        alone = project.add_photo(photo_file)
        project.add_proposals(alone, [make_hand(1).replace(confidence=0.9)], Provenance("test", "d" * 64))
    return tmp_path / "project"


def settled(widget, wait_until):
    wait_until(lambda: not widget._later.isActive())


def test_the_other_photos_are_beside_the_canvas_and_a_click_goes_there(
    widget, instant_folder, canvas, request, wait_until
):
    from qtpy.QtCore import QPoint, Qt

    qtbot = request.getfixturevalue("qtbot")
    canvas()
    widget.open_project(instant_folder)
    settled(widget, wait_until)
    session = widget.session
    assert session.is_together and session.camera == "cam0" and session.instant.moment == "one"
    assert not dock_of(widget.views).isHidden() and list(widget.views.views) == ["cam1", "cam2"]
    assert "one · cam0" in widget.views.where.text() and "px off" in widget.views.where.text()
    wait_until(lambda: widget.views.views["cam2"].isVisible())
    words = widget.views.views["cam2"].view.words
    assert words.startswith("cam2 · ") and words.endswith("px off")
    qtbot.mouseClick(widget.views.views["cam2"], Qt.MouseButton.LeftButton, pos=QPoint(20, 20))
    settled(widget, wait_until)
    assert session.camera == "cam2" and session.hand.id == session.one.hands["cam2"]
    assert list(widget.views.views) == ["cam0", "cam1"]
    alone = next(entry.id for entry in session.queue if "signing" in entry.id)
    session.go(alone)
    settled(widget, wait_until)
    assert dock_of(widget.views).isHidden() and not session.is_together and session.instant is None


def test_the_epipolar_line_of_the_joint_under_the_mouse_goes_through_that_joint(
    widget, instant_folder, rig, mouse, wait_until
):
    widget.open_project(instant_folder)
    settled(widget, wait_until)
    session, layers = widget.session, widget.layers
    mouse("move", layers.places[8], layers.camera)
    for camera, picture in widget.views.views.items():
        assert picture.joint == 8
        seen = rig[camera].project(rig["cam0"].to_world(session.mesh.joints[8]))  # on the line, through the lens
        line = picture.line[np.isfinite(picture.line).all(axis=1)]
        start, along = line[:-1], np.diff(line, axis=0)
        share = np.clip(((seen - start) * along).sum(1) / (along**2).sum(1), 0, 1)
        assert np.linalg.norm(start + share[:, None] * along - seen, axis=1).min() < 2.0
        assert len(line) > 5
        shown = picture.grab().toImage()
        pink = [
            shown.pixelColor(x, y).getRgb()[:3] for x in range(0, shown.width()) for y in range(0, shown.height(), 3)
        ]
        assert any(r > 200 and g < 120 and b > 160 for r, g, b in pink)
    mouse("move", np.array([3.0, 3.0]), layers.camera)
    assert all(picture.joint is None and not len(picture.line) for picture in widget.views.views.values())


def test_a_drag_moves_the_one_mesh_in_all_photos_as_one_step(widget, instant_folder, mouse, wait_until):
    widget.open_project(instant_folder)
    settled(widget, wait_until)
    session, camera = widget.session, widget.layers.camera
    hands = dict(session.one.hands)
    before = {name: session.project.mesh(hand).vertices for name, hand in hands.items()}
    shown = {name: picture.keypoints.copy() for name, picture in widget.views.views.items()}
    start = widget.layers.places[8].copy()
    mouse("move", start, camera)
    mouse("press", start, camera)
    for part in (0.5, 1.0):
        mouse("move", start + np.array([22, -9]) * part, camera)
    assert all(np.abs(picture.keypoints - shown[name]).max() > 1 for name, picture in widget.views.views.items())
    assert session.hand.version == 1
    mouse("release", start + (22, -9), camera)
    settled(widget, wait_until)
    with contextlib.closing(Session.open(session.project.folder)) as other:  # on the disk
        for name, hand in hands.items():
            assert np.abs(other.project.mesh(hand).vertices - before[name]).max() > 1e-3
            assert bool(other.project.mesh(hand).corrections) == (name == "cam0")
    assert session.hand.joint_states[8] == "corrected" and session.hand.state == "in work"
    assert (
        widget.views.views["cam1"].view.mesh.vertices.tobytes()
        == session.project.mesh(hands["cam1"]).vertices.tobytes()
    )
    session.go_to_camera("cam1")
    settled(widget, wait_until)
    assert "1 label" in widget.views.views["cam0"].view.words
    place = tuple(widget.layers.places[12] + (4, 6))
    session.drop(12, place)
    assert session.mesh.corrections == {12: place}
    assert set(session.project.mesh(hands["cam0"]).corrections) == {8}
    widget.act("undo")
    widget.act("undo")
    after = {name: session.project.mesh(hand).vertices for name, hand in hands.items()}
    assert all(np.array_equal(after[name], before[name]) for name in before)
    widget.act("redo")
    assert all(np.abs(session.project.mesh(hand).vertices - before[name]).max() > 1e-3 for name, hand in hands.items())


def test_what_photos_say_already_is_not_said_by_hand(widget, instant_folder, wait_until):
    widget.open_project(instant_folder)
    settled(widget, wait_until)
    version = widget.session.hand.version
    widget.choose_joint(8)
    widget.press("nearer")
    assert "one mesh in 3 photos" in widget.status.text()
    with pytest.raises(InputError, match="cannot be pinned"):
        widget.session.drop(8, tuple(widget.layers.places[8]), exact=True)
    assert widget.session.hand.version == version
