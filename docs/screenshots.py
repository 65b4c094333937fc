"""Takes the pictures of the napari plugin in docs/plugin, from a real session on the sample photos.

    xvfb-run -a -s "-screen 0 2560x1440x24" python docs/screenshots.py [--out docs/plugin] [--every-size]

The shipped network proposes, keypoints are dragged by events of the window system, hands are judged; nothing is drawn
by hand. Together below 3 MB. --every-size: the window of each scene at 1280 x 800, 1600 x 1000 and 2560 x 1440.
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
from napari_hand_mesh.canvas.framing import on_canvas
from napari_hand_mesh.canvas.tones import Tones
from PIL import Image
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt, QTimer
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication, QDialog, QWidget

from annotator import sample_data

SIZES = SMALL, LARGE, LARGEST = (1280, 800), (1600, 1000), (2560, 1440)
MOST, COLOURS = 150_000, 96  # bytes of a picture; larger ones are stored with so many colours
HAND = "signing-0153.jpg"
JUDGED = {"signing-0072": "accept", "signing-0225": "accept", "signing-0180": "reject", "signing-0207": "flag"}
KINDS = {"fist": "signing-0000", "two-hands": "two-hands"}  # picture -> its photo


def settle(condition=lambda: True, least: float = 0.5, limit: float = 300.0) -> None:
    """Let Qt work until `condition()`, and a little longer."""
    start = time.monotonic()
    while not condition() or time.monotonic() < start + least:
        if time.monotonic() > start + limit:
            raise SystemExit("screenshots: what was waited for did not happen")
        QApplication.processEvents()
        time.sleep(0.005)


def canvas_of(widget) -> QWidget:
    """The widget that shows the photo."""
    middle = widget.arrangement.window.centralWidget()
    return next(child for child in middle.findChildren(QWidget) if "Canvas" in type(child).__name__)


def send(canvas: QWidget, kind, place, held) -> None:
    """A mouse event of the window system, at a place (x, y) px of the canvas."""
    button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else Qt.MouseButton.LeftButton
    across = QPointF(canvas.mapToGlobal(QPoint(int(place[0]), int(place[1]))))
    event = QMouseEvent(kind, QPointF(*place), across, button, held, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(canvas, event)
    settle(least=0.03)


def drag(widget, joint: int, by: tuple[float, float]) -> None:
    """Drag a keypoint as a person does; by: photo px."""
    start, canvas = widget.layers.places[joint].copy(), canvas_of(widget)

    def at(part: float):
        return on_canvas(widget.layers, start + np.asarray(by) * part)

    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    send(canvas, QEvent.Type.MouseMove, at(0), none)
    send(canvas, QEvent.Type.MouseButtonPress, at(0), left)
    for part in np.linspace(0.1, 1, 10):
        send(canvas, QEvent.Type.MouseMove, at(part), left)
    send(canvas, QEvent.Type.MouseButtonRelease, at(1), none)


def held(widget, joint: int, by: tuple[float, float], path: Path) -> None:
    """A picture of the canvas while a keypoint is dragged; then it is let go and taken back. by: photo px."""
    start, canvas = widget.layers.places[joint].copy(), canvas_of(widget)
    left, version = Qt.MouseButton.LeftButton, widget.session.hand.version
    places = [on_canvas(widget.layers, start + np.asarray(by) * part) for part in np.linspace(0, 1, 8)]
    send(canvas, QEvent.Type.MouseMove, places[0], Qt.MouseButton.NoButton)
    send(canvas, QEvent.Type.MouseButtonPress, places[0], left)
    for place in places[1:]:
        send(canvas, QEvent.Type.MouseMove, place, left)
    settle(least=0.4)
    of_widget(canvas, path)
    send(canvas, QEvent.Type.MouseButtonRelease, places[-1], Qt.MouseButton.NoButton)
    settle(lambda: widget.session.hand.version > version)
    widget.act("undo")
    settle(least=0.5)


def hover(widget, joint: int) -> None:
    """Put the mouse on a keypoint."""
    place = on_canvas(widget.layers, widget.layers.places[joint])
    send(canvas_of(widget), QEvent.Type.MouseMove, place, Qt.MouseButton.NoButton)


def save(image: np.ndarray | Image.Image, path: Path) -> None:
    picture = image if isinstance(image, Image.Image) else Image.fromarray(np.ascontiguousarray(image[..., :3]))
    picture.save(path, optimize=True)
    if path.stat().st_size > MOST:
        picture.quantize(COLOURS).save(path, optimize=True)


def of_widget(widget: QWidget, path: Path) -> None:
    """A picture of one widget, as the screen has it."""
    widget.grab().save(str(path))  # Qt's own way to a file: what a picture's memory is differs from binding to binding
    with Image.open(path) as image:
        save(image.convert("RGB"), path)


def dialog(open_it, path: Path, least: float = 0.5) -> None:
    """A picture of the dialog that a call opens."""
    open_it()
    settle(least=least)
    shown = [one for one in QApplication.topLevelWidgets() if isinstance(one, QDialog) and one.isVisible()]
    of_widget(shown[-1], path)
    shown[-1].close()
    settle(least=0.1)


def resize(widget, size: tuple[int, int]) -> None:
    """The window of this size, the columns as they are at first."""
    window = widget.arrangement.window

    def there() -> bool:
        window.resize(*size)  # again: docks that were just folded away may still have had a say
        return (window.width(), window.height()) == size

    settle(there, least=0.3, limit=20)
    widget.arrangement.widths(widget.queue, widget.side)
    settle(least=0.6)


def dark(photo: Path, out: Path) -> Path:
    """The photo as a camera takes it in a dim room."""
    with Image.open(photo) as image:
        Image.fromarray((np.asarray(image.convert("RGB")) * 0.16).astype(np.uint8)).save(out)
    return out


def of_photo(session, name: str):
    """The first hand of the queue on a photo of this name; None: there is none."""
    return next((entry for entry in session.queue if name in entry.photo), None)


class Scenes:
    """What the pictures show, one after the other, in a window that stays open."""

    def __init__(self, viewer, widget, out: Path, every: bool):
        self.viewer, self.widget, self.out, self.every = viewer, widget, out, every

    def whole(self, name: str, size: tuple[int, int] = SMALL) -> None:
        """The window at this size, or with `every` at all three."""
        for one in SIZES if self.every else (size,):
            resize(self.widget, one)
            if self.widget.layers is not None:
                self.widget.layers.refit()
            settle(least=0.6)
            there = self.out / (f"{name}-{one[0]}.png" if self.every else f"{name}.png")
            of_widget(self.widget.arrangement.window, there)

    def canvas(self, name: str) -> None:
        save(self.viewer.screenshot(canvas_only=True, flash=False), self.out / f"{name}.png")

    def start(self) -> None:
        settle(least=1.0)
        resize(self.widget, SMALL)
        self.widget.start_tour()
        self.whole("start")
        self.widget._tour.leave.click()

    def propose(self, photos: list[Path], folder: Path) -> None:
        widget = self.widget
        widget.propose_on(photos, folder)
        settle(lambda: widget.background.model is not None and not widget.background.proposing)
        widget.session.read_queue()
        for photo, verdict in JUDGED.items():
            self.looked_at(of_photo(widget.session, photo))
            settle(least=2.0)  # not a burst
            widget.act(verdict)

    def looked_at(self, entry) -> None:
        """A hand on the canvas, with all that is known of it."""
        session = self.widget.session
        session.go(entry.id)
        settle(lambda: session.wants_features() is None, least=1.5)

    def hand(self) -> None:
        """A hand in work: labels, states, words beside the pointer."""
        widget, out = self.widget, self.out
        self.looked_at(of_photo(widget.session, HAND))
        resize(widget, LARGE)
        size = widget.session.mesh.crop_size
        drag(widget, 8, (0.06 * size, -0.05 * size))
        hover(widget, 4)
        widget.act("occluded")
        hover(widget, 16)
        widget.act("confirm")
        drag(widget, 20, (-0.05 * size, 0.03 * size))
        widget.act("undo")
        widget.queue.filter.setCurrentText("all")
        hover(widget, 8)
        settle(least=4.0)  # thumbnails and reasons
        self.whole("window", LARGE)
        if not self.every:
            self.whole("window-1280", SMALL)
            self.whole("window-2560", LARGEST)
        resize(widget, LARGE)
        self.canvas("canvas")
        held(widget, 12, (0.04 * size, 0.03 * size), out / "magnifier.png")
        of_widget(widget, out / "annotator.png")
        of_widget(widget.queue, out / "queue.png")
        of_widget(widget.history, out / "history.png")
        of_widget(widget.side, out / "side-view.png")
        widget.act("colour_by_uncertainty")
        settle(least=1.0)
        self.canvas("uncertainty")
        widget.act("colour_by_uncertainty")

    def kinds(self) -> None:
        """Hands of other kinds: a fist, two on a photo, one in the dark, other depths, none."""
        widget = self.widget
        for name, photo in KINDS.items():
            self.looked_at(of_photo(widget.session, photo))
            self.whole(name)
        self.looked_at(of_photo(widget.session, "dark"))
        resize(widget, LARGE)
        self.canvas("dark")
        widget.picture.lifted.emit()
        settle(least=1.0)
        self.canvas("lifted")
        if self.every:
            self.whole("dark")
        widget.picture.show_tones(Tones())
        self.looked_at(of_photo(widget.session, HAND))
        widget.act("show_alternatives")
        settle(widget.depths.isVisible)
        widget.depths.list.setCurrentRow(1)
        self.whole("depth")
        widget.depths.close_list()
        settle(lambda: widget.session.next_bare() or True, least=0.5)
        self.whole("no-hand")

    def forms(self) -> None:
        widget, out = self.widget, self.out
        dialog(widget._show_keys, out / "keys.png")
        dialog(widget._ask_export, out / "export.png", 2.0)
        dialog(widget._ask_round, out / "retrain.png")
        dialog(widget._ask_progress, out / "progress.png", 3.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "plugin")
    parser.add_argument("--every-size", action="store_true", help="the window at each of three sizes, to look at")
    arguments = parser.parse_args()
    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    napari.settings.get_settings().application.gui_notification_level = "error"  # none over the canvas
    viewer = napari.Viewer(show=True, title="hand mesh annotator")
    _, widget = viewer.window.add_plugin_dock_widget("hand-mesh-annotator", "Hand annotator")
    scenes = Scenes(viewer, widget, out, arguments.every_size)
    scenes.start()
    photos = {Path(path).name: Path(path) for path in sample_data.photos()}
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "no-hand.png"
        Image.fromarray(np.full((480, 640, 3), (168, 176, 160), np.uint8)).save(bare)
        some = [path for name, path in photos.items() if name.startswith("signing") or name == "two-hands.jpg"]
        dim = dark(photos[HAND], Path(folder) / "dark.png")
        scenes.propose([*some, dim, bare], Path(folder) / "hands")
        scenes.hand()
        scenes.kinds()
        scenes.forms()
        widget.close_project()
        QTimer.singleShot(0, viewer.close)
        settle()
    total = sum(path.stat().st_size for path in out.glob("*.png"))
    print(f"{len(list(out.glob('*.png')))} pictures in {out}, {total / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
