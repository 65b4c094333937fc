"""`annotator accept` and `reject PROJECT HAND...`, `undo` and `redo PROJECT [HAND]`."""

from __future__ import annotations

from typing import Annotated

import typer

from annotator.cli.support.output import JsonOption, ProjectFolder, WhoOption, emit

HandIds = Annotated[
    list[str], typer.Argument(metavar="HAND...", help="Ids as `status` lists them.", show_default=False)
]
OneHand = Annotated[
    str | None,
    typer.Argument(metavar="HAND", help="A hand's id; without one: your own newest change.", show_default=False),
]


def _change_state(
    folder: str, hands: list[str], state: str, who: str | None, as_json: bool, force: bool = False
) -> None:
    """Give the hands a state, or, if one of them does not exist or may not be accepted, none."""
    from annotator.project import Project
    from annotator.project.records.states import ACCEPTED
    from annotator.project.strain import check_unstrained

    with Project.open(folder, who) as project:
        for hand_id in hands:
            project.hand(hand_id)
            if state == ACCEPTED:
                check_unstrained(project, hand_id, force)
        changed = [{"id": hand_id, "state": state, "version": project.set_state(hand_id, state)} for hand_id in hands]
    emit(as_json, {"hands": changed}, "\n".join(f"{hand['id']}: {state}" for hand in changed))


def _move(folder: str, word: str, hand_id: str | None, who: str | None, as_json: bool) -> None:
    """Undo or redo (`word`) in a project."""
    from annotator.project import Project

    with Project.open(folder, who) as project:
        moved = getattr(project, word)(hand_id)
        hand = project.hand(moved)
    result = {"id": moved, "state": hand.state, "version": hand.version, "corrections": len(hand.corrections)}
    emit(as_json, result, f"{moved}: {hand.state}, {len(hand.corrections)} corrections")


def accept(
    project: ProjectFolder,
    hands: HandIds,
    force: Annotated[
        bool, typer.Option("--force", help="Also hands with labels that no plausible hand meets.")
    ] = False,
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Accept hands: they become labels, and leave with the next export. If one is strained (a label contradicts its
    mesh), none is accepted."""
    _change_state(project, hands, "accepted", who, as_json, force)


def reject(project: ProjectFolder, hands: HandIds, who: WhoOption = None, as_json: JsonOption = False) -> None:
    """Reject hands: they stay in the project and never leave as labels."""
    _change_state(project, hands, "rejected", who, as_json)


def undo(project: ProjectFolder, hand: OneHand = None, who: WhoOption = None, as_json: JsonOption = False) -> None:
    """Take back the last change of a hand; without one, your own last change (see --who), never another person's."""
    _move(project, "undo", hand, who, as_json)


def redo(project: ProjectFolder, hand: OneHand = None, who: WhoOption = None, as_json: JsonOption = False) -> None:
    """Put what was undone last in force again, of one hand; without one, what you undid."""
    _move(project, "redo", hand, who, as_json)
