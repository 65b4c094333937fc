"""Takes the pictures of several cameras and of depth by hand in docs/plugin, from a real session on the sample photos.

    xvfb-run -a -s "-screen 0 1600x1000x24" python docs/screenshots_rigs.py [--out docs/plugin]

The project is made by the commands of `docs/rigs.md`; mouse events are the window system's, as in `screenshots.py`.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import napari
import napari.settings
import numpy as np
from qtpy.QtCore import QEvent, Qt
from screenshots import LARGE, hover, of_widget, resize, send, settle

from annotator import sample_data
from annotator.cli import main as annotator

PULL = -0.02  # m: how far a fingertip is pulled towards the camera


def pulled(widget, joint: int, by: float) -> np.ndarray:
    """Pull a keypoint along its line of sight in the side view, as a person does; where the mouse is then, still
    pressed."""
    picture = widget.side.picture
    start, along = picture.places()[joint], picture.view().sight(widget.session.mesh.joints[joint])
    left = Qt.MouseButton.LeftButton
    send(picture, QEvent.Type.MouseMove, start, Qt.MouseButton.NoButton)
    send(picture, QEvent.Type.MouseButtonPress, start, left)
    for part in np.linspace(0.1, 1, 8):
        send(picture, QEvent.Type.MouseMove, start + part * by * along, left)
    return start + by * along


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "plugin")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    napari.settings.get_settings().application.gui_notification_level = "error"  # none over the canvas
    photos = Path(sample_data.FOLDER) / "photos"
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "two-cameras"
        cameras = str(Path(sample_data.FOLDER) / "cameras.json")
        assert (
            annotator(["rig", str(project), cameras, "--photos", str(photos), "--pattern", "{instant}-{camera}.jpg"])
            == 0
        )
        assert annotator(["rig", str(project), "--propose"]) == 0
        single = next(str(path) for path in sorted(photos.glob("signing-01*.jpg")))
        assert annotator(["propose", single, "--project", str(project), "--subject", "Ada"]) == 0
        viewer = napari.Viewer(show=True, title="hand mesh annotator")
        _, widget = viewer.window.add_plugin_dock_widget("hand-mesh-annotator", "Hand annotator")
        widget.open_project(project)
        session = widget.session
        session.go(next(entry.id for entry in session.queue if entry.id.startswith("two-camera")))
        settle(lambda: session.wants_features() is None and session.wants_joined() is None, least=2.0)
        resize(widget, LARGE)
        hover(widget, 8)
        settle(least=1.0)
        of_widget(widget.arrangement.window, out / "views.png")
        session.go(next(entry.id for entry in session.queue if entry.id.startswith("signing")))
        settle(lambda: session.wants_features() is None, least=2.0)
        widget.swap_views()
        settle(lambda: widget.side.picture.width() > 400, least=1.0)
        place = pulled(widget, 8, PULL)
        send(widget.side.picture, QEvent.Type.MouseButtonRelease, place, Qt.MouseButton.NoButton)
        settle(lambda: bool(session.hand.depth_labels), least=1.0)
        pulled(widget, 12, PULL)
        settle(least=0.5)
        of_widget(widget.side, out / "depth-by-hand.png")
        viewer.close()


if __name__ == "__main__":
    main()
