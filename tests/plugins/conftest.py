"""A project of three hands in two photos, as a person would open it in napari."""

from __future__ import annotations

import gc
import os
import sys

import numpy as np
import pytest

from annotator.project import Project, Provenance


@pytest.fixture
def folder(tmp_path, sample_photos, photo_file, make_hand):
    """A project's folder: signing-0153-1 (right), signing-0153-2 (left) and signing-0180-1, least sure
    first."""
    other = next(path for path in sample_photos if path.name == "signing-0180.jpg")
    hands = [make_hand(1).replace(confidence=0.3), make_hand(2, "left").replace(confidence=0.5)]
    with Project.create(tmp_path / "project") as project:
        project.add_proposals(project.add_photo(photo_file), hands, Provenance("test", "d" * 64))
        third = [make_hand(3).replace(confidence=0.7)]
        project.add_proposals(project.add_photo(other), third, Provenance("test", "d" * 64))
    return tmp_path / "project"


@pytest.fixture(autouse=True)
def collected_quickly():
    """napari collects garbage whenever a layer goes, in a time that grows with all that was ever loaded: what is there
    before a test is not searched again."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def viewer(request):
    """A real napari with a real canvas; the test is skipped where there is none to be had."""
    pytest.importorskip("napari")
    pytest.importorskip("qtpy.QtWidgets")
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        pytest.skip("no display (run under xvfb-run)")
    return request.getfixturevalue("make_napari_viewer")()


@pytest.fixture
def widget(viewer):
    """The plugin's widget, docked as its manifest says, without the network."""
    from napari_hand_mesh.widget import HandMeshWidget

    made = HandMeshWidget(viewer, network=False)
    viewer.window.add_dock_widget(made, name="Hand annotator", area="right")
    yield made
    made.close_project()


@pytest.fixture
def network(widget, make_hand):
    """The network that the widget asks: see `small_network`."""
    from small_network import Network

    widget.background.model = Network(make_hand)
    return widget.background.model


@pytest.fixture
def wait_until(viewer, request):
    """wait_until(condition, timeout=60_000 ms), while Qt goes on."""
    # not an argument: pytest would make the QApplication before `viewer` could skip, and without a display
    # that aborts
    qtbot = request.getfixturevalue("qtbot")
    return lambda condition, timeout=60_000: qtbot.waitUntil(condition, timeout=timeout)


@pytest.fixture
def canvas(viewer, request):
    """canvas(): the widget that shows the photo; the window is on the screen and in front."""
    from qtpy.QtWidgets import QApplication

    qtbot = request.getfixturevalue("qtbot")
    viewer.window.show()
    window = next(w for w in QApplication.topLevelWidgets() if "QtMainWindow" in type(w).__name__ and w.isVisible())
    window.activateWindow()
    qtbot.wait(100)

    def find():
        shown = [w for w in QApplication.allWidgets() if "Canvas" in type(w).__name__ and w.isVisible()]
        return max(shown, key=lambda w: w.width() * w.height())

    return find


@pytest.fixture
def mouse(canvas, request):
    """mouse(kind, (x, y) photo px, camera, modifier=""): a mouse event of the window system on the canvas."""
    from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
    from qtpy.QtGui import QMouseEvent
    from qtpy.QtWidgets import QApplication

    qtbot = request.getfixturevalue("qtbot")
    kinds = {
        "move": QEvent.Type.MouseMove,
        "press": QEvent.Type.MouseButtonPress,
        "release": QEvent.Type.MouseButtonRelease,
    }
    held = Qt.MouseButton.NoButton

    def send(kind, place, camera, modifier="No"):
        nonlocal held
        shown = canvas()
        middle = np.array(camera.center[-2:])[::-1]
        x, y = (np.asarray(place) - middle) * camera.zoom + (shown.width() / 2, shown.height() / 2)
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        held = {"move": held, "press": left, "release": none}[kind]
        modifiers = getattr(Qt.KeyboardModifier, f"{modifier}Modifier")
        across = QPointF(shown.mapToGlobal(QPoint(int(x), int(y))))
        button = none if kind == "move" else left
        QApplication.sendEvent(shown, QMouseEvent(kinds[kind], QPointF(x, y), across, button, held, modifiers))
        qtbot.wait(20)

    return send


@pytest.fixture
def keyboard(canvas, request):
    """keyboard(text, modifier="No"): keys of the window system, one after the other, to whatever has the focus of the
    window."""
    from qtpy.QtCore import QEvent, Qt
    from qtpy.QtGui import QKeyEvent
    from qtpy.QtWidgets import QApplication

    qtbot = request.getfixturevalue("qtbot")

    def send(text, modifier="No"):
        for letter in text:
            window = canvas().window()
            target = window.focusWidget() or window
            modifiers = getattr(Qt.KeyboardModifier, f"{modifier}Modifier")
            for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
                key = QKeyEvent(kind, ord(letter.upper()), modifiers, letter)
                QApplication.sendEvent(target, key)
            qtbot.wait(20)

    return send


@pytest.fixture
def keys(canvas, request):
    """keys("Left", "1", ..., held=""): these keys, to whatever has the focus of the window."""
    from qtpy.QtCore import QEvent, Qt
    from qtpy.QtGui import QKeyEvent
    from qtpy.QtWidgets import QApplication

    qtbot = request.getfixturevalue("qtbot")

    def send(*names, held="No"):
        for name in names:
            text = name if len(name) == 1 else ""
            modifiers = getattr(Qt.KeyboardModifier, f"{held}Modifier")
            for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
                target = canvas().window().focusWidget()
                QApplication.sendEvent(target, QKeyEvent(kind, getattr(Qt.Key, f"Key_{name}"), modifiers, text))
            qtbot.wait(5)

    return send
