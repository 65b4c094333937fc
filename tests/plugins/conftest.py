"""A project of three hands in two photos, as a person would open it in napari."""

from __future__ import annotations

import os
import sys

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
def wait_until(viewer, request):
    """wait_until(condition, timeout=60_000 ms), while Qt goes on."""
    # not an argument: pytest would make the QApplication before `viewer` could skip, and without a display
    # that aborts
    qtbot = request.getfixturevalue("qtbot")
    return lambda condition, timeout=60_000: qtbot.waitUntil(condition, timeout=timeout)
