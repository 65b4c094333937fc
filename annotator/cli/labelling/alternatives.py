"""`annotator alternatives PROJECT HAND [--take N]`: the other hands that look the same in the photo."""

from __future__ import annotations

from typing import Annotated

import typer

from annotator.cli.support.output import JsonOption, ProjectFolder, WhoOption, emit


def command(
    project: ProjectFolder,
    hand: Annotated[str, typer.Argument(metavar="HAND", help="Its id, as `status` lists it.", show_default=False)],
    take: Annotated[int, typer.Option(help="Put this one in the hand's place (0: only list them).", min=0)] = 0,
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the plausible hands with the same keypoints but other depths, likeliest first, or take one."""
    from annotator.correcting.depth.alternatives import alternatives
    from annotator.errors import InputError
    from annotator.hand.model import load_hand
    from annotator.project import Project

    with Project.open(project, who) as opened:
        stored, mesh = opened.hand(hand), opened.mesh(hand)
        found = alternatives(mesh, load_hand(mesh.hand_model), stored.joint_states)
        if take > len(found):
            raise InputError(f"hand {hand} has {len(found)} alternatives, there is no number {take}")
        version = stored.version
        if take:
            note = {"command": "alternatives", "alternative": found[take - 1].words}
            version = opened.edit(hand, found[take - 1].hand, None, stored.version, note)
    rows = [
        {"number": k, "words": one.words, "moved_mm": round(one.moved_mm, 1), "picture_px": round(one.picture_px, 2)}
        for k, one in enumerate(found, 1)
    ]
    lines = [f"{row['number']}: {row['words']} (depth moves by up to {row['moved_mm']:.0f} mm)" for row in rows]
    lines += [f"{hand}: number {take} taken"] if take else []
    emit(as_json, {"id": hand, "version": version, "taken": take, "alternatives": rows},
         "\n".join(lines) or f"{hand}: no other hand looks the same")  # fmt: skip
