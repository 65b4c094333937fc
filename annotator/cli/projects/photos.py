"""`annotator photos PROJECT [--find FOLDER] [--copy] [--check]`: where a project's photos are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from annotator.cli.support.output import JsonOption, ProjectFolder, emit, progress


def command(
    project: ProjectFolder,
    find: Annotated[
        Path | None, typer.Option(help="Look here for photos that moved, by their content.", show_default=False)
    ] = None,
    copy: Annotated[bool, typer.Option("--copy", help="Copy all photos into the project's folder.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Read each photo: say which show something else than what was annotated.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List a project's photos; find those that moved or were changed; copy them in."""
    from annotator.errors import InputError
    from annotator.project import Project
    from annotator.project.photo_files.pixels import check as same_or_refused
    from annotator.vision.photos import photo_there

    with Project.open(project) as opened:
        found = opened.find_photos(find) if find is not None else {}
        copied = opened.copy_photos() if copy else []
        photos = opened.photos()
    changed: dict[str, str] = {}
    there = [photo for photo in photos if photo_there(photo.path)] if check else []
    for photo in progress(there, "check", len(there)) if there else ():
        try:
            same_or_refused(photo)
        except InputError as error:
            changed[str(photo.path)] = str(error)
    missing = [str(photo.path) for photo in photos if not photo_there(photo.path)]
    result = {"photos": [_described(p) for p in photos], "missing": missing,
              "found": {old: str(new) for old, new in found.items()}, "copied": len(copied)}  # fmt: skip
    result |= {"changed": changed} if check else {}
    lines = [f"{old} is now {new}" for old, new in found.items()]
    lines += [f"{path} is missing" for path in missing]
    lines += changed.values()
    counts = f"{len(photos)} photos, {len(missing)} missing, {len(found)} found again, {len(copied)} copied in"
    lines.append(f"{counts}, {len(changed)} changed" if check else counts)
    emit(as_json, result, "\n".join(lines))


def _described(photo) -> dict:
    said = {"id": photo.id, "path": str(photo.path), "sha256": photo.sha256}
    return said if photo.frame is None else said | {"frame": photo.frame, "seconds": photo.seconds}
