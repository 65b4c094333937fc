"""Opens napari with the hand annotator docked: what `annotator gui` calls."""

from __future__ import annotations

from pathlib import Path


def first_start() -> bool:
    """Whether nobody has opened the window here before; from now on somebody has."""
    from qtpy.QtCore import QSettings

    noted = QSettings("hand-mesh-annotator", "window")
    seen = noted.value("seen", "no") == "yes"
    noted.setValue("seen", "yes")
    return not seen


def launch(project: str | Path | None = None) -> None:
    """Open the window, on a project if one is given, and stay until it is closed. ImportError without napari or Qt."""
    import napari
    import napari.settings as settings
    import qtpy  # (says in plain words when no Qt is installed)
    from qtpy.QtCore import QTimer

    application = settings.get_settings().application
    level = application.gui_notification_level
    application.gui_notification_level = "error"  # napari's notice on PyQt5 would lie over the photo: we say it below
    viewer = napari.Viewer(title="hand mesh annotator")
    application.gui_notification_level = level
    _, widget = viewer.window.add_plugin_dock_widget("hand-mesh-annotator", "Hand annotator")
    if qtpy.PYQT5:
        widget.say("napari will drop PyQt5: the extra [gui-qt6] has its successor")
    if application.window_size is None:  # nobody has sized napari's window yet
        QTimer.singleShot(0, widget.arrangement.fit)  # when the docks have their places
    if project is not None:
        widget.open_project(project)
    elif first_start():
        QTimer.singleShot(500, widget.start_tour)
    napari.run()
