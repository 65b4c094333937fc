"""A round of active learning from the window: `annotator round` in a process of its own, so that nothing freezes."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from qtpy.QtCore import QObject, QProcess, Qt, Signal
from qtpy.QtGui import QPixmap
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QLabel, QScrollArea, QVBoxLayout, QWidget

COMMAND = "import sys; from annotator.cli import main; sys.exit(main())"
STEP = re.compile(r"^(?P<step>.+?) (?P<done>\d+)/(?P<total>\d+)( (?P<numbers>.*))?$")
WIDEST = 900  # px of a picture in the dialog


class Retraining(QObject):
    """One round at a time. progress(words, done, total); finished(the command's JSON, {} where there is none, what went
    wrong or "")."""

    progress = Signal(str, int, int)
    finished = Signal(dict, str)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._process: QProcess | None = None
        self._cancelled = False
        self._last = ""

    @property
    def running(self) -> bool:
        return self._process is not None

    def start(self, project: Path, options: list[str] = ()) -> None:
        """Begin, or go on with, a round of this project. options: of `annotator round`."""
        self._process, self._cancelled, self._last = QProcess(self), False, ""
        self._process.readyReadStandardError.connect(self._heard)
        self._process.finished.connect(self._ended)
        self._process.errorOccurred.connect(self._failed)
        self._process.start(sys.executable, ["-c", COMMAND, "round", str(project), "--json", *options])

    def cancel(self) -> None:
        """Stop; the round's checkpoints stay, so that the next start goes on from there."""
        if self._process is not None:
            self._cancelled = True
            self._process.terminate()

    def stop(self) -> None:
        """The window closes: do not wait for a round, it can go on another day."""
        if self._process is not None:
            process, self._process = self._process, None
            process.blockSignals(True)
            process.terminate()
            if not process.waitForFinished(3000):
                process.kill()

    def _heard(self) -> None:
        text = bytes(self._process.readAllStandardError()).decode(errors="replace")
        for line in filter(None, (one.strip() for one in re.split(r"[\r\n]+", text))):
            self._last = line
            step = STEP.match(line)
            if step:
                words = f"{step['step']} {step['done']} of {step['total']}"
                self.progress.emit(words, int(step["done"]), int(step["total"]))

    def _ended(self, code: int, _status) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        out = bytes(process.readAllStandardOutput()).decode(errors="replace").strip()
        process.deleteLater()
        if self._cancelled:
            self.finished.emit({}, "the round was stopped; the next start goes on with it")
            return
        try:
            said = json.loads(out.splitlines()[-1]) if code == 0 else {}
        except (ValueError, IndexError):
            said = {}
        self.finished.emit(said, "" if said else plain(self._last) or f"the round ended with exit status {code}")

    def _failed(self, error) -> None:
        if error == QProcess.ProcessError.FailedToStart and self._process is not None:
            process, self._process = self._process, None
            process.deleteLater()
            self.finished.emit({}, f"Python ({sys.executable}) could not be started")


def plain(line: str) -> str:
    """A command's line as the window says it: without who speaks."""
    return re.sub(r"^(annotator: )?(error: )?", "", line)


class RoundResult(QDialog):
    """What a round gave: its verdict, curves, and hands before and after."""

    def __init__(self, said: dict, parent=None):
        super().__init__(parent)
        self.setWindowTitle(f"Round {said['round']}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        verdict = "The new network takes over" if said["promoted"] else "The old network stays"
        layout = QVBoxLayout(self)
        words = QLabel(f"<b>{verdict}</b>: {said['why']}")
        words.setWordWrap(True)
        layout.addWidget(words)
        report = said.get("report", {})
        pictures = QWidget()
        below = QVBoxLayout(pictures)
        for name in ("curves", "before_after"):
            picture = QPixmap(report.get(name) or "")
            if not picture.isNull():
                shown = QLabel()
                shown.setPixmap(
                    picture.scaledToWidth(min(WIDEST, picture.width()), Qt.TransformationMode.SmoothTransformation)
                )
                below.addWidget(shown)
        area = QScrollArea()
        area.setWidget(pictures)
        layout.addWidget(area, 1)
        if report.get("page"):
            page = QLabel(f"The whole report: {report['page']}")
            page.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            layout.addWidget(page)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)
        self.resize(WIDEST + 80, 760)
