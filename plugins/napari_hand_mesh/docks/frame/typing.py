"""Which keys are meant for the hand: those pressed while photo or queue have the focus, and no text is being typed."""

from __future__ import annotations

import time
from collections.abc import Callable

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QWidget

from napari_hand_mesh.docks.frame.main_window import main_window_of
from napari_hand_mesh.session import keys

TEXT = 0.8  # s after a letter that is no key of ours: what follows belongs to the same word
FAST = 0.4  # s: verdicts that came so close before such a letter were letters, too
OURS = frozenset(action.key for action in keys.ACTIONS)


class Typing(QObject):
    """Watches the canvas of the widget's window. typed: called when letters turn out to be text that was typed fast."""

    def __init__(self, widget: QWidget, table: QWidget, typed: Callable[[], None]):
        super().__init__(widget)
        self._widget, self._table, self._typed = widget, table, typed
        self._letter = self._key = float("-inf")
        self._watched: QWidget | None = None

    def watch(self) -> None:
        """The canvas, from now on; it gets the focus."""
        window = main_window_of(self._widget)
        canvas = None if window is None else window.centralWidget()
        if canvas is None:
            return
        native = next((child for child in canvas.findChildren(QWidget) if "Canvas" in type(child).__name__), canvas)
        if self._watched is not native:
            self._watched = native
            native.installEventFilter(self)
        self.to_canvas()

    def to_canvas(self) -> None:
        """Keys go to the photo."""
        if self._watched is not None:
            self._watched.setFocus()

    def forget(self) -> None:
        """Nothing was typed."""
        self._letter = self._key = float("-inf")

    def why_not(self) -> str:
        """Why a key is not meant for the hand, in words; "": it is."""
        window, now = main_window_of(self._widget), time.monotonic()
        if window is None:
            return ""
        focus, canvas = window.focusWidget(), window.centralWidget()
        if focus is None or not any(one is focus or one.isAncestorOf(focus) for one in (canvas, self._table)):
            return "keys go to the hand when the photo or the list of hands has the focus: click there"
        if now - self._letter < TEXT:
            self._letter = now
            return "this looks like text being typed: no key was taken for a verdict"
        self._key = now
        return ""

    def eventFilter(self, _watched, event) -> bool:  # noqa: N802
        if event.type() == QEvent.Type.KeyPress:
            shift = Qt.KeyboardModifier.ShiftModifier
            text, held = event.text().upper(), event.modifiers()
            name = f"Shift-{text}" if held == shift else text
            if text.isalpha() and name not in OURS and held in (shift, Qt.KeyboardModifier.NoModifier):
                self._letter = time.monotonic()
                if self._letter - self._key < FAST:
                    self._key = float("-inf")
                    self._typed()
        return False
