"""`annotator accept`, `reject`, `flag`, `delete` and `confirm PROJECT HAND...`: verdicts, on one hand or on many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from annotator.cli.support.choosing import ConfidenceOption, HandIds, PhotoOption, SideOption, StateOption, choice_of
from annotator.cli.support.output import JsonOption, ProjectFolder, WhoOption, emit

if TYPE_CHECKING:
    from annotator.project import Project
    from annotator.project.overview.choosing import Choice

NAMED = 10  # hands left out that are named one by one
# (project, hand's id) -> what the journal keeps beside the change; InputError where the hand may not have it
Check = Callable[["Project", str], dict]
MaximumOption = Annotated[
    float, typer.Option(help="Only hands that the network is at most this sure of, 0..1.", min=0, max=1)
]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]


@dataclass
class Asked:
    """notes: {hand: what the journal keeps}; left_out: (hand, why) of those that a pattern meant and that stay."""

    notes: dict[str, dict] = field(default_factory=dict)
    left_out: list[tuple[str, str]] = field(default_factory=list)


def asked(project: Project, hands: Sequence[str], choice: Choice, checks: Sequence[Check]) -> Asked:
    """The hands that somebody means. One that is named must pass the checks, else there is an InputError; one that a
    pattern means is left out where it does not. Patterns mean open hands, unless the choice names states."""
    from annotator.errors import InputError
    from annotator.project.overview.choosing import chosen, named
    from annotator.project.records.states import IN_WORK, PROPOSED

    found = Asked()
    ids, patterns = named(project, hands)
    for hand_id in ids:
        found.notes[hand_id] = _checked(project, hand_id, checks)
    seen = False
    for entry in chosen(project, patterns, _any()) if patterns else ():
        if entry.id in found.notes:
            continue
        seen = True
        if entry.state not in (choice.states or (PROPOSED, IN_WORK)):
            if not choice.states:
                found.left_out.append((entry.id, f"is {entry.state} already (--state {entry.state} takes it)"))
        elif not choice.takes(entry):
            continue
        elif entry.leased_by not in ("", project.who):
            found.left_out.append((entry.id, f"is in work by {entry.leased_by}"))
        else:
            try:
                found.notes[entry.id] = _checked(project, entry.id, checks)
            except InputError as error:
                found.left_out.append((entry.id, str(error)))
    if patterns and not seen and not ids:
        raise InputError(f"no hand of {project.folder} is called like {' or '.join(map(repr, patterns))}")
    return found


def judge(
    folder: str, hands: list[str], state: str, who: str | None, as_json: bool, dry: bool, choice: Choice,
    checks: Sequence[Check] = (), said: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Give hands a state, all that are asked for or, where a named one may not have it, none."""
    from annotator.project import Project

    word = "deleted" if (said or {}).get("deleted") else state
    with Project.open(folder, who) as project:
        found = asked(project, hands, choice, checks)
        notes = {hand_id: {"state": state, **(said or {}), **note} for hand_id, note in found.notes.items()}
        if dry:
            versions = dict.fromkeys(notes, 0)
        else:
            versions = project.delete(notes) if word == "deleted" else project.set_states(notes, state)
    result = {"hands": [{"id": hand_id, "state": state, "version": version} for hand_id, version in versions.items()],
              "left_out": [{"id": hand_id, "why": why} for hand_id, why in found.left_out], "dry_run": dry}  # fmt: skip
    emit(as_json, result, "\n".join(lines(list(notes), word, found.left_out, dry)))


def lines(done: Sequence[str], word: str, left_out: Sequence[tuple[str, str]], dry: bool = False) -> list[str]:
    """What was done, for people: few hands one by one, many counted; then what was left out, and why."""
    would = "would be " if dry else ""
    said = [f"{hand_id}: {would}{word}" for hand_id in done] if len(done) <= NAMED or dry else []
    if len(done) > NAMED or not done:
        said.append(f"{len(done)} hands {would}{word}" + (" (undo --batch takes all back)" if done and not dry else ""))
    said += [f"left out: {hand_id}: {why}" for hand_id, why in left_out[:NAMED]]
    if len(left_out) > NAMED:
        said.append(f"left out: {len(left_out) - NAMED} more (--json lists all)")
    return said


