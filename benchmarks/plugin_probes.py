"""What `plugin_latency` looks through: paints of the canvas, gaps of the GUI's thread, a hand on a real mouse."""

from __future__ import annotations

import collections
import sys
import threading
import time
import traceback
from collections.abc import Callable

import numpy as np
from qtpy.QtCore import QEvent, QObject, QPoint, QPointF, Qt, QTimer
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication, QOpenGLWidget, QWidget

LONG = 0.05  # s: a gap of the GUI's thread that a person may feel


class Paints(QObject):
    """Counts the frames of a canvas, when each is on the screen: after Qt has composed and swapped it. at: s of the
    last one by the clock, and of the GUI thread's CPU time."""

    def __init__(self, watched: QOpenGLWidget):
        super().__init__()
        self.count, self.at = 0, (0.0, 0.0)
        watched.frameSwapped.connect(self._swapped)

    def _swapped(self) -> None:
        self.count += 1
        self.at = time.perf_counter(), time.thread_time()


class Beats:
    """Beats of a 5 ms timer of the GUI's thread: how long it did not come back to Qt's loop.

    gaps (N, 2) ms: by the clock, and the CPU time of that thread meanwhile. The second is what our own code, napari's
    and Qt's took; the first has also what other programs took from this one on a busy machine. where: the innermost
    lines of ours and napari's in which the thread was found during gaps over LONG, with how often.
    """

    def __init__(self):
        self.timer = QTimer()
        self.timer.setInterval(5)
        self.timer.timeout.connect(self._beat)
        self.gaps: list[tuple[float, float]] = []
        self.where: collections.Counter[str] = collections.Counter()
        self._last = self._cpu = 0.0
        self._main, self._on = threading.get_ident(), False
        threading.Thread(target=self._watch, daemon=True).start()

    def during(self, going: Callable[[], bool], limit: float = 600.0) -> np.ndarray:
        """Runs Qt's loop while `going()`; the gaps."""
        self.gaps, self._last, self._cpu, self._on = [], time.perf_counter(), time.thread_time(), True
        self.timer.start()
        end = time.monotonic() + limit
        while going() and time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.0005)
        self.timer.stop()
        self._on = False
        return np.array(self.gaps).reshape(-1, 2)

    def _beat(self) -> None:
        now, cpu = time.perf_counter(), time.thread_time()
        self.gaps.append((1000 * (now - self._last), 1000 * (cpu - self._cpu)))
        self._last, self._cpu = now, cpu

    def _watch(self) -> None:
        while True:
            time.sleep(0.01)
            if self._on and time.perf_counter() - self._last > LONG:
                frames = traceback.extract_stack(sys._current_frames()[self._main])
                ours = [f for f in frames if "napari" in f.filename or "/annotator/" in f.filename]
                names = (f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno} {f.name}" for f in ours[-2:])
                self.where[" > ".join(names)] += 1


class Mouse:
    """Mouse events for a widget, as the window system sends them."""

    def __init__(self, widget: QWidget):
        self.widget, self.held = widget, Qt.MouseButton.NoButton

    def move(self, place: tuple[float, float]) -> None:
        self._send(QEvent.Type.MouseMove, place, Qt.MouseButton.NoButton)

    def press(self, place: tuple[float, float]) -> None:
        self.held = Qt.MouseButton.LeftButton
        self._send(QEvent.Type.MouseButtonPress, place, Qt.MouseButton.LeftButton)

    def release(self, place: tuple[float, float]) -> None:
        self.held = Qt.MouseButton.NoButton
        self._send(QEvent.Type.MouseButtonRelease, place, Qt.MouseButton.LeftButton)

    def _send(self, kind, place, button) -> None:
        local = QPointF(*place)
        across = QPointF(self.widget.mapToGlobal(QPoint(int(place[0]), int(place[1]))))
        event = QMouseEvent(kind, local, across, button, self.held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(self.widget, event)
