"""Whose hands the photo shows: a name to choose or type, what is known of that person, and renewed meshes."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QMenu, QSizePolicy, QVBoxLayout, QWidget

from annotator.project.records.views import Renewal, StoredSubject
from napari_hand_mesh.docks.verdict_bar import quiet
from napari_hand_mesh.session.people import SCOPES, in_words

NOBODY = "hands of …"
TALL = 26  # px of the words: two lines
LISTED = 20  # offers that are named one by one


class SubjectForm(QWidget):
    """assigned(name, scope): a person said whose hands these are ("": nobody's); asked_back: they take it back;
    asked_offers: which hands of the subject have another shape; chosen(hand's id); asked_renewal(ids)."""

    assigned = Signal(str, str)
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
        self.back = quiet("↶", "take back what you said last of whose hands these are")
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
        below.addWidget(self.known, 1)
        below.addWidget(self.back)
        below.addWidget(self.offers)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(2)
        layout.addLayout(row)
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

    def _assign(self) -> None:
        self.assigned.emit(self.names.currentText().strip(), self.scope.currentData())