def _any() -> Choice:
    from annotator.project.overview.choosing import Choice

    return Choice()


def _checked(project: Project, hand_id: str, checks: Sequence[Check]) -> dict:
    """What all checks of a hand want kept in the journal beside its change of state."""
    note: dict = {}
    for check in checks:
        note |= check(project, hand_id)
    return note


def _side_is_known(side: str | None, force: bool) -> Check:
    """The check that somebody said whether the hand is left or right, see `project.guessed_sides`. InputError for a
    `side` that is none."""
    from annotator.hand.joints import check_side
    from annotator.project.guessed_sides import check_side_known

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
    state: StateOption = None,
    photo: PhotoOption = "",
    min_confidence: ConfidenceOption = 0.0,
    max_confidence: MaximumOption = 1.0,
    dry_run: DryOption = False,
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Accept hands: they become labels, and leave with the next export. If one that is named is strained (a label
    contradicts its mesh), or its side was only guessed, none is accepted. A pattern ('wilor-*') means the open hands
    that are called so, leaves such hands out, and says so."""
    choice = choice_of(state, photo, "", min_confidence, max_confidence)
    checks = [_side_is_known(side, force), _is_unstrained(force)]
    judge(project, hands, "accepted", who, as_json, dry_run, choice, checks)


def reject(
    project: ProjectFolder,
    hands: HandIds,
    state: StateOption = None,
    photo: PhotoOption = "",
    side: SideOption = "",
    min_confidence: ConfidenceOption = 0.0,
    max_confidence: MaximumOption = 1.0,
    dry_run: DryOption = False,
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reject hands: they stay in the project and never leave as labels. A pattern means the open hands called so."""
    choice = choice_of(state, photo, side, min_confidence, max_confidence)
    judge(project, hands, "rejected", who, as_json, dry_run, choice)


def flag(
    project: ProjectFolder,
    hands: HandIds,
    state: StateOption = None,
    photo: PhotoOption = "",
    side: SideOption = "",
    min_confidence: ConfidenceOption = 0.0,
    max_confidence: MaximumOption = 1.0,
    dry_run: DryOption = False,
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put hands aside for a second look. A pattern means the open hands called so."""
    choice = choice_of(state, photo, side, min_confidence, max_confidence)
    judge(project, hands, "flagged", who, as_json, dry_run, choice)


def delete(
    project: ProjectFolder,
    hands: HandIds,
    state: StateOption = None,
    photo: PhotoOption = "",
    side: SideOption = "",
    min_confidence: ConfidenceOption = 0.0,
    max_confidence: MaximumOption = 1.0,
    dry_run: DryOption = False,
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that there is no hand there, or that it is in the list twice: it is rejected and not drawn any more. The
    journal keeps it, undo brings it back."""
    choice = choice_of(state, photo, side, min_confidence, max_confidence)
    judge(project, hands, "rejected", who, as_json, dry_run, choice, said={"deleted": True})


def confirm(project: ProjectFolder, hands: HandIds, who: WhoOption = None, as_json: JsonOption = False) -> None:
    """Say that all keypoints of hands that are still as the network proposed them are right where they are."""
    from annotator.hand.joints import JOINT_NAMES
    from annotator.project import Project

    done = []
    with Project.open(project, who) as opened:
        for hand_id in asked(opened, hands, choice_of(), ()).notes:
            before = opened.hand(hand_id)
            states = {JOINT_NAMES[k]: "confirmed" for k, one in enumerate(before.joint_states) if one == "proposed"}
            version = before.version
            if states:
                note = {"states": states, "command": "confirm"}
                version = opened.edit(hand_id, None, states, before.version, note)
            done.append({"id": hand_id, "confirmed": len(states), "version": version})
    emit(as_json, {"hands": done}, "\n".join(f"{one['id']}: {one['confirmed']} keypoints confirmed" for one in done))
