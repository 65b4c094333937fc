"""`annotator hand info [MODEL]` and `annotator hand import FILE`: the hand models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from annotator.cli.support.output import JsonOption, emit

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.callback()
def hand() -> None:
    """The parametric hand models."""


@app.command()
def info(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="`free`, `mano`, or an .npz file.")] = "free",
    as_json: JsonOption = False,
) -> None:
    """What a hand model is: size, mesh levels, digest, bone lengths at rest."""
    import numpy as np

    from annotator.hand import BONES, JOINT_NAMES, load_hand

    loaded = load_hand(model)
    joints = loaded.joints(loaded.rest_vertices(np.zeros(10)))
    bones = {JOINT_NAMES[b]: round(1000 * float(np.linalg.norm(joints[b] - joints[a])), 1) for a, b in BONES}
    result = {
        "name": loaded.name,
        "digest": loaded.digest,
        "vertices": len(loaded.template),
        "faces": len(loaded.faces),
        "levels": [len(level.indices) for level in loaded.levels] + [len(loaded.template)],
        "shape_components": loaded.shape_directions.shape[2],
        "wrist_to_middle_tip_mm": round(1000 * float(np.linalg.norm(joints[12] - joints[0])), 1),
        "bones_mm": bones,
    }
    text = [f"{key.replace('_', ' ')}: {value}" for key, value in result.items() if key != "bones_mm"]
    text += ["bones, mm (to each joint from the one before):"]
    text += [
        "  " + ", ".join(f"{name} {length}" for name, length in list(bones.items())[k : k + 4]) for k in range(0, 20, 4)
    ]
    emit(as_json, result, "\n".join(text))


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="MANO_RIGHT.pkl or MANO_LEFT.pkl, from MANO's authors.")],
    as_json: JsonOption = False,
) -> None:
    """Keep a MANO file of your own as hand model `mano`, in your data folder; its pickle is read, never run."""
    from annotator.formats.mano.mano_file import import_mano

    kept = import_mano(file)
    text = f"{kept['name']}: {kept['vertices']} vertices, kept in {kept['path']}"
    text += "; the known sign error of the left hand's shapes was put right" if kept["sign_corrected"] else ""
    emit(as_json, kept, text)
