"""The panel beside the photo: what this hand is, tools with their keys, how things are shown; the form alone, without
what it does. Verdicts and messages are in `verdict_bar`."""

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
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_hand_mesh.canvas.markers import legend
from napari_hand_mesh.docks.depths import DepthList
from napari_hand_mesh.docks.history import HistoryPanel
from napari_hand_mesh.docks.picture_form import PictureForm
from napari_hand_mesh.docks.queue_panel import QueuePanel
from napari_hand_mesh.docks.side_view import SideView
from napari_hand_mesh.docks.still import Still
from napari_hand_mesh.docks.subject_form import SubjectForm
from napari_hand_mesh.docks.verdict_bar import VerdictBar, quiet
from napari_hand_mesh.docks.views.panel import ViewsPanel
from napari_hand_mesh.session import keys

# title: (columns, groups of keys.ACTIONS): where the panel is as narrow as can be, every name is read in full
TOOLS = {"Keypoint under the mouse": (4, ("joint",)), "This hand": (3, ("hand", "step")), "View": (4, ("view",))}
ICONS = {
    "occluded": "✕", "out_of_frame": "△", "confirm": "■", "confirm_all": "■■", "other_depth": "⇅",
    "show_alternatives": "≡", "in_front": "◧", "change_side": "⇄", "delete": "∅", "draw_box": "▢", "next_bare": "▷",
    "undo": "↶", "redo": "↷", "fade_markers": "◌", "mesh_style": "◍", "colour_by_uncertainty": "◐", "look": "⤢",
    "turn_view": "⟳", "mirror_view": "⇋", "swap_views": "▣", "show_layers": "☰",
}  # fmt: skip
SIDES = {"draw: any hand": None, "left hand": "left", "right hand": "right"}  # of a hand that is drawn
MODES = {"zoom: hand": "hand", "zoom: photo": "photo", "zoom: as it is": "free"}
MESH_OPACITY = 55  # percent, at first
TOLD = 90  # px of the words about the hand: six lines
NARROW = 264  # px
EMPTY = (
    "<b>Nothing is open.</b><br>Drop a folder of photos, a video or a project here, or press <i>Photos …</i>. "
    "<br>To try it: <a href='samples' style='color:#7fc4ff'>sample photos</a>; <i>Tour</i> shows what to do."
)


