"""The canvas under a real mouse, the side view with its photo, and photos in which no hand was found."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

pytest.importorskip("napari")
pytest.importorskip("qtpy.QtWidgets")

from napari_hand_mesh.canvas.side_picture import View, side_picture  # noqa: E402
from napari_hand_mesh.session.navigation.looking import covers, distance_to  # noqa: E402
from napari_hand_mesh.session.session import Session  # noqa: E402
from small_network import Network  # noqa: E402
from window_steps import answer, click, drag, press  # noqa: E402

from annotator.project import Project, Provenance  # noqa: E402
from annotator.vision.drawing.overlay import GREY, shade  # noqa: E402


@pytest.mark.parametrize("modifier", ["No", "Shift", "Control"])
def test_a_real_mouse_drags_a_keypoint_and_the_mesh_along(widget, folder, mouse, wait_until, modifier):
    def settled():  # sizes and symbols of markers come after the mesh
        wait_until(lambda: not widget._later.isActive())

    widget.open_project(folder)
    settled()
    session, camera = widget.session, widget.layers.camera
    first, start = session.mesh, session.mesh.keypoints[8]
    picture, canvas = np.array(widget.layers.mesh.data), widget.viewer.screenshot(flash=False).astype(int)
    mouse("move", start, camera)
    view = camera.center, camera.zoom
    mouse("press", start, camera, modifier)
    assert widget.dragging.dragged == 8
    for part in (0.3, 0.6, 1.0):
        mouse("move", start + np.array([13, -8]) * part, camera, modifier)
    assert not np.array_equal(widget.layers.mesh.data, picture) and session.hand.version == 1
    shown = widget.viewer.screenshot(flash=False)
    assert (np.abs(shown.astype(int) - canvas).max(2) > 40).sum() > 100  # the pixels on the screen, too
    mouse("release", start + (13, -8), camera, modifier)
    assert session.hand.version == 2 and (camera.center, camera.zoom) == view  # nothing of napari's own was done
    label = session.mesh.corrections[8]
    assert np.allclose(label, start + (13, -8), atol=1.5) and np.array_equal(widget.layers.points.data[8], label[::-1])
    apart = np.linalg.norm(session.mesh.keypoints[8] - label)
    assert apart < (0.1 if modifier == "Control" else np.linalg.norm(start - label))
    assert np.abs(session.mesh.vertices - first.vertices).max() > 1e-4
    assert session.hand.joint_states[8] == ("confirmed" if modifier == "Shift" else "corrected")
    press(widget.layers.points, "Control-Z")
    assert np.array_equal(session.mesh.vertices, first.vertices)
    assert np.array_equal(widget.layers.mesh.data, picture)
    mouse("move", np.array([2.0, 2.0]), camera)  # the finger under the mouse is brought out no more
    wait_until(lambda: widget.layers.brought_out is None)
    settled()
    assert (np.abs(widget.viewer.screenshot(flash=False).astype(int) - canvas).max(2) > 40).sum() < 20


def test_a_real_mouse_draws_a_box_of_the_side_that_was_chosen(widget, folder, mouse, make_hand, wait_until):
    widget.background.model = network = Network(make_hand)
    widget.open_project(folder)
    camera = widget.layers.camera
    widget.drawn.setCurrentText("left hand")
    press(widget.viewer, "Shift-X")
    low, high = widget.session.mesh.keypoints.min(0), widget.session.mesh.keypoints.max(0)
    before = camera.center
    mouse("press", low, camera)
    for part in (0.5, 1.0):
        mouse("move", low + (high - low) * part, camera)
    assert camera.center == before  # the photo stayed under the mouse
    mouse("release", high, camera)
    answer(widget, "Second hand")
    wait_until(lambda: widget.session.hand.id == "signing-0153-3")
    ((box, sides),) = network.asked
    assert sides == ["left"] and np.allclose(box, (*low, *high), atol=1.5)
    assert widget.session.mesh.side == "left"


def test_a_click_on_the_mesh_of_another_hand_goes_to_it(widget, folder):
    widget.open_project(folder)
    session = widget.session
    (other,) = session.others.values()
    flat = other.vertices @ other.camera.T
    flat = flat[:, :2] / flat[:, 2:]
    # a place on its surface that is far from this hand, and as far from its own bones as there is
    own = [distance_to(session.mesh, place) for place in flat]
    theirs = [distance_to(other, place) for place in flat]
    inner = [k for k in np.argsort(theirs)[::-1] if covers(other, flat[k]) and theirs[k] < own[k]]
    joints = session.mesh.keypoints
    place = next(flat[k] for k in inner if np.linalg.norm(joints - flat[k], axis=1).min() > 30)
    assert not covers(other, flat.max(0) + 50)
    click(widget.viewer, tuple(place))
    assert session.hand.id == "signing-0153-2"


def test_undo_and_redo_of_every_change_bring_back_the_same_mesh_and_states(widget, folder, make_hand, wait_until):
    widget.background.model = Network(make_hand)
    widget.open_project(folder)
    session = widget.session
    hand = session.hand.id

    def now():
        stored = session.project.hand(hand)
        return (
            stored.state,
            stored.side,
            stored.joint_states,
            dict(stored.corrections),
            session.project.mesh(hand).vertices.tobytes(),
        )

    def turned():
        press(widget.viewer, "Shift-C")
        wait_until(lambda: widget.depths.isVisibleTo(widget))
        widget.depths.list.setCurrentRow(1)
        widget.depths.take()

    def moved(modifiers=()):
        start = session.mesh.keypoints[8]
        list(drag(widget.viewer, [tuple(start), tuple(start + (6, -5)), tuple(start + (12, -8))], modifiers))

    def other_side():
        press(widget.viewer, "Shift-S")
        wait_until(lambda: session.hand.side == "left")

    steps = (
        turned, moved, lambda: moved(("Shift",)), lambda: session.set_joint_state(4, "occluded"),
        lambda: press(widget.viewer, "Shift-B"), other_side, lambda: press(widget.viewer, "Shift-R"),
    )  # fmt: skip
    seen = [now()]
    for step in steps:
        session.go(hand)
        step()
        seen.append(now())
    assert all(before != after for before, after in zip(seen, seen[1:], strict=False))
    for expected in seen[-2::-1]:
        press(widget.viewer, "Control-Z")
        assert now() == expected
    for expected in seen[1:]:
        press(widget.viewer, "Control-Shift-Z")
        assert now() == expected


# -- side view -------------------------------------------------------------------------------------------------


def test_from_the_front_the_side_view_is_the_photo_with_the_mesh_on_it(folder):
    with contextlib.closing(Session.open(folder)) as session:
        hand, photo, size = session.mesh, session.photo, 300
    view = View.of(hand, 0.0, 0.0, size)
    picture = side_picture(hand, photo, 0.0, 0.0, size)
    part = view.window.picture(photo)
    expected = shade(hand.vertices, hand.faces, view.window.matrix @ hand.camera, part, 0.85)
    difference = np.abs(picture.astype(int) - expected).mean(2)
    assert np.median(difference) <= 2 and np.percentile(difference, 95) < 12  # resampled once more
    seen = view.points(hand.joints) @ view.K.T
    assert np.allclose(seen[:, :2] / seen[:, 2:], view.window.points(hand.keypoints), atol=1e-6)


@pytest.mark.parametrize(("yaw", "pitch"), [(40, 0), (-50, 20), (0, 60)])
def test_the_card_stands_behind_the_hand_and_turns_with_it(folder, yaw, pitch):
    with contextlib.closing(Session.open(folder)) as session:
        hand = session.mesh
    view = View.of(hand, yaw, pitch, 300)
    back = view.card(hand)
    # points of the photo's plane in space, and the photo pixels that `card` finds where they are seen
    pixels = np.c_[hand.keypoints, np.ones(21)]
    seen = view.points(view.behind * pixels @ np.linalg.inv(hand.camera).T) @ view.K.T
    found = (seen / seen[:, 2:]) @ back.T
    assert np.allclose(found[:, :2] / found[:, 2:], hand.keypoints, atol=1e-6)
    assert view.behind >= hand.vertices[:, 2].max()


def test_from_behind_or_without_a_photo_there_is_no_card(folder):
    with contextlib.closing(Session.open(folder)) as session:
        hand, photo = session.mesh, session.photo
    for shown, yaw in ((photo, 180.0), (photo, 90.0), (None, 0.0)):
        picture = side_picture(hand, shown, yaw, 0.0, 200)
        assert (picture[:5] == GREY).all() and (picture[-5:] == GREY).all()
        assert (picture != GREY).any()


def test_the_side_view_follows_a_drag(widget, folder, wait_until):
    widget.viewer.window.show()
    widget.open_project(folder)
    wait_until(lambda: "Why look" in widget.what.text() and widget.side.isVisible())
    widget.side.turn_to(90, 0)
    before = widget.side.picture.pixmap().toImage()
    start = widget.session.mesh.keypoints[8]
    moves = drag(widget.viewer, [tuple(start), tuple(start + (15, 10)), tuple(start + (30, 20))])
    next(moves)
    assert widget.side.picture.pixmap().toImage() != before and widget.session.hand.version == 1
    list(moves)


# -- photos without a hand ---------------------------------------------------------------------------------------


def test_a_hand_is_drawn_in_a_photo_in_which_none_was_found(
    widget, photo_file, tmp_path, make_hand, wait_until, sample_photos
):
    widget.background.model = network = Network(make_hand)
    bare = next(path for path in sample_photos if path.name == "signing-0180.jpg")
    with Project.create(tmp_path / "bare") as project:
        project.add_proposals(project.add_photo(bare), [], Provenance("test", "d" * 64))
    widget.open_project(tmp_path / "bare")
    session, points = widget.session, widget.layers.points
    assert session.hand is None and np.array_equal(widget.layers.photo.data, session.photo)
    assert "signing-0180" in widget.what.text() and points.visible and not points.shown.any()
    for key in (
        "E",
        "Shift-C",
        "Shift-S",
        "Shift-R",
        "Shift-B",
        "Shift-D",
        "D",
        "W",
        "Shift-W",
        "F",
        "Shift-G",
    ):
        press(widget.viewer, key)  # nothing to do: a word, no error
    press(widget.viewer, "F")
    press(widget.viewer, "Shift-X")
    list(drag(widget.viewer, [(60, 80), (300, 420)]))
    wait_until(lambda: session.hand is not None)
    assert session.hand.id == "signing-0180-1" and network.asked == [((60.0, 80.0, 300.0, 420.0), [None])]
    assert points.shown.all() and widget.layers.mesh.visible and widget.layers.skeleton.visible
    press(widget.viewer, "Shift-Q")
    assert session.hand is not None  # every photo has a hand now
    press(widget.viewer, "Shift-R")
    press(widget.viewer, "Shift-Q")
    assert session.hand is None and session.at.path.name == "signing-0180.jpg"
    press(widget.viewer, "Control-Z")
    assert session.hand.id == "signing-0180-1"


def test_the_next_photo_without_a_hand_may_be_gone(folder, photo_file, tmp_path, sample_photos):
    files = [tmp_path / "gone.jpg", tmp_path / "here.jpg"]
    others = [path for path in sample_photos if path.name not in ("signing-0153.jpg", "signing-0180.jpg")]
    for file, path in zip(files, others, strict=False):
        file.write_bytes(path.read_bytes())
    with Project.open(folder) as project:
        project.add_photos(files)
    files[0].unlink()
    session = Session.open(folder)
    assert session.hand is not None and session.next_bare() and session.at.path == files[1] and session.hand is None
    assert session.next_bare() and session.at.path == files[1]
    assert session.next_open() and session.hand is not None
    session.close()
