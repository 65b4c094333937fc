"""Takes the pictures in docs/plugin/sizes: the window at three sizes, in each of the states that a person meets.

    xvfb-run -a -s "-screen 0 2560x1440x24" python docs/screenshots_sizes.py [--out docs/plugin/sizes] [--only NAME ...]

From a real session on the sample photos, as in `screenshots.py`; what is taken is the screen, so that dialogs lie on
the window as a person sees them. In palettes, together below 6 MB. A canvas below 60 % of the window's width, or a
window larger than its size, ends the run.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import napari
import napari.settings
import numpy as np
from PIL import Image
from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtWidgets import QApplication, QDialog
from screenshots import LARGE, LARGEST, SMALL, canvas_of, dark, hover, pixels_of, resize, save, send, settle
from screenshots_rigs import PULL, pulled

from annotator import sample_data

SIZES = (SMALL, LARGE, LARGEST)
SHARE = 0.6  # of the window's width, at least, for the canvas
SCENES = ("start", "hand", "fist", "two-hands", "dark", "no-hand", "depth", "export", "retrain", "progress")
PHOTOS = ("signing-0153.jpg", "digit-0-IMG_4446.jpg", "two-hands.jpg", "signing-0180.jpg", "signing-0036.jpg")


def of_screen(window, path: Path) -> None:
    """What the screen shows of the window, and of what lies on it."""
    place = window.geometry()
    shown = QApplication.primaryScreen().grabWindow(0, place.x(), place.y(), place.width(), place.height())
    save(pixels_of(shown), path)


def fits(widget, name: str, size: tuple[int, int]) -> None:
    """SystemExit where the window is not as large as it should be, or the photo has too little of it."""
    window = widget.arrangement.window
    found = (window.width(), window.height())
    if found != size:
        raise SystemExit(f"screenshots_sizes: {name}: the window is {found} and not {size}")
    canvas = canvas_of(widget)
    if canvas.isVisible() and canvas.width() < SHARE * size[0]:
        raise SystemExit(f"screenshots_sizes: {name}: at {size} the canvas is {canvas.width()} px wide")


def point_at(widget, joint: int) -> None:
    """Bring the mouse to a keypoint from elsewhere: what is said beside it is said anew."""
    send(canvas_of(widget), QEvent.Type.MouseMove, (2, 2), Qt.MouseButton.NoButton)
    hover(widget, joint)


def close_dialogs() -> None:
    for one in QApplication.topLevelWidgets():
        if isinstance(one, QDialog) and one.isVisible():
            one.close()
    settle(least=0.2)


def hand_at(widget, photo: str) -> None:
    """To the first hand of this photo."""
    widget.session.go(next(entry.id for entry in widget.session.queue if Path(entry.photo).name == photo))
    settle(lambda: widget.session.wants_features() is None, least=1.0)


def scenes(widget, folder: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """(name, what to do after the window has its size), each when the window is in that state."""
    widget.start_tour()
    yield "start", lambda: None
    widget._tour.leave.click()
    photos = [Path(sample_data.FOLDER) / "photos" / name for name in PHOTOS]
    bare = folder / "no-hand.png"
    Image.fromarray(np.full((480, 640, 3), (168, 176, 160), np.uint8)).save(bare)
    widget.propose_on([*photos, dark(photos[0], folder / "dark.png"), bare], folder / "hands")
    settle(lambda: widget.background.model is not None and not widget.background.proposing)
    widget.session.read_queue()
    widget.queue.filter.setCurrentText("all")
    for name, photo in zip(("hand", "fist", "two-hands"), photos, strict=False):
        hand_at(widget, photo.name)
        settle(least=3.0)  # thumbnails and reasons
        # both hands are seen where the whole photo is
        yield name, lambda name=name: widget.layers.look_at(None) if name == "two-hands" else point_at(widget, 8)
    hand_at(widget, "dark.png")
    yield "dark", lambda: None
    widget.session.next_bare()
    yield "no-hand", lambda: None
    hand_at(widget, photos[0].name)
    widget.swap_views()
    settle(lambda: widget.side.picture.width() > 400, least=1.0)
    place = pulled(widget, 8, PULL)
    send(widget.side.picture, QEvent.Type.MouseButtonRelease, place, Qt.MouseButton.NoButton)
    yield "depth", lambda: None
    widget.swap_views()
    settle(least=0.5)
    for verdict in ("accept", "accept", "reject", "flag"):
        settle(least=2.0)  # not a burst
        widget.act(verdict)
    for name in ("export", "round", "progress"):
        ask = getattr(widget, f"_ask_{name}")
        yield name.replace("round", "retrain"), lambda ask=ask: (ask(), settle(least=2.5))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "plugin" / "sizes")
    parser.add_argument("--only", nargs="+", choices=SCENES, default=SCENES, metavar="NAME", help=", ".join(SCENES))
    arguments = parser.parse_args()
    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    napari.settings.get_settings().application.gui_notification_level = "error"  # none over the canvas
    viewer = napari.Viewer(show=True, title="hand mesh annotator")
    _, widget = viewer.window.add_plugin_dock_widget("hand-mesh-annotator", "Hand annotator")
    widget.arrangement.window.move(0, 0)
    settle(least=1.0)
    with tempfile.TemporaryDirectory() as folder:
        for name, then in scenes(widget, Path(folder)):
            for size in SIZES if name in arguments.only else ():
                resize(widget, size)
                then()
                settle(least=0.8)
                fits(widget, name, size)
                of_screen(widget.arrangement.window, out / f"{name}-{size[0]}.png")
                close_dialogs()
        widget.close_project()
        QTimer.singleShot(0, viewer.close)
        settle()
    pictures = list(out.glob("*.png"))
    print(f"{len(pictures)} pictures in {out}, {sum(path.stat().st_size for path in pictures) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
