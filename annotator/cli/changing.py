"""What accept, reject, undo and redo share."""

from __future__ import annotations

from typing import Annotated

import typer

from annotator.cli.output import emit

HandIds = Annotated[
    list[str], typer.Argument(metavar="HAND...", help="Ids as `status` lists them.", show_default=False)
]
OneHand = Annotated[
    str | None,
    typer.Argument(metavar="HAND", help="A hand's id; without one: your own newest change.", show_default=False),
]


def change_state(
    folder: str,
    hands: list[str],
    state: str,
    who: str | None,
    as_json: bool,
    side: str | None = None,
    force: bool = False,
) -> None:
    """Give the hands a state, or, if one of them does not exist or may not have it, none.

    side, force: to accept a hand whose side was guessed, see `project.guessed`.
    """
    from annotator.hand.joints import check_side
    from annotator.project import Project
    from annotator.project.guessed import check_side_known

    if side is not None:
        check_side(side)
    with Project.open(folder, who) as project:
        for hand_id in hands:
            project.hand(hand_id)
        notes: dict[str, dict] = {hand_id: {} for hand_id in hands}
        if state == "accepted":
            notes = {hand_id: check_side_known(project, hand_id, side, force) for hand_id in hands}
        changed = [
            {"id": hand_id, "state": state, "version": project.set_state(hand_id, state, note=notes[hand_id])}
            for hand_id in hands
        ]
    emit(as_json, {"hands": changed}, "\n".join(f"{hand['id']}: {state}" for hand in changed))


def move(folder: str, word: str, hand_id: str | None, who: str | None, as_json: bool) -> None:
    """Undo or redo (`word`) in a project."""
    from annotator.project import Project

    with Project.open(folder, who) as project:
        moved = getattr(project, word)(hand_id)
        hand = project.hand(moved)
    result = {"id": moved, "state": hand.state, "version": hand.version, "corrections": len(hand.corrections)}
    emit(as_json, result, f"{moved}: {hand.state}, {len(hand.corrections)} corrections")
