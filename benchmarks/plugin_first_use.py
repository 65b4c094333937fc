"""A new user of the napari plugin, from the first screen alone: ten sample hands are labelled by real mouse and keys.

    xvfb-run -a -s "-screen 0 1280x800x24" python benchmarks/plugin_first_use.py [--hands 10] [--out FOLDER]

The script knows nothing but what the screen says. It clicks the link of the empty window while the tour stands there,
as at a first start; then it judges hand after hand as they come. Every place where what the screen says does not
happen, or a dialog comes that nobody asked for, is printed as a stop.

In half of the hands two fingertips are wrong: a mesh that was bent until they are 0.15 of the crop beside where the
network had them. The person is ideal: they know where the joints are (there), drag the worst keypoint that is farther
off than 0.04 of the crop, and accept when none is. Counted are drags, clicks and keys; seconds are 1.0 a drag, 0.3 a
key, 0.8 a click. --out: pictures of the window at each step.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

os.environ["NAPARI_CONFIG"] = ""  # napari's own settings; nothing of this run is kept

import napari
import numpy as np
from napari_hand_mesh import reader
from plugin_person import Person, label, seconds_of, spoil
from tables import markdown

SIZE = (1280, 800)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--hands", type=int, default=10)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
    napari.settings.get_settings().application.gui_notification_level = "error"
    viewer = napari.Viewer(show=True, title="hand mesh annotator")
    _, widget = viewer.window.add_plugin_dock_widget("hand-mesh-annotator", "Hand annotator")
    window = widget.arrangement.window
    person = Person(widget, window, arguments.out)
    person.rest(1.0)
    widget.arrangement.fit()  # as the command `annotator gui` does
    window.resize(*SIZE)
    person.rest(1.0)
    with tempfile.TemporaryDirectory() as folder:
        reader.tempfile = type(sys)("here")  # the sample project, in a folder that goes away
        reader.tempfile.mkdtemp = lambda prefix="": str(Path(folder) / "samples")
        person.see("1-start")
        widget.start_tour()  # as the first start does
        person.see("2-tour")
        text = widget.what
        for y in range(4, text.height(), 6):  # along the words, until the link is under the mouse
            for x in range(6, text.width(), 12):
                if widget.session is None:
                    person.click(text, (x, y))
        person.did["click"] = 1
        begun = time.monotonic()
        if person.wait("the link of the first screen opens nothing", lambda: widget.session is not None, 30):
            person.wait("no hand comes", lambda: widget.session.hand is not None, 300)
        first = time.monotonic() - begun
        person.wait("the tour does not go on", lambda: widget._tour is not None and widget._tour.at == 2, 10)
        person.see("3-first-hand")
        person.wait("the samples do not end", lambda: not widget.background.proposing, 600)
        session = widget.session
        session.read_queue()
        truth, wrong = spoil(session.project, [entry.id for entry in session.queue], np.random.default_rng(0))
        session.read_queue()
        session.go(session.hand.id)  # as it is stored by now
        rows, total = [], Counter()
        while len(rows) < arguments.hands and not person.stops:
            hand_id = session.hand.id
            person.rest(0.3)
            before = person.did.copy()
            label(person, truth[hand_id])
            if not rows:
                person.see("4-after-the-first")
            did = person.did - before
            total += did
            rows.append((hand_id, "two wrong" if hand_id in wrong else "right", did["drag"], did["key"], did["click"],
                         f"{seconds_of(did):.1f}"))  # fmt: skip
        person.see("5-end")
        counts = Counter(entry.state for entry in session.project.hands())
        widget.close_project()
        viewer.close()
    print(markdown(("hand", "at first", "drags", "keys", "clicks", "seconds"), rows))
    many = len(rows)
    each = sum(total.values()) / max(many, 1)
    print(f"{counts['accepted']} of {many} accepted; {each:.1f} actions a hand; first hand after {first:.0f} s")
    print(f"{len(person.stops)} stops", *(f"\n- {stop}" for stop in person.stops))


if __name__ == "__main__":
    main()
