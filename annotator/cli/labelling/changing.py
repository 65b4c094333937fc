"""`annotator undo`, `redo` and `history PROJECT [HAND]`: steps back and forth, and which there were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from annotator.cli.support.completing import hand_ids
from annotator.cli.support.output import JsonOption, ProjectFolder, WhoOption, emit

if TYPE_CHECKING:
    from annotator.project import Event, Project

NAMED = 10  # hands of a batch that are told one by one
OneHand = Annotated[
    str | None,
    typer.Argument(
        metavar="HAND",
        help="A hand's id; without one: your own newest change.",
        show_default=False,
        autocompletion=hand_ids,
    ),
]
BatchOption = Annotated[
    bool, typer.Option("--batch", help="Also what the same command did to other hands (accept 'wilor-*').")
]


def undo(
    project: ProjectFolder,
    hand: OneHand = None,
    batch: BatchOption = False,
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take back the last change of a hand; without one, your own last change (see --who), never another person's."""
    _move(project, "undo", hand, batch, who, as_json)


def redo(
    project: ProjectFolder,
    hand: OneHand = None,
    batch: BatchOption = False,
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put what was undone last in force again, of one hand; without one, what you undid."""
    _move(project, "redo", hand, batch, who, as_json)


def history(
    project: ProjectFolder,
    hand: Annotated[
        str | None,
        typer.Argument(
            metavar="[HAND]", help="Without one: of all hands.", show_default=False, autocompletion=hand_ids
        ),
    ] = None,
    limit: Annotated[int, typer.Option(help="The newest so many steps (0: all).", min=0)] = 50,
    as_json: JsonOption = False,
) -> None:
    """List what was done, newest first: of a hand, or of all; `undone` is what undo took back."""
    from annotator.project import Project
    from annotator.project.overview.steps import steps_of

    with Project.open(project) as opened:
        if hand is not None:
            events = opened.history(hand)[::-1]
        else:
            events = opened.recent(opened.status()["events"] if not limit else 4 * limit + 100)
        steps = steps_of(events)
        steps = steps[:limit] if limit else steps
        proposed = opened.hand(hand) if hand is not None else None
    width = max((len(step.hand) for step in steps), default=0)
    lines = [
        f"{step.at[:19].replace('T', ' ')}  {step.hand:{width}}  {step.words} by {step.who}"
        + ("  (undone)" if step.undone else "")
        for step in steps
    ]
    result: dict = {"steps": [step.as_dict() for step in steps]}
    if proposed is not None:
        source = f"{proposed.provenance.get('model', '?')} ({str(proposed.provenance.get('model_digest', ''))[:12]})"
        lines.append(f"{proposed.created[:19].replace('T', ' ')}  {hand}  proposed by {source}")
        result |= {"id": hand, "state": proposed.state, "version": proposed.version}
        result |= {"created": proposed.created, "provenance": dict(proposed.provenance)}
    emit(as_json, result, "\n".join(lines) or "nothing was done yet")


def _move(folder: str, word: str, hand_id: str | None, batch: bool, who: str | None, as_json: bool) -> None:
    """Undo or redo (`word`) in a project."""
    from annotator.errors import InputError
    from annotator.project import Project
    from annotator.project.overview.steps import batch_of

    if batch and hand_id is not None:
        raise InputError("--batch is about your own last command: name no hand")
    with Project.open(folder, who) as project:
        moved = getattr(project, f"{word}_batch")() if batch else [getattr(project, word)(hand_id)]
        results = []
        for one in moved:
            hand, step = project.hand(one), _step(project, one)
            results.append({
                "id": one, "state": hand.state, "version": hand.version, "corrections": len(hand.corrections),
                "step": _words(step), "by": step.who, "at": step.at,
            })  # fmt: skip
        others = not batch and bool(batch_of(step.note))
    took = "took back" if word == "undo" else "did again"
    lines = [
        f"{one['id']}: {took}: {one['step']} by {one['by']}; now {one['state']}, {one['corrections']} corrections"
        for one in results[:NAMED]
    ]
    if len(results) > NAMED:
        lines.append(f"and {len(results) - NAMED} more hands")
    if others:
        lines.append(f"it was one of several hands that one command changed ({word} --batch: all of them)")
    emit(as_json, {"hands": results} if batch else results[0], "\n".join(lines))


def _step(project: Project, hand_id: str) -> Event:
    """The step that the hand's newest event, an undo or a redo, is about."""
    events = project.history(hand_id)
    return next(event for event in events if event.seq == events[-1].target)


def _words(event: Event) -> str:
    from annotator.project.overview.steps import words_of

    return words_of(event.kind, event.note)
