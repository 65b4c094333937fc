"""`annotator photos PROJECT [--find FOLDER] [--copy]`: where a project's photos are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from annotator.cli.support.output import JsonOption, ProjectFolder, emit


def command(
    project: ProjectFolder,
    find: Annotated[
        Path | None, typer.Option(help="Look here for photos that moved, by their content.", show_default=False)
    ] = None,
    copy: Annotated[bool, typer.Option("--copy", help="Copy all photos into the project's folder.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List a project's photos; find those that moved; copy them in."""
    from annotator.project import Project
    from annotator.vision.photos import photo_there

    with Project.open(project) as opened:
        found = opened.find_photos(find) if find is not None else {}
        copied = opened.copy_photos() if copy else []
        photos = opened.photos()
    missing = [str(photo.path) for photo in photos if not photo_there(photo.path)]
    result = {"photos": [_described(p) for p in photos], "missing": missing,
              "found": {old: str(new) for old, new in found.items()}, "copied": len(copied)}  # fmt: skip
    lines = [f"{old} is now {new}" for old, new in found.items()]
    lines += [f"{path} is missing" for path in missing]
    lines.append(f"{len(photos)} photos, {len(missing)} missing, {len(found)} found again, {len(copied)} copied in")
    emit(as_json, result, "\n".join(lines))


def _described(photo) -> dict:
    said = {"id": photo.id, "path": str(photo.path), "sha256": photo.sha256}
    return said if photo.frame is None else said | {"frame": photo.frame, "seconds": photo.seconds}
