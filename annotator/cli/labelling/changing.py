"""`annotator accept` and `reject PROJECT HAND...`, `undo` and `redo PROJECT [HAND]`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from annotator.cli.support.output import JsonOption, ProjectFolder, WhoOption, emit

if TYPE_CHECKING:
    from annotator.project import Project

HandIds = Annotated[
    list[str], typer.Argument(metavar="HAND...", help="Ids as `status` lists them.", show_default=False)
]
# (project, hand's id) -> what the journal keeps beside the change of state; InputError where the hand may not have it
Check = Callable[["Project", str], dict]
OneHand = Annotated[
    str | None,
    typer.Argument(metavar="HAND", help="A hand's id; without one: your own newest change.", show_default=False),
]


def _change_state(
    folder: str, hands: list[str], state: str, who: str | None, as_json: bool, checks: Sequence[Check] = ()
) -> None:
    """Give the hands a state, or, if one of them does not exist or a check refuses one, none."""
    from annotator.project import Project

    with Project.open(folder, who) as project:
        for hand_id in hands:
            project.hand(hand_id)
        notes = {hand_id: _checked(project, hand_id, checks) for hand_id in hands}
        changed = [
            {"id": hand_id, "state": state, "version": project.set_state(hand_id, state, note=notes[hand_id])}
            for hand_id in hands
        ]
    emit(as_json, {"hands": changed}, "\n".join(f"{hand['id']}: {state}" for hand in changed))


def _checked(project: Project, hand_id: str, checks: Sequence[Check]) -> dict:
    """What all checks of a hand want kept in the journal beside its change of state."""
    note: dict = {}
    for check in checks:
        note |= check(project, hand_id)
    return note


def _side_is_known(side: str | None, force: bool) -> Check:
    """The check that somebody said whether the hand is left or right, see `project.guessed`. InputError for a `side`
    that is none."""
    from annotator.hand.joints import check_side
    from annotator.project.guessed import check_side_known

    if side is not None:
        check_side(side)
    return lambda project, hand_id: check_side_known(project, hand_id, side, force)


def _is_unstrained(force: bool) -> Check:
    """The check that no label contradicts the hand's mesh, see `project.strain`."""
    from annotator.project.strain import check_unstrained

    def check(project: Project, hand_id: str) -> dict:
        check_unstrained(project, hand_id, force)
        return {}

    return check


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
    side: Annotated[
        str | None,
        typer.Option(
            help="Say that these are right, or left, hands: needed where the side was only guessed.", show_default=False
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Also hands with guessed sides, and with labels that no plausible hand meets."),
    ] = False,
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Accept hands: they become labels, and leave with the next export. If one is strained (a label contradicts its
    mesh), or its side was only guessed, none is accepted."""
    _change_state(project, hands, "accepted", who, as_json, [_side_is_known(side, force), _is_unstrained(force)])


def reject(project: ProjectFolder, hands: HandIds, who: WhoOption = None, as_json: JsonOption = False) -> None:
    """Reject hands: they stay in the project and never leave as labels."""
    _change_state(project, hands, "rejected", who, as_json)


def undo(project: ProjectFolder, hand: OneHand = None, who: WhoOption = None, as_json: JsonOption = False) -> None:
    """Take back the last change of a hand; without one, your own last change (see --who), never another person's."""
    _move(project, "undo", hand, who, as_json)


def redo(project: ProjectFolder, hand: OneHand = None, who: WhoOption = None, as_json: JsonOption = False) -> None:
    """Put what was undone last in force again, of one hand; without one, what you undid."""
    _move(project, "redo", hand, who, as_json)
