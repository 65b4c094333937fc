"""An ideal person at the window, by real mouse and keys: what `plugin_first_use` and `plugin_actions` count."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import numpy as np
from napari_hand_mesh.canvas.framing import on_canvas
from plugin_probes import Mouse
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QApplication, QDialog, QMessageBox, QWidget

import annotator
from annotator.correcting import solve
from annotator.hand.joints import TIPS
from annotator.project import Project, Provenance

SECONDS = {"drag": 1.0, "key": 0.3, "click": 0.8}
WRONG, NOTICED = 0.15, 0.04  # of the crop


class Person:
    """Eyes, a mouse and a keyboard. did: drags, clicks and keys so far; stops: where they did not know how to go on;
    out: folder for pictures of the window."""

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


def spoil(project: Project, chosen: list[str], random) -> tuple[dict[str, np.ndarray], set[str]]:
    """Two fingertips of every second hand are put wrong, before anybody looks; where all joints should be, id -> (21,
    2) photo px, and the ids of those."""
    truth, spoilt, definition = {}, set(), project.definition()
    for at, hand_id in enumerate(chosen):
        mesh = project.mesh(hand_id)
        truth[hand_id] = definition.keypoints(mesh).copy()
        if at % 2:
            continue
        spoilt.add(hand_id)
        tips = random.choice(TIPS, 2, replace=False)
        way = random.normal(size=(2, 2))
        way *= WRONG * mesh.crop_size / np.linalg.norm(way, axis=1, keepdims=True)
        places = {int(tip): tuple(truth[hand_id][tip] + by) for tip, by in zip(tips, way, strict=True)}
        wrong = solve(mesh, annotator.load_hand(mesh.hand_model), places).hand.replace(corrections={}, features=None)
        project.repropose(hand_id, wrong, Provenance("spoilt", "0" * 64))
    return truth, spoilt


def label(person: Person, truth: np.ndarray) -> None:
    """The hand on the canvas, until it is right; then E. truth (21, 2) photo px, NaN: no matter."""
    widget = person.widget
    hand = widget.session.hand.id
    person.wait(f"{hand} does not come onto the canvas", lambda: widget.is_shown, 20)
    for _ in range(21):
        off = np.linalg.norm(widget.layers.places - truth, axis=1) / widget.session.mesh.crop_size
        off = np.nan_to_num(off)
        worst = int(off.argmax())
        if off[worst] < NOTICED:
            break
        version = widget.session.hand.version
        person.drag(worst, truth[worst])
        if not person.wait(f"{hand}: a drag did nothing", lambda v=version: widget.session.hand.version > v, 20):
            break
    else:
        person.stops.append(f"{hand} is not right after 21 drags")
    person.key("e")
    person.unexpected()
    there = widget.session.project
    person.wait(
        f"{hand} is not accepted by E: {widget.status.text()!r}", lambda: there.hand(hand).state == "accepted", 10
    )


def seconds_of(did: Counter[str]) -> float:
    """What these drags, keys and clicks take."""
    return sum(SECONDS[kind] * count for kind, count in did.items())
