"""Takes the pictures of the napari plugin in docs/plugin, from a real session on the sample photos.

    xvfb-run -a -s "-screen 0 1600x1000x24" python docs/screenshots.py [--out docs/plugin]

The shipped network proposes, a keypoint is dragged through the canvas's own mouse callbacks, hands are judged; nothing
is drawn by hand. Together below 2 MB.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ["NAPARI_CONFIG"] = ""  # napari's own settings, not a person's; nothing of this run is kept

import napari
import napari.settings
import numpy as np
from PIL import Image
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QDialog, QWidget

from annotator import sample_data

SIZE = (1560, 960)
PHOTOS = 10


def settle(condition=lambda: True, least: float = 0.5, limit: float = 300.0) -> None:
    """Let Qt work until `condition()`, and a little longer."""
    start = time.monotonic()
    while not condition() or time.monotonic() < start + least:
        if time.monotonic() > start + limit:
            raise SystemExit("screenshots: what was waited for did not happen")
        QApplication.processEvents()
        time.sleep(0.005)


class Mouse:
    """What napari passes to a layer's mouse callbacks."""

    button, modifiers, is_dragging = 1, (), True

    def __init__(self, place):
        self.move(place, "mouse_press")

    def move(self, place, kind="mouse_move"):
        self.type, self.position, self.pos = kind, (place[1], place[0]), np.asarray(place)


def drag(widget, joint: int, by: tuple[float, float]) -> None:
    """Drag a keypoint as a person does."""
    start = widget.session.mesh.keypoints[joint]
    event = Mouse(start)
    (callback,) = [call for call in widget.layers.points.mouse_drag_callbacks if call.__name__ == "_drag"]
    going = callback(widget.layers.points, event)
    next(going)
    for part in np.linspace(0.1, 1, 10):
        event.move(start + np.asarray(by) * part)
        next(going)
        settle(least=0.03)
    event.move(start + np.asarray(by), "mouse_release")
    for _ in going:
        pass


def save(image: np.ndarray, path: Path) -> None:
    Image.fromarray(np.ascontiguousarray(image[..., :3])).save(path, optimize=True)


def of_widget(widget: QWidget, path: Path) -> None:
    """A picture of one widget, as the screen has it."""
    pixmap = widget.grab()
    image = pixmap.toImage().convertToFormat(pixmap.toImage().Format.Format_RGB888)
    bits = image.constBits()
    bits.setsize(image.sizeInBytes())
    rows = np.frombuffer(bits, np.uint8).reshape(image.height(), image.bytesPerLine())
    save(rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3), path)


def dialog(open_it, path: Path) -> None:
    """A picture of the dialog that a call opens."""
    open_it()
    settle()
    shown = [one for one in QApplication.topLevelWidgets() if isinstance(one, QDialog) and one.isVisible()]
    of_widget(shown[-1], path)
    shown[-1].close()
    settle(least=0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "plugin")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    napari.settings.get_settings().application.gui_notification_level = "error"  # none over the canvas
    viewer = napari.Viewer(show=True, title="hand mesh annotator")
    viewer.window.resize(*SIZE)
    _, widget = viewer.window.add_plugin_dock_widget("hand-mesh-annotator", "Hand annotator")
    files = [path for path in sample_data.photos() if Path(path).name.startswith("signing")]
    some = files[:: max(len(files) // PHOTOS, 1)][:PHOTOS]
    with tempfile.TemporaryDirectory() as folder:
        widget.propose_on([Path(path) for path in some], Path(folder) / "hands")
        settle(lambda: widget.background.model is not None and not widget.background.proposing)
        session = widget.session
        session.read_queue()
        for state in ("accept", "accept", "reject", "flag"):
            settle(least=0.2)
            widget.act(state)
        settle(lambda: session.wants_features() is None, least=1.5)
        size = session.mesh.crop_size
        drag(widget, 8, (0.03 * size, -0.02 * size))
        widget._last_joint = 4
        widget.act("occluded")
        drag(widget, 16, (-0.03 * size, 0.02 * size))
        widget.act("undo")
        widget.queue.filter.setCurrentText("all")
        settle(least=4.0)  # thumbnails and reasons
        save(viewer.screenshot(canvas_only=False, flash=False), out / "window.png")
        save(viewer.screenshot(canvas_only=True, flash=False), out / "canvas.png")
        of_widget(widget, out / "annotator.png")
        of_widget(widget.queue, out / "queue.png")
        of_widget(widget.history, out / "history.png")
        of_widget(widget.side, out / "side-view.png")
        widget.act("colour_by_uncertainty")
        settle(least=1.0)
        save(viewer.screenshot(canvas_only=True, flash=False), out / "uncertainty.png")
        widget.act("colour_by_uncertainty")
        dialog(widget._show_keys, out / "keys.png")
        dialog(widget._ask_export, out / "export.png")
        widget.close_project()
        QTimer.singleShot(0, viewer.close)
        settle()
    total = sum(path.stat().st_size for path in out.glob("*.png"))
    print(f"{len(list(out.glob('*.png')))} pictures in {out}, {total / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
