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


def change_state(folder: str, hands: list[str], state: str, who: str | None, as_json: bool) -> None:
    """Give the hands a state, or, if one of them does not exist, none."""
    from annotator.project import Project

    with Project.open(folder, who) as project:
        for hand_id in hands:
            project.hand(hand_id)
        changed = [{"id": hand_id, "state": state, "version": project.set_state(hand_id, state)} for hand_id in hands]
    emit(as_json, {"hands": changed}, "\n".join(f"{hand['id']}: {state}" for hand in changed))


def move(folder: str, word: str, hand_id: str | None, who: str | None, as_json: bool) -> None:
    """Undo or redo (`word`) in a project."""
    from annotator.project import Project

    with Project.open(folder, who) as project:
        moved = getattr(project, word)(hand_id)
        hand = project.hand(moved)
    result = {"id": moved, "state": hand.state, "version": hand.version, "corrections": len(hand.corrections)}
    emit(as_json, result, f"{moved}: {hand.state}, {len(hand.corrections)} corrections")
