"""`annotator gui [PROJECT]`: napari with the hand annotator open."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.metadata import entry_points
from types import ModuleType
from typing import Annotated

import typer


def command(
    project: Annotated[
        str | None,
        typer.Argument(metavar="PROJECT", help="The project's folder, or its postgresql:// URL.", show_default=False),
    ] = None,
) -> None:
    """Open napari with the hand annotator, on a project if one is given."""
    from annotator.errors import InputError

    if project is not None:
        from annotator.project import Project

        Project.open(project).close()  # says what is wrong before a window appears
    if no_display():
        raise InputError("there is no display to open a window on (neither DISPLAY nor WAYLAND_DISPLAY is set)")
    try:
        _plugin("launch").launch(project)
    except ImportError as error:
        raise InputError(f"the window needs napari and Qt ({error}): pip install 'hand-mesh-annotator[gui]'") from error


def no_display() -> bool:
    """Whether this is a system with X or Wayland, and neither is there: Qt would end the process without a
    word to us."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return False
    return not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _plugin(module: str) -> ModuleType:
    """A module of the napari plugin, which stands above this library: found where napari finds it, by its manifest."""
    for manifest in entry_points(group="napari.manifest", name="hand-mesh-annotator"):
        return import_module(f"{manifest.module}.{module}")
    raise ImportError("its plugin is not installed")
