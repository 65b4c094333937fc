"""`annotator add PROJECT PHOTO --box X0 Y0 X1 Y1`: a hand that the network missed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotator.cli.proposing.propose import DeviceOption, ModelOption
from annotator.cli.support.output import JsonOption, ProjectFolder, WhoOption, emit

if TYPE_CHECKING:
    import numpy as np

    from annotator.hand.mesh import HandMesh
    from annotator.project import Project, StoredPhoto

SMALLEST = 12.0  # photo px of a box's side: nothing can be seen of a smaller hand
SAME = 0.6  # of two boxes' union: shared by more than that, they are round one hand


def command(
    project: ProjectFolder,
    photo: Annotated[
        str,
        typer.Argument(
            metavar="PHOTO", help="A file, a frame (clip.mp4#frame=120), or the name of a photo of the project.",
            show_default=False,
        ),
    ],
    box: Annotated[
        tuple[float, float, float, float],
        typer.Option(metavar="X0 Y0 X1 Y1", help="Two corners of a box round the hand, photo px.", show_default=False),
    ],
    side: Annotated[
        str | None, typer.Option(help="left or right; default: what the network sees.", show_default=False)
    ] = None,
    model: ModelOption = None,
    device: DeviceOption = "auto",
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Add a hand in a box: the network proposes its mesh there. Undo takes it out again."""
    from annotator.cli.support.proposing import checkpoint_of
    from annotator.hand.joints import check_side
    from annotator.model import load_model
    from annotator.project import Project, Provenance
    from annotator.project.photo_files.pixels import pixels_of
    from annotator.vision.photos import read_photo

    if side is not None:
        check_side(side)
    with Project.open(project, who) as opened:
        stored = known_photo(opened, photo)
        pixels = pixels_of(stored) if stored is not None else read_photo(photo)
        inside = check_box(box, pixels)
        others = [] if stored is None else opened.hands(photo=stored.id)
        meshes = {entry.id: opened.mesh(entry.id) for entry in others if entry.state != "rejected"}
        checkpoint, name = checkpoint_of(opened, model)
        network = load_model(checkpoint, device=device)
        camera = next((mesh.camera for mesh in meshes.values()), None)  # a photo has one camera
        (hand,) = network.propose(pixels, [inside], [side], camera)
        photo_id = stored.id if stored is not None else opened.add_photo(photo, pixels.shape[:2])
        provenance = Provenance(name, network.digest, extra={"box": "given"})
        note = {"command": "add", "box": [round(value, 2) for value in inside]}
        hand_id = opened.add_drawn(photo_id, hand.replace(features=None), provenance, note)
    there = same_place(hand, meshes)
    for other in there:
        print(f"annotator: remark: {other} is in the same place: `delete` one of the two", file=sys.stderr)
    result = {"id": hand_id, "photo": photo_id, "side": hand.side, "confidence": round(hand.confidence, 4),
              "box": list(inside), "same_place": there}  # fmt: skip
    emit(as_json, result, f"{hand_id}: a {hand.side} hand, confidence {hand.confidence:.2f}")


def known_photo(project: Project, text: str) -> StoredPhoto | None:
    """The project's photo of this file (by what it shows), path or name; None for another photo's file. InputError:
    nothing is called so, or several photos are."""
    from annotator.errors import InputError
    from annotator.vision.photos import photo_there

    photos = project.photos()
    if photo_there(Path(text)):
        sha256 = project.known_as(Path(text))
        return next((one for one in photos if one.sha256 == sha256), None)
    called = [one for one in photos if text in (str(one.path), one.path.name, one.name)]
    if len(called) > 1:
        raise InputError(f"{len(called)} photos of {project.folder} are called {text!r}: give the whole path")
    if not called:
        raise InputError(f"there is no file {text}, and no photo of {project.folder} is called so")
    return called[0]


def check_box(box: Sequence[float], photo: np.ndarray) -> tuple[float, float, float, float]:
    """The box with its corners in order, inside the photo (H, W, 3). InputError: next to nothing of it is inside."""
    import math

    from annotator.errors import InputError

    height, width = photo.shape[:2]
    if not all(map(math.isfinite, box)):
        raise InputError(f"a box of {' '.join(f'{value:g}' for value in box)}: expected four numbers")
    (x0, x1), (y0, y1) = (sorted((box[k], box[k + 2])) for k in (0, 1))
    inside = (max(x0, 0.0), max(y0, 0.0), min(x1, width - 1.0), min(y1, height - 1.0))
    if min(inside[2] - inside[0], inside[3] - inside[1]) < SMALLEST:
        raise InputError(
            f"box {' '.join(f'{value:g}' for value in box)}: less than {SMALLEST:g} px of it are in the "
            f"{width} x {height} px photo: put it round the whole hand"
        )
    return inside


def same_place(hand: HandMesh, others: dict[str, HandMesh]) -> list[str]:
    """Those of the others that lie where the hand does."""
    from annotator.vision.boxes import bounds, overlap

    box = bounds(hand.keypoints)
    return [name for name, other in others.items() if overlap(box, bounds(other.keypoints)[None])[0] > SAME]
