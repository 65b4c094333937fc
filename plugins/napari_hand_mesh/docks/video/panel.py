"""The dock of a video: where one is in it, buttons that go through it, and the strip of its tracks."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_hand_mesh.docks.still import Still
from napari_hand_mesh.docks.verdict_bar import quiet
from napari_hand_mesh.docks.video.strip_view import COLOURS, StripView
from napari_hand_mesh.session import keys
from napari_hand_mesh.session.session import Session
from napari_hand_mesh.session.video.timeline import Timeline

ICONS = {
    "previous_frame": "◀", "play": "▶", "next_frame": "▶|", "previous_doubtful": "◀!", "next_doubtful": "!▶",
    "needs_you": "◇", "other_track": "⇅", "propagate_backward": "⇤", "propagate_forward": "⇥", "accept_to_here": "✔",
}  # fmt: skip
LINE = 24  # px


class VideoPanel(QWidget):
    """acted: the name of one of keys.ACTIONS; chosen: a hand's id; missed: words about a click beside all hands."""

    acted = Signal(str)
    chosen = Signal(str)
    missed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.timeline = Timeline()
        self.strip = StripView(self.timeline)
        self.strip.chosen.connect(self.chosen)
        self.strip.missed.connect(self.missed)
        self.where = QLabel("")
        self.where.setAccessibleName("where in the video")
        self.where.setStyleSheet("font-size: 11px")
        self.where.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.legend = QLabel(
            " ".join(f'<span style="color: {colour}">■</span> {mark}' for mark, colour in COLOURS.items())
        )
        self.legend.setStyleSheet("font-size: 10px")
        self.buttons: dict[str, QPushButton] = {}
        known = {action.name: action for action in keys.ACTIONS}
        row = QHBoxLayout()
        row.setSpacing(3)
        for action in (known[name] for name in ICONS):  # from left to right
            button = quiet(f"{ICONS[action.name]} {action.button}", f"{action.words}  [{keys.shown(action.key)}]")
            button.setAccessibleName(action.button)
            button.setFixedHeight(LINE)
            button.setStyleSheet("font-size: 11px; padding: 0 4px")
            button.clicked.connect(lambda _checked=False, name=action.name: self.acted.emit(name))
            self.buttons[action.name] = button
            row.addWidget(button)
        row.addStretch(1)
        words = QHBoxLayout()
        words.addWidget(Still(self.where), 1)
        words.addWidget(self.legend)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 2, 4, 2)
        layout.setSpacing(2)
        layout.addLayout(words)
        layout.addWidget(self.strip)
        layout.addLayout(row)
        self.setFixedHeight(self.strip.height() + LINE + 16 + 12)

    def show_session(self, session: Session | None) -> None:
        """After any change of the session; None: it is over."""
        self.timeline.follow(session)
        self.strip.show_session(session)
        self.where.setText(self.timeline.words() if session is not None else "")
        on_track = self.timeline.entry() is not None
        for button in self.buttons.values():
            button.setEnabled(on_track)

    def show_playing(self, playing: bool) -> None:
        self.buttons["play"].setText("■ Stop" if playing else f"{ICONS['play']} Play")

    def stop(self) -> None:
        """No more work in the background."""
        self.strip.thumbnails.stop()
