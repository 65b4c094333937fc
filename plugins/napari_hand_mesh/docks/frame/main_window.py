"""The main window that a widget lies in."""

from __future__ import annotations

from qtpy.QtWidgets import QMainWindow, QWidget


def main_window_of(widget: QWidget) -> QMainWindow | None:
    """napari's window, also from a dock that floats beside it; None as long as the widget is in none."""
    window = widget.window()
    while window is not None and not isinstance(window, QMainWindow):
        window = window.parentWidget().window() if window.parentWidget() is not None else None
    return window
