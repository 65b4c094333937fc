"""How the photo is shown: three sliders, buttons for dark and for dull photos, and one back to how it is."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from napari_hand_mesh.canvas.tones import Tones
from napari_hand_mesh.docks.verdict_bar import quiet

# name -> (lowest, highest, plain), in hundredths
SLIDERS = {"brightness": (-60, 60, 0), "contrast": (40, 300, 100), "gamma": (30, 300, 100)}


class PictureForm(QWidget):
    """changed: the `Tones` that are wanted now; lifted, stretched: the button for a dark
    photo was pressed, or for a dull one."""

    changed = Signal(object)
    lifted = Signal()
    stretched = Signal()

    def __init__(self) -> None:
        super().__init__()
        grid = QGridLayout()
        grid.setSpacing(2)
        self.sliders: dict[str, QSlider] = {}
        for row, (name, (low, high, plain)) in enumerate(SLIDERS.items()):
            slider = QSlider(Qt.Orientation.Horizontal)
            slider.setRange(low, high)
            slider.setValue(plain)
            slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            slider.setAccessibleName(name)
            slider.valueChanged.connect(lambda _value: self.changed.emit(self.tones))
            self.sliders[name] = slider
            grid.addWidget(QLabel(name.capitalize()), row, 0)
            grid.addWidget(slider, row, 1)
        lift = quiet("Lift dark photo", "a gamma that brings this photo's middle value to mid grey")
        lift.clicked.connect(lambda _checked=False: self.lifted.emit())
        stretch = quiet("Spread", "contrast that spreads this photo's values over all there is, as of 12-bit cameras")
        stretch.clicked.connect(lambda _checked=False: self.stretched.emit())
        back = quiet("As it is", "the photo as it is in its file")
        back.clicked.connect(lambda _checked=False: self.show_tones(Tones()))
        buttons = QHBoxLayout()
        buttons.addWidget(lift)
        buttons.addWidget(stretch)
        buttons.addWidget(back)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(grid)
        layout.addLayout(buttons)

    @property
    def tones(self) -> Tones:
        brightness, contrast, gamma = (slider.value() / 100 for slider in self.sliders.values())
        return Tones(brightness, contrast, gamma)

    def show_tones(self, tones: Tones) -> None:
        """Put the sliders there; `changed` is told once."""
        for name, slider in self.sliders.items():
            slider.blockSignals(True)
            slider.setValue(round(100 * getattr(tones, name)))
            slider.blockSignals(False)
        self.changed.emit(self.tones)
