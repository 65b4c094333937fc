"""Which hands of a project a round would learn from, be judged by, or pass over, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from annotator.project import Project
from annotator.project.records.states import ACCEPTED
from annotator.rounds.retraining import samples
from annotator.rounds.settings import RoundSettings
from annotator.rounds.storage import opened_project

NAMED = 12  # hands of a kind that are named; reports and --json have all


def explained(project: Project | str, settings: RoundSettings | None = None) -> dict:
    """What a new round of the project would do with each hand, ready for JSON; nothing is changed.

    {"learns", "judges": ids; "held_kind": how those to judge by are chosen; "keypoints": how many by people it learns
    from; "left_out": [{"id", "why"}] of accepted hands; "not_accepted": {state: count}}.
    """
    wanted = settings or RoundSettings()
    with opened_project(project) as found:
        taken = samples.taken(found, wanted.least_gold, wanted.held)
        states = found.status()["states"]
    return {
        "learns": [one.id for one in taken.train],
        "judges": [one.id for one in taken.held],
        "held_kind": taken.kind,
        "keypoints": int(sum(one.weights.sum() for one in taken.train)),
        "left_out": [{"id": hand, "why": why} for hand, why in taken.left_out],
        "not_accepted": {state: count for state, count in states.items() if count and state != ACCEPTED},
    }


def lines(said: dict) -> list[str]:
    """`explained`, or what a round says of its hands, for people: a line for each kind of hand."""
    told = [
        f"learns from {len(said['learns'])} accepted hands, {said['keypoints']} keypoints by people"
        + _named(said["learns"]),
        f"is judged by {len(said['judges'])} held-out hands ({said['held_kind']})" + _named(said["judges"]),
    ]
    for why, count in Counter(one["why"] for one in said["left_out"]).most_common():
        ids = [one["id"] for one in said["left_out"] if one["why"] == why]
        told.append(f"does not count {count} accepted hands: {why}" + _named(ids))
    if said.get("not_accepted"):
        counts = ", ".join(f"{count} {state}" for state, count in said["not_accepted"].items())
        told.append(f"does not count what nobody accepted: {counts}")
    return told


def _named(ids: Iterable[str]) -> str:
    listed: Sequence[str] = list(ids)
    if not listed:
        return ""
    return ": " + ", ".join(listed[:NAMED]) + (f" and {len(listed) - NAMED} more" if len(listed) > NAMED else "")
