"""A project of 20,000 hands in the plugin: how long it takes to open it, and to go to the next hand.

    xvfb-run -a python benchmarks/plugin_large_project.py [--hands 20000] [--steps 40] [--photos 0] [--project FOLDER]

In a real napari window (under Xvfb: software OpenGL), without the network. A time ends when the canvas has painted the
hand and Qt has nothing left to do; CPU time is the process's own, of all its threads, and does not grow when other
programs share the machine. The hands are random ones, on copies of a sample photo, two on each. --photos: so many
photos are gone through afterwards, a keypoint of each hand dragged; the resident memory by tenths, and what it grew by
after the first (exit code 1 from 50 MB on).
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from pathlib import Path

import napari
import numpy as np
import psutil
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
GROWN = 50.0  # MB: the most that going through photos may add


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


def walked(widget, photos: int) -> list[float]:
    """MB of resident memory after each tenth of the photos."""
    levels = []
    for number in range(2 * photos):  # two hands a photo
        widget.act("next_open")
        x, y = widget.session.mesh.keypoints[8]
        widget.session.drop(8, (x + 2.0, y + 2.0))
        for _ in range(3):
            QApplication.processEvents()
        if (number + 1) % max(1, photos // 5) == 0:
            gc.collect()
            levels.append(psutil.Process().memory_info().rss / 1e6)
    return levels


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--hands", type=int, default=20_000)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--photos", type=int, default=0, help="to go through while the memory is watched")
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
        levels = walked(widget, arguments.photos)
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
    if not levels:
        return 0
    grown = levels[-1] - levels[0]
    tenths = " ".join(f"{one:.0f}" for one in levels)
    print(f"{arguments.photos} photos gone through, MB by tenths: {tenths}; {grown:+.0f}")
    return int(grown >= GROWN)


if __name__ == "__main__":
    sys.exit(main())
