"""How quick the plugin feels, in a real napari window (under Xvfb: software OpenGL).

    xvfb-run -a python benchmarks/plugin_latency.py [--drags 40] [--solver-only]

- release: from letting a keypoint go until the canvas has painted the new mesh, ms
- drag: how often a second the canvas is painted with a new mesh while the mouse moves at 60 Hz
- GUI: the longest time between two beats of a 5 ms timer, while nothing else goes on, while hands are proposed on photos,
  and while a data set is written: how long the window did not react
The hands are those that the shipped network finds on the first sample photos.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import napari
import numpy as np
from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QApplication
from tables import markdown

from annotator import sample_data
from annotator.hand.joints import TIPS

PHOTOS, MOVES, FRAME = 8, 30, 1 / 60
LONG = 50.0  # ms
KEYS = ("p50", "p95", "worst", "over 50")


class Paints(QObject):
    """Counts the paint events of the window's canvas."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def eventFilter(self, _watched, event):  # noqa: N802
        self.count += event.type() == QEvent.Type.Paint
        return False


class Beats:
    """The gaps between the beats of a timer of the GUI's thread, ms."""

    def __init__(self):
        self.timer, self.last, self.gaps = QTimer(), time.perf_counter(), []
        self.timer.setInterval(5)
        self.timer.timeout.connect(self.beat)

    def beat(self):
        now = time.perf_counter()
        self.gaps.append(1000 * (now - self.last))
        self.last = now

    def during(self, going, limit=600.0):
        """Runs Qt's loop while `going()`; the gaps."""
        self.gaps, self.last = [], time.perf_counter()
        self.timer.start()
        end = time.monotonic() + limit
        while going() and time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.0005)
        self.timer.stop()
        return np.array(self.gaps)


class Event:
    """What napari passes to a layer's mouse callbacks."""

    button, modifiers, is_dragging = 1, (), True

    def __init__(self, place):
        self.move(place, "mouse_press")

    def move(self, place, kind="mouse_move"):
        self.type, self.position, self.pos = kind, (place[1], place[0]), np.asarray(place)


def one_drag(widget, paints, joint, by):
    """(seconds from release to painted, paints with a new mesh a second) of one drag."""
    start = widget.session.mesh.keypoints[joint]
    event = Event(start)
    generator = widget.dragging._drag(widget.layers.points, event)
    next(generator)
    begun, seen, before = time.perf_counter(), 0, widget.layers.mesh.data
    for at in range(1, MOVES + 1):
        event.move(start + np.asarray(by) * at / MOVES)
        next(generator)
        count = paints.count
        while time.perf_counter() < begun + at * FRAME:
            QApplication.processEvents()
        if paints.count > count and widget.layers.mesh.data is not before:
            seen, before = seen + 1, widget.layers.mesh.data
    dragged = time.perf_counter() - begun
    count = paints.count
    event.move(start + np.asarray(by), "mouse_release")
    released = time.perf_counter()
    for _ in generator:
        pass
    while paints.count == count:
        QApplication.processEvents()
    return time.perf_counter() - released, seen / dragged


def row(name, values):
    return [name, len(values), *(f"{v:.0f}" for v in (*np.percentile(values, [50, 95]), np.max(values))), int(np.sum(np.array(values) > LONG))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--drags", type=int, default=40)
    parser.add_argument("--solver-only", action="store_true", help="without the network's word on corrections")
    arguments = parser.parse_args()
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1500, 950)
    _, widget = viewer.window.add_plugin_dock_widget("hand-mesh-annotator", "Hand annotator")
    beats, rows = Beats(), []
    photos = [Path(p) for p in sample_data.photos()][:PHOTOS]
    with tempfile.TemporaryDirectory() as folder:
        widget.background.with_model(lambda: None)
        beats.during(lambda: widget.background.model is None)
        widget.propose_on(photos, Path(folder) / "project")
        rows.append(row("GUI: longest wait while proposing, ms", beats.during(lambda: widget.background.proposing)))
        canvas = [w for w in QApplication.allWidgets() if "Canvas" in type(w).__name__ and w.isVisible()]
        paints = Paints()
        for one in canvas:
            one.installEventFilter(paints)
        if arguments.solver_only:
            widget.session.model = None
        random, release, rate = np.random.default_rng(0), [], []
        for k in range(arguments.drags):
            if k % 4 == 0:
                widget.session.next_open()
                beats.during(lambda: widget.session.wants_features() is not None, 20)
                beats.during(lambda end=time.monotonic() + 0.3: time.monotonic() < end)
            joint = int(random.choice(TIPS))
            size = widget.session.mesh.crop_size
            seconds, often = one_drag(widget, paints, joint, random.normal(0, 0.05 * size, 2))
            release.append(1000 * seconds)
            rate.append(often)
        rows.append(row("release to new mesh painted, ms", release))
        rows.append(row("painted while dragging, a second", rate))
        for entry in widget.session.queue:
            widget.session.go(entry.id)
            widget.session.set_state("accepted")
        rows.append(row("GUI: longest wait at rest, ms", beats.during(lambda end=time.monotonic() + 5: time.monotonic() < end)))
        widget.export("freihand", Path(folder) / "out")
        rows.append(row("GUI: longest wait while exporting, ms", beats.during(lambda: widget.background._exporting is not None)))
        widget.close_project()
        viewer.close()
    print(markdown(["what", "n", *KEYS], rows))


if __name__ == "__main__":
    main()