class Controls(QWidget):
    """The panel's form.

    queue, side, depths, views, person, verdicts: see their classes; what: of the hand, in words; status: what goes on
    or went wrong; opacity: of the mesh, percent; drawn: which side a hand is of that a person draws a box round; mode:
    which part of the photo the next hand brings into view. acted: the name of one of keys.ACTIONS.
    """

    acted = Signal(str)
    asked_project = Signal()
    asked_photos = Signal()
    asked_export = Signal()
    asked_video = Signal()
    asked_round = Signal()
    asked_progress = Signal()
    asked_tour = Signal()
    asked_samples = Signal(str)
    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.verdicts = VerdictBar()
        self.verdicts.acted.connect(self.acted)
        self.verdicts.cancel.clicked.connect(lambda _checked=False: self.cancelled.emit())
        self.status, self.cancel = self.verdicts.status, self.verdicts.cancel
        self.queue = QueuePanel()
        self.search = self.queue.search
        self.history = HistoryPanel()
        self.side = SideView()
        self.depths = DepthList()
        self.views = ViewsPanel()
        self.person = SubjectForm()
        self.what = QLabel(EMPTY)
        self.what.setWordWrap(True)
        self.what.setTextFormat(Qt.TextFormat.RichText)
        self.what.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.what.setFixedHeight(TOLD)  # longer words move nothing
        self.what.setAccessibleName("this hand")
        self.what.linkActivated.connect(self.asked_samples)
        self.what.setStyleSheet("font-size: 11px")
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setValue(MESH_OPACITY)
        self.opacity.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.opacity.setAccessibleName("opacity of the mesh")
        self.picture = PictureForm()
        self.picture.setVisible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(4)
        layout.addLayout(self._files())
        layout.addWidget(Still(self.what))
        layout.addWidget(self.depths)
        self.tools: dict[str, QToolButton] = {}
        for title, (columns, groups) in TOOLS.items():
            layout.addWidget(QLabel(f"<small>{title}</small>"))
            layout.addLayout(self._tools(groups, columns))
        layout.addLayout(self._settings())
        layout.addWidget(self.picture)
        words = QLabel(f"<small>{legend()}</small>")
        words.setWordWrap(True)
        layout.addWidget(words)
        layout.addStretch(1)
        self.setMinimumWidth(NARROW)

    def _files(self) -> QGridLayout:
        files = QGridLayout()
        files.setSpacing(3)
        self.files: dict[str, QPushButton] = {}
        for at, (label, tip, call) in enumerate(
            (
                ("Project …", "open a project: a folder made by this window or by `annotator`",
                 self.asked_project.emit),
                ("Photos …", "find hands in a folder of photos", self.asked_photos.emit),
                ("Video …", "find hands in frames of a video", self.asked_video.emit),
                ("Export …", "write the accepted hands as a data set", self.asked_export.emit),
                ("Retrain …", "learn from the accepted hands; the network changes only if it gets better",
                 self.asked_round.emit),
                ("Progress", "hands judged and left, by person and over time, and where the time went",
                 self.asked_progress.emit),
                ("Keys", "all shortcuts", self._show_keys),
                ("Tour", "six steps through the first hands", self.asked_tour.emit),
            )
        ):  # fmt: skip
            button = quiet(label, tip)
            # it takes the keys along: what is typed for its form reaches no hand, should the form not open
            button.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            button.setStyleSheet("font-size: 11px; padding: 2px 0")
            button.setMinimumHeight(button.sizeHint().height())
            button.clicked.connect(lambda _checked=False, call=call: call())
            files.addWidget(button, at // 4, at % 4)
            self.files[label.partition(" ")[0]] = button
            if label.startswith("Export"):
                self.asking = button
        return files

    def _tools(self, groups: tuple[str, ...], columns: int) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(3)
        shown = [action for group in groups for action in keys.ACTIONS if action.button and action.group == group]
        for at, action in enumerate(shown):
            button = QToolButton()
            button.setText(f"{ICONS[action.name]} {action.button}\n{keys.shown(action.key)}")
            button.setToolTip(f"{action.words}  [{keys.shown(action.key)}]")
            button.setAccessibleName(action.button)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys stay with the canvas
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            button.setFixedHeight(31)
            button.setStyleSheet("font-size: 10px")
            button.clicked.connect(lambda _checked=False, name=action.name: self.acted.emit(name))
            self.tools[action.name] = button
            grid.addWidget(button, at // columns, at % columns)
        return grid

    def _settings(self) -> QVBoxLayout:
        self.drawn, self.mode = QComboBox(), QComboBox()
        self.drawn.addItems(list(SIDES))
        self.drawn.setToolTip("of a missed hand that you draw a box round")
        self.mode.addItems(list(MODES))
        self.mode.setToolTip("which part of the photo comes into view with the next hand")
        for box in (self.drawn, self.mode):
            box.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            box.setStyleSheet("font-size: 11px")
        combos = QHBoxLayout()
        combos.addWidget(self.mode)
        combos.addWidget(self.drawn)
        strength = QHBoxLayout()
        strength.addWidget(QLabel("Mesh"))
        strength.addWidget(self.opacity, 1)
        more = quiet("Photo ▾", "contrast, brightness and gamma of the photo as it is shown")
        more.setCheckable(True)
        more.toggled.connect(self.picture.setVisible)
        strength.addWidget(more)
        both = QVBoxLayout()
        both.setSpacing(3)
        both.addLayout(combos)
        both.addLayout(strength)
        return both

    @property
    def drawn_side(self) -> str | None:
        """'left', 'right', or None: the network says."""
        return SIDES[self.drawn.currentText()]

    @property
    def view_mode(self) -> str:
        """'hand', 'photo' or 'free': what comes into view with the next hand."""
        return MODES[self.mode.currentText()]

    def say(self, words: str) -> None:
        """Show words about what goes on, in their place below the photo; none: nothing."""
        self.verdicts.say(words)

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
