"""napari's way to open a project, a folder of photos or a video, and the sample project: by drag and drop, or from
the File menu."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import napari
import numpy as np

from annotator.errors import InputError
from annotator.files.photo_paths import SUFFIXES
from annotator.hand.joints import JOINT_NAMES
from annotator.vision.photos import read_photo
from annotator.vision.video import frames, is_video
from napari_hand_mesh.session.session import Session
from napari_hand_mesh.session.sources import project_beside

PLUGIN, WIDGET = "hand-mesh-annotator", "Hand annotator"
FILE = "project.db"
NOTHING = [(None,)]  # napari's word for "opened, and there is no layer to add"
SAMPLES = 12
PASSING = "looking for hands"


def get_reader(path: str | list[str]) -> Callable | None:
    """The reader of this path: a project (its folder, or its project.db), a folder that holds photos, or a video; else
    None. Single photos are left to napari itself."""
    if not isinstance(path, str):
        return None
    place = Path(path)
    if (place / FILE).is_file() or (place.name == FILE and place.is_file()):
        return read_project
    if place.is_file():
        return read_photos if is_video(place) else None
    return read_photos if place.is_dir() and any(_photos_in(place)) else None


def _photos_in(folder: Path) -> Iterator[Path]:
    return (file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file())


def read_photos(path: str) -> list[tuple]:
    """Look for hands in a folder of photos, or in a video, with the project beside them. Without a viewer: the photos
    (of a video: its first frame) as layers."""
    viewer = napari.current_viewer()
    place = Path(path)
    if viewer is not None:
        dock(viewer).propose_on(place, project_beside(place))
        return NOTHING
    if is_video(place):
        return [(frame, {"name": place.name, "rgb": True}, "image") for _, frame in itertools.islice(frames(place), 1)]
    return [(read_photo(file), {"name": file.name, "rgb": True}, "image") for file in sorted(_photos_in(place))]


def read_project(path: str) -> list[tuple]:
    """Open a project in the viewer's annotator dock. Without a viewer: photo and keypoints of its current
    hand as layers."""
    viewer = napari.current_viewer()
    if viewer is not None:
        dock(viewer).open_project(path)
        return NOTHING
    session = Session.open(path)
    try:
        if session.hand is None:
            raise InputError(f"there are no hands in {path}")
        features = {"joint": list(JOINT_NAMES), "state": list(session.hand.joint_states)}
        points = session.definition.places(session.mesh)[:, ::-1].copy()
        return [
            (session.photo, {"name": session.hand.photo.name, "rgb": True}, "image"),
            (points, {"name": session.hand.id, "features": features}, "points"),
        ]
    finally:
        session.close()


def open_sample() -> list[tuple]:
    """A new project on some of the sample photos, in a temporary folder; hands appear as they are found."""
    from qtpy.QtCore import QTimer

    viewer = napari.current_viewer()
    if viewer is None:
        raise InputError("the sample project needs a napari window")
    sample_project(dock(viewer))

    # napari takes a sample without any layer for a failure: it gets one, which goes away again at once
    def tidy() -> None:
        for layer in [layer for layer in viewer.layers if layer.name == PASSING]:
            viewer.layers.remove(layer)

    QTimer.singleShot(0, tidy)
    return [(np.zeros((8, 8), np.uint8), {"name": PASSING, "visible": False}, "image")]


def sample_project(widget) -> None:
    """The widget on a new project of sample photos, in a temporary folder."""
    from annotator import sample_data

    files = sample_data.photos()
    some = files[:: max(len(files) // SAMPLES, 1)][:SAMPLES]
    widget.propose_on(some, tempfile.mkdtemp(prefix="hand-mesh-sample-"))


def dock(viewer: napari.Viewer):
    """The viewer's annotator widget, docked if it is not there yet."""
    return viewer.window.add_plugin_dock_widget(PLUGIN, WIDGET)[1]
