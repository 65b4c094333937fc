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
from napari_hand_mesh.canvas.framing import on_canvas
from plugin_probes import Mouse
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QApplication, QDialog, QMessageBox, QWidget
from tables import markdown

import annotator
from annotator.correcting import solve
from annotator.hand.joints import TIPS
from annotator.project import Provenance

SECONDS = {"drag": 1.0, "key": 0.3, "click": 0.8}
WRONG, NOTICED = 0.15, 0.04  # of the crop
SIZE = (1280, 800)


class Person:
    """Eyes, a mouse and a keyboard. stops: where they did not know how to go on."""

    def __init__(self, widget, window: QWidget, out: Path | None):
        self.widget, self.window, self.out = widget, window, out
        self.did: Counter[str] = Counter()
        self.stops: list[str] = []

    def wait(self, what: str, condition, limit: float = 120.0) -> bool:
        """Until it is so; else a stop."""
        end = time.monotonic() + limit
        while not condition():
            if time.monotonic() > end:
                self.stops.append(what)
                return False
            QApplication.processEvents()
            time.sleep(0.003)
        return True

    def rest(self, seconds: float = 0.3) -> None:
        end = time.monotonic() + seconds
        self.wait("", lambda: time.monotonic() > end)

    def see(self, name: str) -> None:
        self.rest()
        if self.out is not None:
            self.window.grab().save(str(self.out / f"{name}.png"))

    def click(self, target: QWidget, place=None) -> None:
        """On the middle of what is seen, or on a place of it."""
        if not target.isVisible():
            self.stops.append(f"what is to be clicked is not on the screen: {target.accessibleName()}")
            return
        mouse = Mouse(target)
        place = (target.width() / 2, target.height() / 2) if place is None else place
        mouse.move(place)
        mouse.press(place)
        mouse.release(place)
        self.did["click"] += 1

    def key(self, letter: str) -> None:
        target = self.window.focusWidget() or self.window
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            key = QKeyEvent(kind, ord(letter.upper()), Qt.KeyboardModifier.NoModifier, letter)
            QApplication.sendEvent(target, key)
        self.did["key"] += 1
        self.rest(0.05)

    def canvas(self) -> QWidget:
        shown = [one for one in QApplication.allWidgets() if "Canvas" in type(one).__name__ and one.isVisible()]
        return max(shown, key=lambda one: one.width() * one.height())

    def drag(self, joint: int, to: np.ndarray) -> None:
        layers, mouse = self.widget.layers, Mouse(self.canvas())
        start = layers.places[joint].copy()
        mouse.move(on_canvas(layers, start))
        mouse.press(on_canvas(layers, start))
        for part in np.linspace(0.2, 1, 6):
            mouse.move(on_canvas(layers, start + (to - start) * part))
            QApplication.processEvents()
        mouse.release(on_canvas(layers, to))
        self.did["drag"] += 1
        self.rest(0.05)

    def unexpected(self) -> None:
        """A dialog nobody asked for is a stop; it is closed."""
        for one in QApplication.topLevelWidgets():
            if isinstance(one, QDialog) and one.isVisible():
                words = one.text() if isinstance(one, QMessageBox) else one.windowTitle()
                self.stops.append(f"a dialog: {words}")
                one.reject()


def spoil(session, chosen: list[str], random) -> tuple[dict[str, np.ndarray], set[str]]:
    """Two fingertips of every second hand are put wrong, before anybody looks; where all joints should be, id -> (21,
    2) photo px, and the ids of those."""
    truth, spoilt = {}, set()
    for at, hand_id in enumerate(chosen):
        mesh = session.project.mesh(hand_id)
        truth[hand_id] = session.definition.keypoints(mesh).copy()
        if at % 2:
            continue
        spoilt.add(hand_id)
        tips = random.choice(TIPS, 2, replace=False)
        way = random.normal(size=(2, 2))
        way *= WRONG * mesh.crop_size / np.linalg.norm(way, axis=1, keepdims=True)
        places = {int(tip): tuple(truth[hand_id][tip] + by) for tip, by in zip(tips, way, strict=True)}
        wrong = solve(mesh, annotator.load_hand(mesh.hand_model), places).hand.replace(corrections={}, features=None)
        session.project.repropose(hand_id, wrong, Provenance("spoilt", "0" * 64))
    return truth, spoilt


def label(person: Person, truth: np.ndarray, most: int = 8) -> None:
    """The hand on the canvas, until it is right; then E. truth (21, 2) photo px, NaN where nobody sees the joint; most:
    drags after which it is a stop."""
    widget = person.widget
    hand = widget.session.hand.id
    person.wait(f"{hand} does not come onto the canvas", lambda: widget.is_shown, 20)
    for _ in range(most):
        off = np.nan_to_num(np.linalg.norm(widget.layers.places - truth, axis=1)) / widget.session.mesh.crop_size
        worst = int(off.argmax())
        if off[worst] < NOTICED:
            break
        version = widget.session.hand.version
        person.drag(worst, truth[worst])
        if not person.wait(f"{hand}: a drag did nothing", lambda v=version: widget.session.hand.version > v, 20):
            break
    else:
        person.stops.append(f"{hand} is not right after {most} drags")
    person.key("e")
    person.unexpected()
    there = widget.session.project
    person.wait(
        f"{hand} is not accepted by E: {widget.status.text()!r}", lambda: there.hand(hand).state == "accepted", 10
    )


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
        truth, wrong = spoil(session, [entry.id for entry in session.queue], np.random.default_rng(0))
        session.read_queue()
        session.go(session.hand.id)  # as it is stored by now
        rows, total = [], Counter()
        while len(rows) < arguments.hands and not person.stops:
            hand_id = session.hand.id
            if session.hand.state == "accepted":  # the samples have no more
                break
            person.rest(0.3)
            before = person.did.copy()
            label(person, truth[hand_id])
            if not rows:
                person.see("4-after-the-first")
            did = person.did - before
            total += did
            seconds = sum(SECONDS[kind] * count for kind, count in did.items())
            rows.append((hand_id, "two wrong" if hand_id in wrong else "right", did["drag"], did["key"], did["click"],
                         f"{seconds:.1f}"))  # fmt: skip
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
