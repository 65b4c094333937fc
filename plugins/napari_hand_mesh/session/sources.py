"""Where photos come from, and where the project on them lives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from annotator.errors import InputError
from annotator.files.photo_paths import photo_files
from annotator.vision.video import is_video

PROJECT = "hand-mesh-project"  # a folder beside the photos, or named like the video


def project_beside(place: str | Path) -> Path:
    """Where the project on a folder of photos or on a video lives: in the folder, or beside the video."""
    place = Path(place)
    return place.with_name(f"{place.stem}-{PROJECT}") if is_video(place) else place / PROJECT


def photos_of(given: str | Path | Sequence[Path], project: Path) -> list[Path]:
    """The files that a folder, a video or a list of either stands for; a video stays one path.
    InputError if there are none."""
    names = [given] if isinstance(given, (str, Path)) else list(given)
    files, empty = photo_files(names)
    # what a project keeps for itself (copied photos, frames) is no new photo
    files = [file for file in files if project.absolute() not in file.parents]
    if not files:
        raise InputError("; ".join(f"{name}: {why}" for name, why in empty) or "there are no photos here")
    return files
