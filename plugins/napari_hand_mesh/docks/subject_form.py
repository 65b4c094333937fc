"""Whose hands the photo shows: a name to choose or type, what a ruler says, what is known, and renewed meshes."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QLabel, QMenu, QSizePolicy, QVBoxLayout, QWidget

from annotator.project.records.views import Renewal, StoredSubject
from napari_hand_mesh.docks.verdict_bar import quiet
from napari_hand_mesh.session.people import SCOPES, in_words

NOBODY = "hands of …"
TALL = 26  # px of the words: two lines
LISTED = 20  # offers that are named one by one
# what a ruler measures -> how, in words
RULED = {
    "length": "from the crease of the wrist to the tip of the stretched middle finger",
    "width": "across the palm at the knuckles, without the thumb",
}
LONGEST = 999.0  # mm that can be typed: what no hand has is refused with its bounds, not cut off


class SubjectForm(QWidget):
    """assigned(name, scope): a person said whose hands these are ("": nobody's); measured(sizes): what a ruler says, a
    size's name -> m, None: no such size; asked_back: they take the last of these back; asked_offers: which hands of the
    subject have another shape; chosen(hand's id); asked_renewal(ids)."""

    assigned = Signal(str, str)
    measured = Signal(object)
    asked_back = Signal()
    asked_offers = Signal()
    chosen = Signal(str)
    asked_renewal = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.menu: QMenu | None = None
        self.names, self.scope = QComboBox(), QComboBox()
        self.names.setEditable(True)
        self.names.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.names.setAccessibleName("whose hands")
        self.names.lineEdit().setPlaceholderText(NOBODY)
        self.names.setToolTip("whose hands the photo shows: choose, or type a new name and Enter")
        self._said = QTimer(self)  # Qt tells Enter twice, as a choice and as a key
        self._said.setSingleShot(True)
        self._said.setInterval(0)
        self._said.timeout.connect(self._assign)
        self.names.activated.connect(lambda _row: self._said.start())
        self.names.lineEdit().returnPressed.connect(self._said.start)
        for scope, words in SCOPES.items():
            self.scope.addItem(words, scope)
        self.scope.setToolTip("which photos show this person's hands")
        self.scope.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.sizes = {name: self._ruler(name) for name in RULED}
        self._shown_mm: dict[str, float] = {}
        self.back = quiet("↶", "take back what you said last of whose hands these are, or of their size")
        self.back.clicked.connect(lambda _checked=False: self.asked_back.emit())
        self.back.setFixedWidth(26)
        self.offers = quiet("Renew …", "hands of this person whose mesh has another shape: give them a renewed one")
        self.offers.clicked.connect(lambda _checked=False: self.asked_offers.emit())
        self.known = QLabel("")
        self.known.setStyleSheet("font-size: 10px")
        self.known.setWordWrap(True)
        self.known.setMinimumHeight(TALL)
        self.known.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.known.setAccessibleName("what is known of this person")
        row = QHBoxLayout()
        row.setSpacing(3)
        for box in (self.names, self.scope):
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            row.addWidget(box, 1)
        below = QHBoxLayout()
        below.setSpacing(3)
        below.addWidget(self.back)
        below.addWidget(self.offers, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(2)
        layout.addLayout(row)
        for box in self.sizes.values():
            layout.addWidget(box)
        layout.addWidget(self.known)
        layout.addLayout(below)
        layout.addStretch(1)
        self.show_person(None, [], False)

    def show_person(self, person: StoredSubject | None, names: Sequence[str], there: bool) -> None:
        """The person of the photo that is looked at; there: whether there is one."""
        self.setEnabled(there)
        if not self.names.lineEdit().hasFocus():  # not while somebody types
            self.names.clear()
            self.names.addItems(["", *names])
            self.names.setCurrentText("" if person is None else person.name)
        sizes = {} if person is None else person.sizes
        for name, box in self.sizes.items():
            self._shown_mm[name] = round(1000 * sizes.get(name, 0.0), box.decimals())
            box.setEnabled(person is not None)
            if not box.hasFocus():
                box.setValue(self._shown_mm[name])
        words = in_words(person) if there else ""
        self.known.setText(words)
        self.known.setToolTip(words)
        self.offers.setEnabled(person is not None and person.shape is not None)

    def show_offers(self, offered: Sequence[Renewal], accepted: Sequence[Renewal]) -> QMenu:
        """A menu: all at once, each to look at, and accepted ones, which are left alone."""
        menu = self.menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        ids = [one.hand for one in offered]
        every = menu.addAction(f"Renew all {len(ids)}" if ids else "every mesh has this shape")
        every.setEnabled(bool(ids))
        every.triggered.connect(lambda _checked=False: self.asked_renewal.emit(ids))
        menu.addSeparator()
        for one in offered[:LISTED]:
            act = menu.addAction(f"{one.hand}: {one.apart_mm:.1f} mm apart")
            act.triggered.connect(lambda _checked=False, hand=one.hand: self.chosen.emit(hand))
        if len(offered) > LISTED:
            menu.addAction(f"and {len(offered) - LISTED} more").setEnabled(False)
        if accepted:
            menu.addAction(f"{len(accepted)} accepted hands have another shape: left alone").setEnabled(False)
        menu.popup(self.offers.mapToGlobal(self.offers.rect().bottomLeft()))
        return menu

    def _ruler(self, name: str) -> QDoubleSpinBox:
        """A field for one size, mm; empty: not measured."""
        box = QDoubleSpinBox()
        box.setRange(0.0, LONGEST)
        box.setDecimals(1)
        box.setPrefix(f"{name} ")
        box.setSuffix(" mm")
        box.setSpecialValueText(f"{name} …")
        box.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
        box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        box.setAccessibleName(f"{name} of the hand, mm")
        box.setToolTip(f"{name} of this person's hand by a ruler, mm: {RULED[name]}; 0: not measured")
        box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # not by the wheel of a mouse that only passes
        box.editingFinished.connect(lambda: self._measured(name))
        return box

    def _measured(self, name: str) -> None:
        value = self.sizes[name].value()
        if value != self._shown_mm[name]:  # Qt tells the end of an edit twice: by Enter, and when the focus goes
            self._shown_mm[name] = value
            self.measured.emit({name: value / 1000 or None})

    def _assign(self) -> None:
        self.assigned.emit(self.names.currentText().strip(), self.scope.currentData())
