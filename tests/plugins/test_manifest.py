"""The plugin as napari finds it: manifest, readers, shortcuts, command. Needs no display."""

from __future__ import annotations

from pathlib import Path

import pytest

from annotator.cli import main

npe2 = pytest.importorskip("npe2")
napari = pytest.importorskip("napari")

MANIFEST = Path(__file__).resolve().parents[2] / "plugins" / "napari_hand_mesh" / "napari.yaml"


def test_the_manifest_is_valid_and_what_it_names_is_there():
    manifest = npe2.PluginManifest.from_file(MANIFEST)
    manifest.validate_imports()
    commands = {command.id for command in manifest.contributions.commands}
    used = [
        *manifest.contributions.widgets,
        *manifest.contributions.readers,
        *manifest.contributions.sample_data,
        *manifest.contributions.writers,
    ]
    assert {one.command for one in used} == commands
    assert (MANIFEST.parent / manifest.icon.split(":")[1]).is_file()


def test_napari_finds_the_installed_plugin():
    assert npe2.PluginManifest.from_distribution("hand-mesh-annotator").name == "hand-mesh-annotator"


def test_the_reader_takes_projects_and_nothing_else(folder, photo_file, tmp_path):
    from napari_hand_mesh.reader import get_reader, read_project

    assert get_reader(str(photo_file)) is None and get_reader(str(tmp_path)) is None
    (tmp_path / "photos").mkdir()
    assert get_reader(str(tmp_path / "photos")) is None
    (tmp_path / "photos" / "hand.JPG").write_bytes(photo_file.read_bytes())
    ((photo, _, kind),) = get_reader(str(tmp_path / "photos"))(str(tmp_path / "photos"))
    assert kind == "image" and photo.shape == (1080, 620, 3)
    assert get_reader([str(folder)]) is None
    assert get_reader(str(folder / "project.db")) is read_project
    (photo, _, kind), (points, added, other) = get_reader(str(folder))(str(folder))  # without a viewer: plain layers
    assert (kind, other) == ("image", "points") and photo.shape == (1080, 620, 3) and points.shape == (21, 2)
    assert added["features"]["state"] == ["proposed"] * 21


def test_no_shortcut_is_taken_from_napari():
    from app_model.types import KeyBinding
    from napari.layers import Image, Points, Vectors
    from napari.settings import get_settings
    from napari_hand_mesh.session.keys import ACTIONS, help_text

    ours = {KeyBinding.from_str(a.key.replace("Control-", "Ctrl+").replace("Shift-", "Shift+")): a for a in ACTIONS}
    assert len(ours) == len(ACTIONS) == len({a.name for a in ACTIONS})
    other_layers = (
        "labels",
        "label",
        "brush",
        "shape",
        "polygon",
        "tracks",
        "surface",
        "rectangle",
        "ellipse",
    )
    other_layers += ("path", "line", "vertex", "activate_direct", "activate_select_mode")
    taken = {}
    for name, bindings in get_settings().shortcuts.shortcuts.items():
        if not any(word in name for word in other_layers):
            taken |= {KeyBinding.validate(binding): name for binding in bindings}
    for owner in (napari.components.ViewerModel, Image, Points, Vectors):
        taken |= {
            KeyBinding.validate(binding): getattr(call, "__name__", str(owner))
            for binding, call in owner.class_keymap.items()
        }
    assert len(taken) > 30
    # modes of layers, which ours do not change, ways along axes that a photo does not have, and more layers selected
    extending = {taken.get(KeyBinding.validate(key), "extend") for key in ("Shift-Up", "Shift-Down")}
    assert all(name.startswith("extend") for name in extending)
    idle = {"Space", *"12345", "Left", "Right", "Shift-Up", "Shift-Down"}
    assert {action.name: taken[key] for key, action in ours.items() if key in taken and action.key not in idle} == {}
    assert all(action.words in help_text() for action in ACTIONS)


def test_every_action_is_a_method_of_the_widget():
    pytest.importorskip("qtpy.QtWidgets")
    from napari_hand_mesh.session.keys import ACTIONS
    from napari_hand_mesh.widget import HandMeshWidget

    assert all(callable(getattr(HandMeshWidget, action.name)) for action in ACTIONS)


def test_gui_says_what_is_wrong_before_a_window_opens(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    assert main(["gui", str(tmp_path / "nothing")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["gui", str(folder)]) == 2
    assert "no display" in capsys.readouterr().err
