"""What a person chose in napari's Preferences, as plain values; the manifest has their names, limits and defaults."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from annotator.errors import InputError

PLUGIN, GROUP = "hand-mesh-annotator", "labelling"


@dataclass(frozen=True)
class Settings:
    """mesh_opacity: percent; marker_scale: factor on the keypoints' diameter on the screen; live_updates: meshes a
    second while a keypoint is dragged, at most; seconds_between_frames: of a video; checkpoint: file of another network
    ("" = the shipped one); server: URL of a team's `annotator serve` ("" = the network runs here); token: for that
    server."""

    mesh_opacity: int = 55
    marker_scale: float = 1.0
    live_updates: int = 60
    seconds_between_frames: float = 0.5
    checkpoint: str = ""
    server: str = ""
    token: str = ""


def read() -> Settings:
    """The settings as they are now; the defaults where napari is older than 0.9 or the plugin is not installed."""
    try:
        from napari.settings import get_plugin_settings

        group = getattr(get_plugin_settings(PLUGIN), GROUP)
    except (ImportError, KeyError, AttributeError, ValueError):
        return Settings()
    return Settings(**{field.name: getattr(group, field.name, field.default) for field in fields(Settings)})


def load_network(settings: Settings, promoted: Path | None = None):
    """The network that the settings name: a server's, a checkpoint's; else the one a project's rounds `promoted`, else
    the shipped one. torch is imported here: it takes seconds. InputError if it is not to be had."""
    if settings.server:
        try:
            from annotator.serving import RemoteModel
        except ImportError as error:
            raise InputError(f"a server's network needs the extra [serve]: {error}") from error
        return RemoteModel(settings.server, settings.token)
    from annotator.model import load_model

    return load_model(Path(settings.checkpoint).expanduser() if settings.checkpoint else promoted, device="cpu")
