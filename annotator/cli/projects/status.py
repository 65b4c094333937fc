"""`annotator status PROJECT`: what is in a project."""

from __future__ import annotations

from typing import Annotated

import typer

from annotator.cli.support.output import JsonOption, ProjectFolder, batched, emit_list


def command(
    project: ProjectFolder,
    state: Annotated[list[str] | None, typer.Option(help="Only hands in this state (may be repeated).")] = None,
    limit: Annotated[int | None, typer.Option(help="List at most so many hands.", min=0, show_default="all")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Verify the journal, every hand and every photo; slower.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List a project's hands and their states."""
    from itertools import islice

    from annotator.errors import InputError
    from annotator.project import Project

    with Project.open(project) as opened:
        wrong = opened.verify(photos=True) if check else []
        if wrong:
            others = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            raise InputError(f"{project} is not whole: {wrong[0]}{others}")
        result, hands = opened.status(), islice(opened.each_hand(state or None), limit)
        if as_json:
            emit_list(result, "hands", (hand.as_dict() for hand in hands))
            return
        counts = ", ".join(f"{count} {name}" for name, count in result["states"].items() if count) or "no hands"
        typer.echo(f"{result['photos']} photos, {result['looked_at']} looked at; hands: {counts}")
        for page in batched(hands):
            width = max(len(hand.id) for hand in page)
            typer.echo("\n".join(_line(hand, width) for hand in page))
        if check:
            typer.echo("journal, hands and photos agree")


def _line(hand, width: int) -> str:
    said = f"{hand.corrections} corrections" if hand.corrections else ""
    line = f"{hand.id:{width}}  {hand.side:5}  {hand.state:8}  {hand.confidence:.2f}"
    line += f"  {hand.photo_name}  {said}"
    line += f"  in work by {hand.leased_by}" if hand.leased_by else ""
    return line.rstrip()
