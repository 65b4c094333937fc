"""What the docks show: words, buttons, sliders, and beside them queue, history and side view; the form alone, without
what it does."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from napari_hand_mesh.canvas.layers import STATE_COLOURS
from napari_hand_mesh.docks.depths import DepthList
from napari_hand_mesh.docks.history import HistoryPanel
from napari_hand_mesh.docks.queue_table import QueuePanel
from napari_hand_mesh.docks.side_view import SideView
from napari_hand_mesh.session import keys

BUTTONS_IN_ROW = 4
SIDES = {"side: the network's": None, "left hand": "left", "right hand": "right"}  # of a hand that is drawn
MESH_OPACITY = 55  # percent, at first


class Controls(QWidget):
    """The dock's form.

    queue, side, depths: see their classes; what: of the hand, in words; status: what goes on or went wrong; opacity:
    of the mesh, percent; drawn: which side a hand is of that a person draws a box round. acted: the name of one of
    keys.ACTIONS.
    """

    acted = Signal(str)
    asked_project = Signal()
    asked_photos = Signal()
    asked_export = Signal()
    asked_video = Signal()
    asked_round = Signal()
    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.queue = QueuePanel()
        self.history = HistoryPanel()
        self.side = SideView()
        self.depths = DepthList()
        self.what = QLabel("Open a project, or a folder of photos to make one.")
        self.what.setWordWrap(True)
        self.what.setTextFormat(Qt.TextFormat.RichText)
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.status.setStyleSheet("color: #e0a030")
        self.cancel = self._button(
            "Cancel", "stop what goes on: hands that were found stay, a round can go on later", self.cancelled.emit
        )
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setValue(MESH_OPACITY)
        self.opacity.setFocusPolicy(Qt.FocusPolicy.NoFocus)

        files = QGridLayout()
        files.setSpacing(4)
        for at, (label, tip, call) in enumerate(
            (
                ("Open project …", "a folder made by this plugin or by `annotator`", self.asked_project.emit),
                ("Photos …", "find hands in a folder of photos", self.asked_photos.emit),
                ("Video …", "find hands in frames of a video", self.asked_video.emit),
                ("Export …", "write the accepted hands as a data set", self.asked_export.emit),
                (
                    "Retrain …",
                    "learn from the accepted hands; the network changes only if it gets better",
                    self.asked_round.emit,
                ),
                ("Keys", "all shortcuts", self._show_keys),
            )
        ):
            files.addWidget(self._button(label, tip, call), at // 3, at % 3)
        actions = QGridLayout()
        actions.setSpacing(4)
        shown = [action for action in keys.ACTIONS if action.button]
        for at, action in enumerate(shown):
            button = self._button(
                f"{action.button} ({keys.shown(action.key)})" if len(action.key) == 1 else action.button,
                f"{action.words}  [{keys.shown(action.key)}]", lambda name=action.name: self.acted.emit(name),
            )  # fmt: skip
            actions.addWidget(button, at // BUTTONS_IN_ROW, at % BUTTONS_IN_ROW)
        strength = QHBoxLayout()
        strength.addWidget(QLabel("Mesh"))
        strength.addWidget(self.opacity)
        self.drawn = QComboBox()
        self.drawn.addItems(list(SIDES))
        self.drawn.setToolTip("of a missed hand that you draw a box round")
        self.drawn.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        strength.addWidget(QLabel("Drawn"))
        strength.addWidget(self.drawn)
        legend = QLabel(
            " ".join(f'<span style="color:{colour}">◯</span>&nbsp;{state} ' for state, colour in STATE_COLOURS.items())
        )
        legend.setWordWrap(True)

        layout = QVBoxLayout(self)
        layout.addLayout(files)
        layout.addWidget(self.what)
        layout.addWidget(self.status)
        layout.addWidget(self.cancel)
        layout.addWidget(self.depths)
        layout.addLayout(actions)
        layout.addLayout(strength)
        layout.addWidget(legend)
        layout.addStretch(1)
        self.status.setVisible(False)
        self.cancel.setVisible(False)
        self.setMinimumWidth(420)

    @property
    def drawn_side(self) -> str | None:
        """'left', 'right', or None: the network says."""
        return SIDES[self.drawn.currentText()]

    def say(self, words: str) -> None:
        """Show words about what goes on; none: nothing."""
        self.status.setText(words)
        self.status.setVisible(bool(words))

    def _show_keys(self) -> None:
        dialog = QDialog(self)
        dialog.setWindowTitle("Keys")
        layout = QVBoxLayout(dialog)
        layout.addWidget(QLabel(keys.help_text()))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(dialog.reject)
        layout.addWidget(buttons)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()

    def _button(self, label: str, tip: str, call) -> QPushButton:
        button = QPushButton(label)
        button.setToolTip(tip)
        button.setMinimumHeight(button.sizeHint().height())  # a low window must not cut the labels
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys stay with the canvas
        button.clicked.connect(lambda _checked=False: call())
        return button
