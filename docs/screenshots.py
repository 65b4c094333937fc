"""Takes the pictures of the napari plugin in docs/plugin, from a real session on the sample photos.

    xvfb-run -a -s "-screen 0 1600x1000x24" python docs/screenshots.py [--out docs/plugin]

The shipped network proposes, keypoints are dragged by events of the window system, hands are judged; nothing is drawn
by hand. Together below 2 MB.
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
from napari_hand_mesh.docks.queue_table import COLOURS as STATES
from napari_hand_mesh.docks.verdict_bar import COLOURS as VERDICTS
from PIL import Image, ImageColor
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt, QTimer
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication, QDialog, QWidget

from annotator import sample_data
from annotator.vision.drawing.skeleton import FINGER_COLOURS

SMALL, LARGE, LARGEST = (1280, 800), (1600, 1000), (2560, 1440)
MOST = 300_000  # bytes of a picture; larger ones are stored with fewer colours
COLOURS = (256, 192, 128, 96, 64, 48)
# colours that mean something stay what they are, however small their share of the picture
KEPT = [*FINGER_COLOURS, *(ImageColor.getrgb(colour) for colour in (*VERDICTS.values(), *STATES.values()))]
PHOTOS = 10


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


def save(image: np.ndarray, path: Path) -> None:
    """image: (h, w, 3 or more) uint8. With as many colours as there is room for."""
    picture = Image.fromarray(np.ascontiguousarray(image[..., :3]))
    picture.save(path, optimize=True)
    for colours in COLOURS:
        if path.stat().st_size <= MOST:
            break
        usual = picture.quantize(colours - len(KEPT)).getpalette() or []
        palette = Image.new("P", (1, 1))
        palette.putpalette(usual + [value for colour in KEPT for value in colour])
        picture.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)


def pixels_of(pixmap) -> np.ndarray:
    """(h, w, 3) uint8 of a QPixmap."""
    image = pixmap.toImage()
    image = image.convertToFormat(image.Format.Format_RGB888)
    bits = image.constBits()
    bits.setsize(image.sizeInBytes())
    rows = np.frombuffer(bits, np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)


def of_widget(widget: QWidget, path: Path) -> None:
    """A picture of one widget, as the screen has it."""
    save(pixels_of(widget.grab()), path)


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "plugin")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    application = napari.settings.get_settings().application
    application.gui_notification_level = "error"  # none over the canvas
    viewer = napari.Viewer(show=True, title="hand mesh annotator")
    _, widget = viewer.window.add_plugin_dock_widget("hand-mesh-annotator", "Hand annotator")

    def whole(name: str, size: tuple[int, int]) -> None:
        resize(widget, size)
        of_widget(widget.arrangement.window, out / f"{name}.png")

    settle(least=1.0)
    resize(widget, SMALL)
    widget.start_tour()
    whole("start", SMALL)
    widget._tour.leave.click()
    files = [Path(path) for path in sample_data.photos() if Path(path).name.startswith("signing")]
    some = files[:: max(len(files) // PHOTOS, 1)][:PHOTOS]
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "no-hand.png"
        Image.fromarray(np.full((480, 640, 3), (168, 176, 160), np.uint8)).save(bare)
        widget.propose_on([*some, dark(some[0], Path(folder) / "dark.png"), bare], Path(folder) / "hands")
        settle(lambda: widget.background.model is not None and not widget.background.proposing)
        session = widget.session
        session.read_queue()
        for state in ("accept", "accept", "reject", "flag"):
            settle(least=2.0)  # not a burst
            widget.act(state)
        settle(lambda: session.wants_features() is None, least=1.5)
        resize(widget, LARGE)
        size = session.mesh.crop_size
        drag(widget, 8, (0.02 * size, -0.02 * size))
        hover(widget, 4)
        widget.act("occluded")
        hover(widget, 16)
        widget.act("confirm")
        drag(widget, 20, (-0.05 * size, 0.03 * size))
        widget.act("undo")
        widget.queue.filter.setCurrentText("all")
        hover(widget, 8)
        settle(least=4.0)  # thumbnails and reasons
        whole("window", LARGE)
        whole("window-1280", SMALL)
        save(viewer.screenshot(canvas_only=True, flash=False), out / "canvas.png")
        held(widget, 12, (0.04 * size, 0.03 * size), out / "magnifier.png")
        resize(widget, LARGE)
        of_widget(widget.queue, out / "queue.png")
        of_widget(widget.history, out / "history.png")
        of_widget(widget.side, out / "side-view.png")
        widget.act("colour_by_uncertainty")
        settle(least=1.0)
        save(viewer.screenshot(canvas_only=True, flash=False), out / "uncertainty.png")
        widget.act("colour_by_uncertainty")
        for name, call in (("dark", None), ("lifted", widget.picture.lifted.emit)):
            dim = next((entry for entry in session.queue if "dark" in entry.photo), None)
            if dim is not None:
                session.go(dim.id)
                if call:
                    call()
                settle(least=1.0)
                save(viewer.screenshot(canvas_only=True, flash=False), out / f"{name}.png")
        widget.picture.show_tones(Tones())
        settle(lambda: session.next_bare() or True, least=0.5)
        whole("no-hand", SMALL)
        dialog(widget._ask_export, out / "export.png", 2.0)
        dialog(widget._ask_round, out / "retrain.png")
        dialog(widget._ask_progress, out / "progress.png", 3.0)
        widget.close_project()
        QTimer.singleShot(0, viewer.close)
        settle()
    total = sum(path.stat().st_size for path in out.glob("*.png"))
    print(f"{len(list(out.glob('*.png')))} pictures in {out}, {total / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
