"""`annotator status PROJECT`: what is in a project."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from annotator.cli.support.choosing import ConfidenceOption, Patterns, PhotoOption, SideOption, StateOption, choice_of
from annotator.cli.support.output import JsonOption, ProjectFolder, batched, emit, emit_list

if TYPE_CHECKING:
    from annotator.project import HandEntry, Project


def command(
    project: ProjectFolder,
    hands: Patterns = None,
    state: StateOption = None,
    photo: PhotoOption = "",
    side: SideOption = "",
    min_confidence: ConfidenceOption = 0.0,
    limit: Annotated[int | None, typer.Option(help="List at most so many hands.", min=0, show_default="all")] = None,
    by_photo: Annotated[
        bool,
        typer.Option("--by-photo", help="A line for each photo, also those without a hand: how many in which state."),
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Verify the journal, every hand and every photo; slower.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List a project's hands and their states, or its photos and how many hands in which state each has."""
    from itertools import islice

    from annotator.errors import InputError
    from annotator.project import Project
    from annotator.project.overview.choosing import chosen

    choice = choice_of(state, photo, side, min_confidence)
    with Project.open(project) as opened:
        wrong = opened.verify(photos=True) if check else []
        if wrong:
            others = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            raise InputError(f"{project} is not whole: {wrong[0]}{others}")
        result, found = opened.status(), islice(chosen(opened, hands or (), choice), limit)
        counts = _counts(result["states"]) or "no hands"
        heading = f"{result['photos']} photos, {result['looked_at']} looked at; hands: {counts}"
        if by_photo:
            everything = not hands and choice == choice_of() and limit is None
            photos = photo_lines(opened, found, everything)
            width = max((len(one["name"]) for one in photos), default=0)
            lines = [f"{one['name']:{width}}  {_counts(one['states']) or 'no hand'}" for one in photos]
            return emit(as_json, result | {"by_photo": photos}, "\n".join([heading, *lines]))
        if as_json:
            return emit_list(result, "hands", (hand.as_dict() for hand in found))
        typer.echo(heading)
        for page in batched(found):
            width = max(len(hand.id) for hand in page)
            typer.echo("\n".join(_line(hand, width) for hand in page))
        if check:
            typer.echo("journal, hands and photos agree")


def photo_lines(project: Project, hands: Iterable[HandEntry], everything: bool) -> list[dict]:
    """A line for each photo of the hands, and, of a whole project, for each photo without one: its name, path and how
    many hands in which state."""
    counts: dict[int, Counter[str]] = {}
    named: dict[int, tuple[str, str]] = {}
    for hand in hands:
        counts.setdefault(hand.photo_id, Counter())[hand.state] += 1
        named[hand.photo_id] = (hand.photo_name, hand.photo)
    for photo in project.bare_photos() if everything else ():
        counts[photo.id] = Counter()
        named[photo.id] = (photo.name, str(photo.path))
    return [
        {"id": number, "name": named[number][0], "photo": named[number][1], "hands": counts[number].total(),
         "states": dict(counts[number])}
        for number in sorted(counts)
    ]  # fmt: skip


def _counts(states: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in states.items() if count)


def _line(hand: HandEntry, width: int) -> str:
    said = f"{hand.corrections} corrections" if hand.corrections else ""
    line = f"{hand.id:{width}}  {hand.side:5}  {hand.state:8}  {hand.confidence:.2f}"
    line += f"  {hand.photo_name}  {said}"
    line += f"  in work by {hand.leased_by}" if hand.leased_by else ""
    return line.rstrip()
