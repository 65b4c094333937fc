"""A project of 20,000 hands in the plugin: how long it takes to open it, and to go to the next hand.

    xvfb-run -a python benchmarks/plugin_large_project.py [--hands 20000] [--steps 40] [--project FOLDER]

In a real napari window (under Xvfb: software OpenGL), without the network. A time ends when the canvas has painted the
hand and Qt has nothing left to do; CPU time is the process's own, of all its threads, and does not grow when other
programs share the machine. The hands are random ones, on copies of a sample photo, two on each.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import napari
import numpy as np
from qtpy.QtWidgets import QApplication

sys.path.insert(0, str(Path(__file__).parent))

from kill_store import SOURCE, random_mesh
from tables import markdown

from annotator import sample_data
from annotator.project import Project
from annotator.project.entering import intake
from annotator.project.records.views import StoredPhoto
from annotator.vision.photos import photo_hash, read_photo

DISTINCT = 200  # meshes


def build(folder: Path, count: int) -> None:
    path = Path(sample_data.photos()[0])
    height, width = read_photo(path).shape[:2]
    prepared = [intake.prepare(random_mesh(k).replace(confidence=0.3 + k / 1000)) for k in range(DISTINCT)]
    with Project.create(folder) as project:
        for first in range(0, count, 2000):
            with project._database.writing() as connection:
                source = intake.add_source(connection, SOURCE)
                for number in range(first, min(first + 2000, count), 2):
                    copy = folder / "photos" / f"photo-{number:05d}.jpg"
                    copy.parent.mkdir(exist_ok=True)
                    data = path.read_bytes() + number.to_bytes(4, "little")  # another file to every hash
                    copy.write_bytes(data)
                    header = intake.Header(copy, photo_hash(copy), width, height, len(data))
                    stored = StoredPhoto(
                        intake.add_photo(connection, folder, header), copy, header.sha256, width, height
                    )
                    for k in (number, number + 1):
                        intake.add_hand(connection, stored, source, prepared[7 * k % DISTINCT], "benchmark")


def timed(work) -> tuple[float, float]:
    """(ms, ms of CPU) until everything is painted."""
    start, cpu = time.perf_counter(), time.process_time()
    work()
    for _ in range(3):  # what comes after the canvas is started by a timer
        QApplication.processEvents()
    return 1000 * (time.perf_counter() - start), 1000 * (time.process_time() - cpu)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--hands", type=int, default=20_000)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--project", type=Path, help="one that an earlier run left here; made if it is missing")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.project or Path(temporary) / "project"
        if not folder.exists():
            build(folder, arguments.hands)
        viewer = napari.Viewer(show=True)
        viewer.window.resize(1500, 950)
        _, widget = viewer.window.add_plugin_dock_widget("hand-mesh-annotator", "Hand annotator")
        widget._network = False
        QApplication.processEvents()
        opened = []
        for _ in range(3):
            opened.append(timed(lambda: widget.open_project(folder)))
            if len(opened) < 3:
                widget.close_project()
        times = {"next hand": [], "accept, then next hand": [], "filter: all, then to do": []}
        for at in range(arguments.steps):
            times["next hand"].append(timed(lambda: widget.act("next_open")))
            time.sleep(0.05)
            times["accept, then next hand"].append(timed(lambda: widget.act("accept")))
            if at % 8 == 0:
                times["filter: all, then to do"].append(
                    timed(lambda: [widget.queue.filter.setCurrentText(name) for name in ("all", "to do")])
                )
        widget.close_project()
        viewer.close()
    rows = []
    for name, values in {"open the project": opened, **times}.items():
        wall, cpu = np.transpose(values)
        numbers = (*np.percentile(wall, [50, 95]), wall.max(), np.median(cpu), cpu.max())
        rows.append([name, len(values), f"{wall[0]:.0f}", *(f"{value:.0f}" for value in numbers)])
    print(
        markdown(
            [f"{arguments.hands} hands, ms", "n", "first", "median", "p95", "worst", "CPU median", "CPU worst"], rows
        )
    )


if __name__ == "__main__":
    main()
