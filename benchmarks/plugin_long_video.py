"""A video of 10 minutes in the plugin: opening it, the next frame, frames elsewhere, and memory while going through it.

    xvfb-run -a python benchmarks/plugin_long_video.py [--frames 18000] [--size 1280x720] [--steps 100] [--folder DIR]

In a real napari window (under Xvfb: software OpenGL) that has stood for some seconds before the project is opened,
without the network. The video (30 frames a second, H.264, a key frame every 250 frames) and a project with two tracks
through all of it, random hands, are made here first, and the video's index with them, as tracking it would have made
it. A time ends when the canvas has painted the hand and Qt has nothing left to do; CPU time is the process's own, of
all its threads, and does not grow when other programs share the machine.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from kill_store import random_mesh
from tables import markdown

from annotator import sample_data
from annotator.project import Project, Provenance
from annotator.project.entering.intake import Header, prepare
from annotator.project.tracks import TrackedProposal
from annotator.vision.photos import read_photo
from annotator.vision.video import open_video

RATE, KEYS = 30, 250
DISTINCT = 200  # meshes
AT_ONCE = 500  # frames in a transaction
STOOD = 3.0  # s: the window, before the project is opened
PICTURES = 60  # of the video, one after the other and back again


def make_video(path: Path, count: int, size: tuple[int, int]) -> None:
    """A photo that wanders; size: (width, height) px."""
    photo = av.VideoFrame.from_ndarray(np.ascontiguousarray(read_photo(sample_data.photos()[0])), format="rgb24")
    still = photo.reformat(size[0], size[1], "rgb24").to_ndarray()
    frames = [
        av.VideoFrame.from_ndarray(np.ascontiguousarray(np.roll(still, 4 * k, 1)), format="rgb24").reformat(
            format="yuv420p"
        )
        for k in range(PICTURES)
    ]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.options = {"preset": "ultrafast", "crf": "30", "g": str(KEYS)}
        for k in range(count):
            at = k % (2 * PICTURES)
            frame = frames[min(at, 2 * PICTURES - 1 - at)]
            frame.pts, frame.time_base = k, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def make_project(folder: Path, video: Path) -> None:
    """Two hands in every frame."""
    source = open_video(video)
    height, width = source.read(0).shape[:2]
    prepared = [prepare(random_mesh(k).replace(confidence=0.3 + k / 1000)) for k in range(DISTINCT)]
    with Project.create(folder) as project:
        tracks = project.new_tracks(2)
        for first in range(0, len(source), AT_ONCE):
            frames = []
            for number in range(first, min(first + AT_ONCE, len(source))):
                header = Header.of(source.place(number).as_path(), (height, width))
                hands = [
                    TrackedProposal(prepared[(7 * number + k) % DISTINCT], track) for k, track in enumerate(tracks)
                ]
                frames.append((header, hands))
            project.add_tracked(frames, Provenance("benchmark", "d" * 64), "tracked by d")


def memory() -> float:
    """MB that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def measured(folder: Path, frames: int, steps: int) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    """(what, (ms, ms of CPU) each time). The last: MB before and after, in place of times."""
    import napari
    from plugin_large_project import timed
    from qtpy.QtWidgets import QApplication

    viewer = napari.Viewer(show=True)
    viewer.window.resize(1500, 950)
    _, widget = viewer.window.add_plugin_dock_widget("hand-mesh-annotator", "Hand annotator")
    widget._network = False
    until = time.monotonic() + STOOD
    while time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.01)
    yield "open the project", [timed(lambda: widget.open_project(folder))]
    widget.video.timeline.follow(widget.session)
    lane = widget.video.timeline.lanes[0]
    widget._go_to_frame(lane.entries[0].id)  # an earlier run may have ended at the last
    QApplication.processEvents()
    before = memory()
    yield "next frame", [timed(lambda: widget.act("next_frame")) for _ in range(steps)]
    yield "frame before", [timed(lambda: widget.act("previous_frame")) for _ in range(steps // 2)]
    yield "the other track", [timed(lambda: widget.act("other_track")) for _ in range(steps // 4)]
    anywhere = np.random.default_rng(0).permutation(frames)[:steps]
    through = np.linspace(0, frames - 1, 6 * steps).astype(int)

    def go(row: int) -> tuple[float, float]:
        return timed(lambda: widget._go_to_frame(lane.entries[row].id))

    yield "a frame anywhere", [go(row) for row in anywhere]
    yield f"through it all, {len(through)} steps", [go(row) for row in through]
    yield "memory", [(before, memory())]
    widget.close_project()
    viewer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--frames", type=int, default=18_000)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--folder", type=Path, help="with what an earlier run made here; made if it is missing")
    arguments = parser.parse_args()
    width, height = (int(side) for side in arguments.size.split("x"))
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "video.mp4").exists():
            make_video(folder / "video.mp4", arguments.frames, (width, height))
        if not (folder / "project").exists():
            make_project(folder / "project", folder / "video.mp4")
        rows, held = [], ""
        for name, values in measured(folder / "project", arguments.frames, arguments.steps):
            if name == "memory":
                held = f"memory: {values[0][0]:.0f} MB opened, {values[0][1]:.0f} MB after going through it"
                continue
            wall, cpu = np.transpose(values)
            numbers = (*np.percentile(wall, [50, 95]), wall.max(), np.median(cpu), cpu.max())
            rows.append([name, len(values), f"{wall[0]:.0f}", *(f"{value:.0f}" for value in numbers)])
    head = [f"{arguments.frames} frames of {arguments.size}, ms", "n", "first", "median", "p95", "worst", "CPU median"]
    print(markdown([*head, "CPU worst"], rows))
    print(held)


if __name__ == "__main__":
    main()
