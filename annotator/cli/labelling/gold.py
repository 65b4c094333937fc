"""`annotator gold PROJECT [HAND...]`: hands of known truth, and how well people label them."""

from __future__ import annotations

from typing import Annotated

import typer

from annotator.cli.support.output import JsonOption, ProjectFolder, WhoOption, emit


def command(
    project: ProjectFolder,
    hands: Annotated[
        list[str] | None, typer.Argument(metavar="[HAND...]", help="Accepted hands to take for the truth.")
    ] = None,
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make accepted hands gold ones, or, without a hand, list each person's error on them in mm."""
    from annotator.project import Project

    with Project.open(project, who) as opened:
        for hand in hands or ():
            opened.make_gold(hand)
        skills = [skill.as_dict() for skill in opened.skills()]
    lines = [f"{hand}: gold" for hand in hands or ()]
    for skill in skills:
        said = f"mean {skill['mean_mm']:.1f} mm, worst {skill['worst_mm']:.1f} mm" if skill["accepted"] else "none done"
        lines.append(f"{skill['who']}: {skill['accepted']} of {skill['given']} gold hands accepted, {said}")
    text = "\n".join(lines) or "nobody has labelled a gold hand yet"
    emit(as_json, {"gold": list(hands or ()), "people": skills}, text)
