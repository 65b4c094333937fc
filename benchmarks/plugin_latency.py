"""How quick the plugin feels, in a real napari window (under Xvfb: software OpenGL), by real mouse events.

    xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/plugin_latency.py [--drags 40] [--solver-only] [--where]

- release: from letting a keypoint go until the frame with the new mesh is on the screen (Qt's frameSwapped), ms
- drag: how often a second the canvas is painted with a new mesh while the mouse moves at 60 Hz
- GUI: how long the window did not react (gaps of a 5 ms timer), at rest, while hands are proposed on photos, and while
  a data set is written
Each twice: by the clock, and in CPU time of the GUI's thread, which is the same on a machine that others use too. For
the drag: how often a second it would be if that thread had a core for itself. bad tail: the slowest 5 %.
--where: in which lines the window was found when it did not react for 50 ms.
The hands are those that the shipped network finds on the first sample photos.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import napari
import numpy as np
from plugin_probes import LONG, Beats, Mouse, Paints
from qtpy.QtWidgets import QApplication
from tables import markdown

from annotator import sample_data
from annotator.hand.joints import TIPS
from annotator.project import Project

PHOTOS, MOVES, FRAME = 8, 30, 1 / 60
MISSES = 10  # drags that take nothing, beyond as many as are measured: then something is wrong with the window
HEAD = (
    "what",
    "n",
    "p50",
    "bad tail (p95)",
    "worst",
    "over 50 ms",
    "CPU p50",
    "CPU bad tail",
    "CPU worst",
    "CPU over 50 ms",
)


def canvas_of(viewer) -> object:
    """The widget that shows the photo, found as a person would: it is the largest one that paints with OpenGL."""
    shown = [w for w in QApplication.allWidgets() if "Canvas" in type(w).__name__ and w.isVisible()]
    return max(shown, key=lambda w: w.width() * w.height())


def one_drag(widget, canvas, joint, by):
    """(release to painted: s, CPU s; new meshes painted a second: by the clock, by CPU time) of one drag by (x, y)
    photo px; None if the keypoint was not there to be taken, or nothing came of it."""
    camera, mouse, paints = widget.layers.camera, Mouse(canvas), Paints(canvas)
    middle, half = np.array(camera.center[-2:])[::-1], np.array([canvas.width(), canvas.height()]) / 2

    def on_canvas(place):
        return (np.asarray(place) - middle) * camera.zoom + half

    start = widget.layers.places[joint].copy()  # the marker; the mesh's own keypoint may lie beside a label
    version, shown = widget.session.hand.version, widget.layers.hand
    mouse.move(on_canvas(start))
    mouse.press(on_canvas(start))
    if widget.dragging.dragged is None:
        mouse.release(on_canvas(start))
        return None
    begun, cpu, seen, count = time.perf_counter(), time.thread_time(), 0, paints.count
    idle = 0.0  # CPU time of waiting for the next move
    for at in range(1, MOVES + 1):
        mouse.move(on_canvas(start + np.asarray(by) * at / MOVES))
        QApplication.processEvents()
        if paints.count > count and widget.layers.hand is not shown:
            seen, shown = seen + 1, widget.layers.hand
        count = paints.count
        waiting = time.thread_time()
        while (left := begun + at * FRAME - time.perf_counter()) > 0:
            time.sleep(min(left, 0.002))
            QApplication.processEvents()
        if paints.count == count:
            idle += time.thread_time() - waiting
    dragged, busy = time.perf_counter() - begun, time.thread_time() - cpu - idle
    last, count = widget.layers.hand, paints.count
    released, cpu = time.perf_counter(), time.thread_time()
    mouse.release(on_canvas(start + np.asarray(by)))
    while (paints.count == count or widget.layers.hand is last) and time.perf_counter() < released + 5:
        QApplication.processEvents()
    took = paints.at[0] - released, paints.at[1] - cpu
    if widget.session.hand.version == version:
        return None
    return *took, seen / dragged, seen / max(busy, 1e-6)


def row(name, clock, cpu, lower_is_worse=False):
    def three(values):
        tail = (5, np.min) if lower_is_worse else (95, np.max)
        return [f"{v:.0f}" for v in (np.median(values), np.percentile(values, tail[0]), tail[1](values))]

    def over(values):
        return "" if lower_is_worse else int(np.sum(np.asarray(values) > 1000 * LONG))

    return [name, len(clock), *three(clock), over(clock), *three(cpu), over(cpu)]


def doing(what: str) -> None:
    """What is waited for now."""
    print(f"{what} ...", file=sys.stderr, flush=True)


def for_seconds(seconds):
    """Whether that time, counted from now, is still running."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() < end


def drag_rows(widget, canvas, beats, drags):
    """Rows of `drags` drags of fingertips, some on each hand of the queue."""
    random, results, missed = np.random.default_rng(0), [], 0
    while len(results) < drags:
        if len(results) % 4 == 0:
            widget.session.next_open()
            beats.during(lambda: widget.background.model and widget.session.wants_features() is not None, 20)
        beats.during(for_seconds(0.3))
        size = widget.session.mesh.crop_size
        found = one_drag(widget, canvas, int(random.choice(TIPS)), random.normal(0, 0.05 * size, 2))
        if found is not None:
            results.append(found)
            continue
        missed += 1
        if missed > drags + MISSES:
            raise SystemExit(
                f"{missed} of {missed + len(results)} drags took no keypoint: is the canvas on the screen?"
            )
    seconds, cpu, rate, alone = np.array(results).T
    return [
        row("release to new mesh painted, ms", 1000 * seconds, 1000 * cpu),
        row("new meshes painted while dragging, a second", rate, alone, lower_is_worse=True),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--drags", type=int, default=40)
    parser.add_argument("--solver-only", action="store_true", help="without the network's answer to corrections")
    parser.add_argument("--where", action="store_true", help="where the window was when it did not react")
    arguments = parser.parse_args()
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1500, 950)
    _, widget = viewer.window.add_plugin_dock_widget("hand-mesh-annotator", "Hand annotator")
    beats, rows = Beats(), []

    def waits(name, going):
        doing(name)
        beats.where.clear()
        rows.append(row(f"GUI: wait {name}, ms", *beats.during(going).T))
        if arguments.where:
            print(name, *(f"\n  {often:4d} x {place}" for place, often in beats.where.most_common(8)))

    photos = [Path(p) for p in sample_data.photos()][:PHOTOS]
    with tempfile.TemporaryDirectory() as folder:
        doing("reading the model")
        widget.background.with_model(lambda: None)
        beats.during(lambda: widget.background.model is None)
        Project.open_or_create(Path(folder) / "project").close()
        widget.open_project(Path(folder) / "project")
        beats.during(for_seconds(1))  # opening is not proposing
        widget.propose_on(photos, Path(folder) / "project")
        waits("while proposing", lambda: widget.background.proposing)
        if arguments.solver_only:
            widget.background.model = widget.session.model = None
        doing(f"{arguments.drags} drags")
        rows += drag_rows(widget, canvas_of(viewer), beats, arguments.drags)
        for entry in list(widget.session.queue):
            widget.session.go(entry.id)
            widget.session.set_state("accepted")
        beats.during(for_seconds(2))
        waits("at rest", for_seconds(5))
        widget.export("freihand", Path(folder) / "out")
        waits("while exporting", lambda: widget.background.exported is not None)
        widget.close_project()
        viewer.close()
    print(markdown(HEAD, rows))


if __name__ == "__main__":
    main()
