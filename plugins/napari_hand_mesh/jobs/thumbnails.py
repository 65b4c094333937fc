"""Small pictures of hands for the queue, and the reasons to look at them, made one by one in a thread of their own.

A queue may have 20,000 hands: only those are made that somebody asked for, the newest wish first, and the last few
hundred are kept.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from qtpy.QtCore import QObject, Qt, QTimer, Signal
from qtpy.QtGui import QImage, QPixmap

from annotator.errors import InputError
from annotator.hand.definitions import JointDefinition
from annotator.hand.mesh import HandMesh
from annotator.project import HandEntry, Project
from annotator.vision.video.background_reading import ReaderBeside
from napari_hand_mesh.session.memory import Recent

SIDE = 40  # px
KEPT = 600  # hands
WAITING = 60  # wishes: more are not in sight at once, older ones are forgotten
PAUSE = 0.03  # s between two: canvas and mouse come first
TOGETHER = 150  # ms: pictures that come within it are shown at once
ROUND = 1.15  # of the crop's side: what is shown round a hand

Key = tuple[str, int]  # a hand's id and version


def picture(photo: np.ndarray, hand: HandMesh, side: int = SIDE) -> np.ndarray:
    """(side, side, 3) uint8: the hand in its photo (H, W, 3), black where the photo ends."""
    half = max(hand.crop_size * ROUND / 2, 1.0)
    x, y = hand.crop_center
    box = (round(x - half), round(y - half), round(x + half), round(y + half))
    return np.asarray(Image.fromarray(photo).crop(box).resize((side, side), Image.Resampling.BOX))


class Thumbnails(QObject):
    """came: the ids of hands whose pictures and reasons are there now, a frozenset. Those of some moments are told
    together: whatever shows them, the whole window is put together anew for it."""

    came = Signal(object)
    _one = Signal(str)  # from the thread

    def __init__(self, words: Callable[[HandMesh, JointDefinition], str], parent: QObject | None = None):
        super().__init__(parent)
        self._words = words
        self._made: Recent[tuple[np.ndarray | None, str]] = Recent(KEPT)
        self._pixmaps: Recent[QPixmap] = Recent(KEPT)
        self._wanted: dict[Key, HandEntry] = {}
        self._changed = threading.Condition()
        self._folder: Path | None = None
        self._thread: threading.Thread | None = None
        self._told: set[str] = set()
        self._telling = QTimer(self)
        self._telling.setSingleShot(True)
        self._telling.setInterval(TOGETHER)
        self._telling.timeout.connect(self._tell)
        self._one.connect(self._note)

    def start(self, folder: Path) -> None:
        """Hands of the project in this folder from now on."""
        self.stop()
        self._folder = folder
        self._made.clear()
        self._pixmaps.clear()

    def stop(self) -> None:
        """No more; waits for the one under way."""
        thread, self._thread = self._thread, None
        with self._changed:
            self._folder = None
            self._wanted.clear()
            self._changed.notify()
        if thread is not None:
            thread.join()

    def reason(self, entry: HandEntry) -> str | None:
        """Why to look at the hand; None: not known yet, and asked for."""
        made = self._made.get(_key(entry))
        if made is None:
            self._ask(entry)
        # what its track says against it comes first: that is known without looking
        return None if made is None else "; ".join([*entry.reasons, made[1]])

    def pixmap(self, entry: HandEntry) -> QPixmap | None:
        """The hand's picture; None: there is none, or not yet."""
        key = _key(entry)
        known = self._pixmaps.get(key)
        if known is None:
            made = self._made.get(key)
            if made is None:
                self._ask(entry)
                return None
            if made[0] is None:
                return None
            data = np.ascontiguousarray(made[0])
            image = QImage(data.tobytes(), SIDE, SIDE, 3 * SIDE, QImage.Format.Format_RGB888)
            known = self._pixmaps[key] = QPixmap.fromImage(image.convertToFormat(QImage.Format.Format_RGB32))
        return known

    def _ask(self, entry: HandEntry) -> None:
        if self._folder is None:
            return
        with self._changed:
            self._wanted.pop((entry.id, entry.version), None)
            self._wanted[entry.id, entry.version] = entry
            while len(self._wanted) > WAITING:
                self._wanted.pop(next(iter(self._wanted)))
            self._changed.notify()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, args=(self._folder,), name="thumbnails", daemon=True)
            self._thread.start()

    def _note(self, hand_id: str) -> None:
        self._told.add(hand_id)
        if not self._telling.isActive():
            self._telling.start()

    def _tell(self) -> None:
        told, self._told = frozenset(self._told), set()
        self.came.emit(told)

    def _work(self, folder: Path) -> None:
        reader, photos = ReaderBeside(), Recent[np.ndarray](2)
        with Project.open(folder) as project:
            while True:
                with self._changed:
                    while self._folder == folder and not self._wanted:
                        self._changed.wait()
                    if self._folder != folder:
                        return
                    entry = self._wanted[next(reversed(self._wanted))]
                made = self._make(project, entry, lambda path: photos.or_made(path, lambda: reader.read(path)))
                with self._changed:
                    if self._folder != folder:
                        return
                    self._wanted.pop((entry.id, entry.version), None)
                    self._made[_key(entry)] = made
                    self._one.emit(entry.id)
                time.sleep(PAUSE)

    def _make(
        self, project: Project, entry: HandEntry, read: Callable[[str], np.ndarray]
    ) -> tuple[np.ndarray | None, str]:
        try:
            hand = project.mesh(entry.id)
            words = self._words(hand, project.definition())
        except InputError as error:
            return None, str(error)
        try:
            return picture(read(entry.photo), hand), words
        except InputError:
            return None, words  # a photo that is gone is said when one goes there


def _key(entry: HandEntry) -> str:
    return f"{entry.id} {entry.version}"


def blank() -> QPixmap:
    """What stands for a picture that is not there yet."""
    pixmap = QPixmap(SIDE, SIDE)
    pixmap.fill(Qt.GlobalColor.transparent)
    return pixmap
