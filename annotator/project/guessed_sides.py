"""A hand's side that only the network has said, and no person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from annotator.errors import InputError

if TYPE_CHECKING:
    from annotator.project.store import Project

SIDE_GUESSED = "side_guessed"  # in a hand's provenance
SIDE_CONFIRMED = "side_confirmed"  # in the note of a change: the maker says that the side is right


def side_in_doubt(project: Project, hand_id: str) -> bool:
    """Whether the hand's side was guessed, and no person has said since that it is right."""
    if not project.hand(hand_id).provenance.get(SIDE_GUESSED):
        return False
    return not any(event.note.get(SIDE_CONFIRMED) for event in project.history(hand_id))


def check_side_known(project: Project, hand_id: str, side: str | None = None, force: bool = False) -> dict:
    """The note for accepting the hand: that its side is confirmed, where it was in doubt.

    side: what the person says it is. InputError where that is the other side, or where the side is in doubt and neither
    `side` nor `force` is given.
    """
    own = project.hand(hand_id).side
    if side is not None and side != own:
        raise InputError(f"hand {hand_id} is a {own} hand here, not a {side} one: it is not accepted")
    if not side_in_doubt(project, hand_id):
        return {}
    if side is None and not force:
        raise InputError(
            f"nobody said which hand {hand_id} is, {own!r} is the network's guess: look at it, then accept with "
            f"--side {own} (or --force)"
        )
    return {SIDE_CONFIRMED: True}
