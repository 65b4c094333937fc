"""Which room may use which: read from the imports of every module, at its head, in its functions and for its types."""

from __future__ import annotations

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {"annotator": ROOT / "annotator", "napari_hand_mesh": ROOT / "plugins" / "napari_hand_mesh"}

# room -> the rooms below it that it may use, lowest first; `annotator` is the package itself and its errors
ROOMS = {
    "annotator": "",
    "annotator.hand": "annotator",
    "annotator.files": "annotator",
    "annotator.vision": "annotator hand files",
    "annotator.network": "annotator hand files vision",
    "annotator.detection": "annotator hand files vision network",
    "annotator.synthetic": "annotator hand files vision",
    "annotator.evaluation": "annotator hand",
    "annotator.learning": "annotator hand files vision network detection synthetic evaluation",
    "annotator.correcting": "annotator hand files vision network evaluation",
    "annotator.model": "annotator hand files vision network detection correcting",
    "annotator.project": "annotator hand files vision correcting",
    "annotator.tracking": "annotator hand files vision correcting model project",
    "annotator.reporting": "annotator hand files vision project",
    "annotator.formats": "annotator hand files vision learning correcting project",
    "annotator.proposers": "annotator hand files vision model",
    "annotator.rounds": "annotator hand files vision network synthetic evaluation learning correcting model project",
    "annotator.tools": "annotator hand files vision network detection synthetic evaluation learning model",
    "annotator.serving": "annotator hand files vision network detection correcting model project",
    "annotator.cluster": "annotator hand files vision model project formats rounds tracking",
    "annotator.cli": "annotator hand files vision network evaluation learning correcting model project formats "
    "proposers rounds serving cluster reporting tracking",
    "napari_hand_mesh.session": "annotator hand files vision correcting model project serving",
    "napari_hand_mesh.canvas": "annotator hand vision",
    "napari_hand_mesh.jobs": "annotator hand vision model project formats rounds tracking session",
    "napari_hand_mesh.docks": "annotator hand vision correcting project session canvas jobs",
    "napari_hand_mesh.pointing": "annotator hand vision session canvas",
    "napari_hand_mesh.beside": "annotator hand project session jobs docks",
    "napari_hand_mesh": "annotator hand files vision model project formats session canvas jobs docks pointing beside",
}
QT = {"qtpy", "PyQt5", "PyQt6", "PySide2", "PySide6", "napari", "magicgui"}


@cache
def modules() -> dict[str, Path]:
    """Every module by its full name; a package by its own."""
    found = {}
    for package, folder in PACKAGES.items():
        for path in folder.rglob("*.py"):
            parts = (package, *path.relative_to(folder).with_suffix("").parts)
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports(name: str) -> frozenset[str]:
    """What a module imports, wherever in it the import stands: our own modules, and other packages by their first
    name."""
    path, found = modules()[name], set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute"
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (inside & set(modules())) or {node.module}
    return frozenset(one if one in modules() else one.partition(".")[0] for one in found)


def room(module: str) -> str:
    """The room that a module lies in."""
    parts = module.split(".")
    return next(name for end in (2, 1) if (name := ".".join(parts[:end])) in ROOMS)


def rooms_of(names: str) -> set[str]:
    return {
        name if name == "annotator" else next(room for room in ROOMS if room.endswith(f".{name}"))
        for name in names.split()
    }


def test_every_folder_is_a_room():
    folders = {f"annotator.{path.name}" for path in PACKAGES["annotator"].iterdir() if any(path.glob("*.py"))}
    folders |= {f"napari_hand_mesh.{p.name}" for p in PACKAGES["napari_hand_mesh"].iterdir() if any(p.glob("*.py"))}
    assert folders <= set(ROOMS)


def test_no_room_may_use_one_above_it():
    below: set[str] = set()
    for name, used in ROOMS.items():
        assert rooms_of(used) <= below, f"{name} may use only rooms that come before it in the list"
        below.add(name)


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_uses_only_rooms_below_it(name):
    allowed = rooms_of(ROOMS[name]) | {name}
    wrong = [
        f"{module} imports {used}"
        for module in sorted(modules())
        if room(module) == name
        for used in sorted(imports(module))
        if used in modules() and room(used) not in allowed
    ]
    assert not wrong, "\n".join(wrong)


def test_no_circle():
    graph = {module: imports(module) & set(modules()) for module in modules()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_qt_and_napari_are_the_plugins_alone():
    wrong = [
        f"{module} imports {used}"
        for module in sorted(modules())
        for used in sorted(imports(module) & QT)
        if room(module).startswith("annotator") or room(module).endswith(".session") and used != "napari"
    ]
    assert not wrong, "\n".join(wrong)


def test_packages_of_a_room_have_names():
    """A folder without `__init__.py` would be found from a checkout and be missing from an installation."""
    assert not [
        path
        for folder in PACKAGES.values()
        for path in folder.rglob("*.py")
        if not (path.parent / "__init__.py").is_file()
    ]
