"""`annotator correct PROJECT HAND JOINT X Y`: set a keypoint, and let the mesh follow."""

from __future__ import annotations

from typing import Annotated

import typer

from annotator.cli.output import JsonOption, ProjectFolder, WhoOption, emit
from annotator.cli.propose import DeviceOption, ModelOption

# a coordinate may be negative (a joint left of the photo): `-5` is a number, not an option
app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(context_settings={"ignore_unknown_options": True})
def command(
    project: ProjectFolder,
    hand: Annotated[
        str, typer.Argument(metavar="HAND", help="Its id, as `status` lists it.", show_default=False)
    ],
    joint: Annotated[
        str,
        typer.Argument(metavar="JOINT", help="index_tip, wrist, ... or a number 0..20.", show_default=False),
    ],
    x: Annotated[float, typer.Argument(metavar="X", help="Photo px, to the right.", show_default=False)],
    y: Annotated[float, typer.Argument(metavar="Y", help="Photo px, down.", show_default=False)],
    model: ModelOption = None,
    device: DeviceOption = "auto",
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a keypoint of a hand where it belongs; the mesh follows it and all earlier corrections."""
    import numpy as np

    from annotator.errors import InputError
    from annotator.hand.joints import JOINT_NAMES, joint_index
    from annotator.project import Project
    from annotator.vision.photos import photo_hash, read_photo

    number = joint_index(joint)
    with Project.open(project, who) as opened:
        before, mesh = opened.hand(hand), opened.mesh(hand)
        height, width = before.photo.height, before.photo.width
        if not (-width <= x <= 2 * width and -height <= y <= 2 * height):
            raise InputError(f"({x:g}, {y:g}) is far outside the {width} x {height} px photo of hand {hand}")
        path = before.photo.path
        photo = read_photo(path)
        if photo_hash(path) != before.photo.sha256:
            raise InputError(f"{path} is not the photo any more that hand {hand} was proposed on")

        from annotator.model import load_model

        network = load_model(model, device=device)
        fixed = network.refine(network.remember(photo, mesh), {number: (x, y)})
        note = {"joint": JOINT_NAMES[number], "command": "correct", "model_digest": network.digest}
        version = opened.edit(hand, fixed, version=before.version, note=note)
        after = opened.hand(hand)
        moved = opened.mesh(hand).vertices - mesh.vertices
    result = {
        "id": hand,
        "joint": JOINT_NAMES[number],
        "x": x,
        "y": y,
        "state": after.state,
        "version": version,
        "corrections": len(after.corrections),
        "moved_mm": round(1000 * float(np.linalg.norm(moved, axis=1).max()), 3),
        "before_px": round(float(np.linalg.norm(before.keypoints[number] - (x, y))), 3),
        "after_px": round(float(np.linalg.norm(after.keypoints[number] - (x, y))), 3),
    }
    text = (
        f"{hand}: {result['joint']} set; the mesh moved by up to {result['moved_mm']:.1f} mm, the keypoint "
        f"is {result['after_px']:.1f} px from where it was put (before: {result['before_px']:.1f} px)"
    )
    emit(as_json, result, text)
