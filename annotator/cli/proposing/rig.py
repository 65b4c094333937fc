"""`annotator rig PROJECT [CAMERAS]`: calibrated cameras, which photos are one instant, and their hands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotator.cli.proposing.propose import DeviceOption, ModelOption
from annotator.cli.support.output import JsonOption, ProjectFolder, WhoOption, emit, progress

if TYPE_CHECKING:
    from annotator.cli.support.instants import Made
    from annotator.project import Project


def command(
    project: ProjectFolder,
    cameras: Annotated[
        Path | None,
        typer.Argument(
            metavar="[CAMERAS]",
            help="Calibration: cameras.json, OpenCV's YAML or JSON, InterHand2.6M's, DexYCB's, HanCo's, COLMAP's.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of the rig, where there are several.", show_default="rig")] = None,
    part: Annotated[str, typer.Option(help="Which capture, where the calibration has several.")] = "",
    unit: Annotated[
        str | None, typer.Option(help="Of the calibration's lengths: m, cm, mm or metres.", show_default="as it says")
    ] = None,
    photos: Annotated[
        list[str] | None, typer.Option(help="Photos, folders or patterns to add.", show_default=False)
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(help="Instants by the ends of paths, as '{instant}-{camera}.jpg'.", show_default=False),
    ] = None,
    table: Annotated[
        Path | None, typer.Option(help="Instants by a CSV file: instant, camera, photo.", show_default=False)
    ] = None,
    times: Annotated[
        float | None,
        typer.Option(
            help="Instants by time: of frames of videos, else of the files; at most so many seconds apart.",
            show_default=False,
        ),
    ] = None,
    incomplete: Annotated[
        bool, typer.Option("--incomplete", help="Take instants that lack photos of some cameras, too.")
    ] = False,
    propose: Annotated[bool, typer.Option("--propose", help="Make the hands of all instants that have none.")] = False,
    model: ModelOption = None,
    device: DeviceOption = "auto",
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read a rig, say which photos are one instant, make its hands: each one mesh in all its photos.

    Without more it lists the rigs and instants, and cameras that seem to have moved.
    """
    from annotator.cli.support.instants import moments_of
    from annotator.errors import InputError
    from annotator.project import Project
    from annotator.vision.rigs import Rig
    from annotator.vision.rigs.rig import unit_of

    read = None
    if cameras is not None:
        read = Rig.read(cameras, part)
        if unit is not None:
            read = Rig(read.cameras, unit_of(unit), read.name)
    elif unit is not None or part:
        raise InputError("--unit and --part are of a calibration that is read: name it")
    opening = Project.open_or_create if read is not None else Project.open
    with opening(project, who) as opened:
        known = opened.rigs()
        chosen = name or (next(iter(known)) if len(known) == 1 and read is None else "rig")
        rig = read or known.get(chosen)
        if rig is None and (pattern is not None or table is not None or times is not None or propose):
            there = f"its rigs are {', '.join(known)}: --name one" if known else "read a calibration first"
            raise InputError(f"project {project} has no rig {chosen!r}: {there}")
        moments = moments_of(opened, rig, photos, pattern, table, times, incomplete) if rig is not None else {}
        if read is not None:
            opened.add_rig(read, chosen)
        if moments:
            opened.set_instants(chosen, moments)
        made = _made(opened, chosen, model, device) if propose else None
        result = _told(opened)
    lines = [_line(one) for one in result["rigs"]] or ["no rig"]
    if made is not None:
        result["made"] = {
            "instants": made.instants, "hands": made.hands, "views": made.views,
            "left_out": [{"instant": m, "camera": c, "why": why} for m, c, why in made.left_out],
            "kept": made.touched,
        }  # fmt: skip
        lines.append(f"{made.hands} hands of {made.instants} instants, in {made.views} photos")
        lines += [f"instant {m}, {c}: {why}: left out" for m, c, why in made.left_out]
        lines += [f"{photo}: somebody worked on its hand, which stays as it is" for photo in made.touched]
    lines += [one["words"] for one in result["moved"]]
    emit(as_json, result, "\n".join(lines))


def _made(opened: Project, name: str, model: Path | None, device: str) -> Made:
    from annotator.cli.support.instants import make_hands
    from annotator.cli.support.proposing import checkpoint_of
    from annotator.model import load_model

    checkpoint, called = checkpoint_of(opened, model)
    return make_hands(opened, load_model(checkpoint, device=device), name, called, progress)


def _told(opened: Project) -> dict:
    from annotator.correcting.views.moving import moved_cameras

    meshes, rigs, moved = opened.one_meshes(), [], []
    for name, rig in opened.rigs().items():
        instants = opened.instants(name)
        own = [one for one in meshes if one.rig == name]
        rigs.append(
            {"name": name, "cameras": list(rig), "unit": rig.unit, "instants": len(instants), "hands": len(own),
             "proposed": sum(one.proposed for one in instants)}
        )  # fmt: skip
        for one in moved_cameras([mesh.apart for mesh in own]):
            moment = own[one.since].moment
            moved.append({"rig": name, "cameras": list(one.cameras), "since": moment, "share": round(one.share, 4),
                          "words": one.words(moment)})  # fmt: skip
    return {"rigs": rigs, "moved": moved}


def _line(one: dict) -> str:
    unit = "of unknown unit" if one["unit"] is None else f"1 unit = {one['unit']:g} m"
    return (
        f"rig {one['name']}: {len(one['cameras'])} cameras ({', '.join(one['cameras'])}), {unit}; {one['instants']} "
        f"instants, {one['proposed']} proposed, {one['hands']} hands"
    )
