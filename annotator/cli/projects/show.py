"""`annotator show PROJECT HAND --out x.png`: one hand as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from annotator.cli.support.choosing import HandId
from annotator.cli.support.output import JsonOption, ProjectFolder, emit


def command(
    project: ProjectFolder,
    hand: HandId,
    out: Annotated[Path, typer.Option(help="The picture to make: .png, .jpg, ...", show_default=False)],
    whole: Annotated[bool, typer.Option("--whole", help="The whole photo with the hand's mesh and keypoints.")] = False,
    pixels: Annotated[int, typer.Option(help="Side of each picture of the sheet, px.", min=64, max=4096)] = 480,
    as_json: JsonOption = False,
) -> None:
    """Draw a hand: a sheet with photo, mesh, side view, keypoints and uncertainty, or, with --whole, its photo."""
    from PIL import Image

    from annotator.errors import InputError
    from annotator.files.atomic import put
    from annotator.project import Project
    from annotator.reporting.hands import Reader
    from annotator.reporting.pictures import sheet, whole_photo

    kind = Image.registered_extensions().get(out.suffix.lower())
    if kind not in Image.SAVE:
        raise InputError(f"{out}: no kind of picture that can be written; use .png or .jpg")
    with Project.open(project) as opened:
        found = Reader(opened).hand(hand)
    if whole and found.photo is None:
        raise InputError(f"the photo of hand {hand} cannot be shown: {found.remarks[0]}")
    picture = whole_photo(found) if whole else sheet(found, pixels)
    put(out, lambda partial: Image.fromarray(picture).save(partial, kind))
    doubts = [{"kind": name, "words": words} for name, words in found.doubts]
    height, width = picture.shape[:2]
    result = {"id": hand, "file": str(out), "width": width, "height": height, "doubts": doubts}
    lines = [f"{out}: {hand}, {found.state}, {width} x {height} px", *(f"look: {one['words']}" for one in doubts)]
    emit(as_json, result, "\n".join(lines))
