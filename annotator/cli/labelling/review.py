"""`annotator review PROJECT [HAND]`: a second person's word on accepted hands."""

from __future__ import annotations

from typing import Annotated

import typer

from annotator.cli.support.output import JsonOption, ProjectFolder, WhoOption, emit


def command(
    project: ProjectFolder,
    hand: Annotated[
        str | None, typer.Argument(metavar="HAND", help="Without one: list what waits for you.", show_default=False)
    ] = None,
    agree: Annotated[
        bool | None, typer.Option("--agree/--return", help="It is right, or it becomes flagged.", show_default=False)
    ] = None,
    remark: Annotated[str, typer.Option(help="Why.", show_default=False)] = "",
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Agree to an accepted hand that another person made, or return it; or list those that wait."""
    from annotator.errors import InputError
    from annotator.project import Project

    with Project.open(project, who) as opened:
        if hand is None:
            waiting = opened.to_review()
            return emit(as_json, {"waiting": waiting}, "\n".join(waiting) or "nothing waits for your review")
        if agree is None:
            raise InputError("review needs --agree or --return")
        version = opened.review(hand, agree, remark)
        state = opened.hand(hand).state
    emit(as_json, {"id": hand, "agreed": agree, "state": state, "version": version}, f"{hand}: {state}")
