"""A round's report: report.json for programs, report.html with curves and pictures for people, and a model card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from annotator.files.atomic import put_text
from annotator.files.file_errors import reading
from annotator.model import Model
from annotator.rounds import pictures
from annotator.rounds.reading import PhotoReader
from annotator.rounds.retraining import counting, judging, samples
from annotator.rounds.storage import CHECKPOINT, HELD, read_state, write_json

CURVES, PICTURES, PAGE, CARD, FILE = "curves.png", "before-after.png", "report.html", "model-card.md", "report.json"
FARTHEST = 5  # joints named of a definition; report.json has all
NAMED = 30  # hands in a row of the table; report.json has all
STYLE = (
    "body { font: 15px/1.5 system-ui, sans-serif; max-width: 1000px; margin: 2rem auto; color: #222 } td, th { "
    "text-align: left; padding: .15rem 1rem .15rem 0 } img { max-width: 100% }"
)


def result(folder: Path, state: dict) -> dict:
    """What `run_round` returns and `annotator round --json` prints."""
    verdict = state.get("verdict") or {}
    return {
        "round": state["round"],
        "promoted": state["promoted"],
        "why": verdict.get("why", ""),
        "parent": state["parent"],
        "model": state.get("checkpoint"),
        "checkpoint": str(folder / CHECKPOINT),
        "hands": len(state["train"]),
        "keypoints": state["keypoints"],
        "unlabelled": state.get("unlabelled", state.get("untold", 0)),
        "missing": [{"id": hand, "why": why} for hand, why in state["missing"]],
        "counted": {
            "learns": state["train"],
            "judges": state["held"],
            "held_kind": state["held_kind"],
            "keypoints": state["keypoints"],
            # rounds begun by versions that did not tell them apart know of the missing ones alone
            "left_out": [{"id": hand, "why": why} for hand, why in state.get("left_out", state["missing"])],
        },
        "contradicting": {"hands": state.get("contradicting", []), "of": state.get("checked", 0)},
        "held": {"hands": len(state["held"]), "kind": state["held_kind"]},
        "definition": state.get("definition"),
        "error": verdict.get("photo"),
        "from_definition": verdict.get("definition"),
        "from_weights": verdict.get("weights"),
        "old_domain_mm": verdict.get("old"),
        "blend": state.get("blend"),
        "reproposed": state.get("reproposed", {"refreshed": 0, "current": 0, "left": 0}),
        "seconds": state["seconds"],
        "settings": state["settings"],
        "report": {
            "folder": str(folder), "page": str(folder / PAGE), "curves": str(folder / CURVES),
            "before_after": str(folder / PICTURES) if (folder / PICTURES).is_file() else None,
            "card": str(folder / CARD),
        },
    }  # fmt: skip


def write(folder: Path, state: dict, rounds: Sequence[Path], parent: Model, child: Model) -> None:
    """Everything of the report; rounds: all rounds' folders, oldest first."""
    states = [read_state(other) if other != folder else state for other in rounds]
    pictures.curves(folder / CURVES, states, folder / "training" / "log.csv")
    _draw(folder, state["settings"]["pictures"], parent, child)
    said = result(folder, state)
    put_text(folder / CARD, _card(said, child, parent))
    put_text(folder / PAGE, _page(said, states))
    write_json(folder / FILE, said)


def _draw(folder: Path, count: int, parent: Model, child: Model) -> None:
    """The held-out hands that changed most, half of them for the better, half for the worse."""
    table, crops, _ = samples.read(folder / "samples" / "held")
    with reading(folder / HELD, "is damaged", ValueError, KeyError, TypeError):
        rows = json.loads((folder / HELD).read_text())["hands"]
    change = np.array([np.nan if None in row["photo"] else row["photo"][1] - row["photo"][0] for row in rows])
    known = np.flatnonzero(np.isfinite(change))
    order = known[np.argsort(change[known], kind="stable")]
    chosen = list(dict.fromkeys([*order[: (count + 1) // 2], *order[::-1][: count // 2]])) if count else []
    if not chosen:
        return
    part, seen = table.select(np.array(chosen)), [crops[k] for k in chosen]
    hands = list(zip(judging.answers(parent, part, seen), judging.answers(child, part, seen), strict=True))
    reader = PhotoReader()
    ends = [rows[k]["photo"] for k in chosen]
    words = [(f"before: {100 * a:.1f} % off", f"after: {100 * b:.1f} % off") for a, b in ends]
    photos = [reader.read(str(path)) for path in part.photo]
    pictures.before_after(folder / PICTURES, photos, hands, list(part.keypoints), list(part.weight > 0), words)


def _facts(said: dict) -> list[tuple[str, str]]:
    error, old, counts = said["error"], said["old_domain_mm"], said["reproposed"]
    rows = [
        ("verdict", ("promoted: " if said["promoted"] else "not promoted: ") + said["why"]),
        ("learned from", f"{said['hands']} accepted hands, {said['keypoints']} keypoints set or confirmed by people"),
        ("which hands counted", "; ".join(counting.lines(said["counted"]))),
        ("judged by", f"{said['held']['hands']} held-out hands ({said['held']['kind']})"),
    ]
    adopted = (said["definition"] or {}).get("adopted")
    if said["definition"]:
        words = said["definition"].get("why", "")
        rows.append(("the project's joint definition", ("adopted: " if adopted else "not adopted: ") + words))
        far = sorted(said["definition"]["offsets_mm"].items(), key=lambda one: -one[1])[:FARTHEST]
        rows.append(("joints that people mean elsewhere, mm", ", ".join(f"{name} {mm:.1f}" for name, mm in far)))
    for name, part in (
        ("error on them, % of the box", error),
        (f"by the definition alone{'' if adopted else ' (not adopted)'}", said["from_definition"]),
        ("by the weights alone, both read alike", said["from_weights"]),
    ):
        if part:
            rows.append(
                (
                    name,
                    f"{100 * part['before']:.2f} -> {100 * part['after']:.2f}, change "
                    f"{100 * part['low']:.2f}..{100 * part['high']:.2f} (95 %, paired bootstrap over photos)",
                )
            )
    if old:
        rows.append(
            (
                "error on what it knew before, mm",
                f"{old['before']:.2f} -> {old['after']:.2f} ({old['n']} rendered photos)",
            )
        )
    against = said["contradicting"]
    if against["hands"]:
        some = ", ".join(against["hands"][:NAMED]) + (" ..." if len(against["hands"]) > NAMED else "")
        rows.append(
            ("accepted hands that contradict the rest", f"{len(against['hands'])} of {against['of']} looked at: {some}")
        )
    if said["promoted"]:
        rows.append(("open hands proposed anew", f"{counts['refreshed']}; left as they were: {counts['left']}"))
    if said["blend"]:
        rows.append(("weights", f"{100 * said['blend']:.0f} % of the way from the parent's to the fine-tuned ones"))
    rows += [("parent", said["parent"]), ("this model", said["model"]), ("seconds", f"{said['seconds']:.0f}")]
    return rows


def _card(said: dict, child: Model, parent: Model) -> str:
    rows = [f"| {name} | {text} |" for name, text in _facts(said)]
    kept = [
        f"| {name} | {value} |"
        for name, value in child.card.items()
        if isinstance(value, str | int | float) and name != "seconds"
    ]
    settings = ", ".join(f"{name} {value}" for name, value in said["settings"].items())
    return "\n".join(
        [
            f"# Model card: round {said['round']} ({said['model']})",
            "",
            "| | |",
            "| --- | --- |",
            *rows,
            f"| settings | {settings} |",
            "",
            "What the checkpoint says of itself:",
            "",
            "| | |",
            "| --- | --- |",
            *kept,
            "",
            "Errors in the photo are distances of proposed keypoints from those that people set, on hands that no "
            "round learns from. The replay error is PA-MPVPE on rendered photos whose meshes are known, with "
            "simulated landmarks.",
            "",
        ]
    )


def _page(said: dict, states: Sequence[dict]) -> str:
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in _facts(said))
    earlier = "".join(
        f"<tr><td>{s['round']}</td><td>{escape(str(s.get('parent', '')))}</td>"
        f"<td>{escape(str(s.get('checkpoint', '')))}</td>"
        f"<td>{'promoted' if s['promoted'] else 'not promoted'}</td></tr>"
        for s in states
    )
    shown = (
        "<h2>Before and after</h2><p>The held-out hands that changed most, for the better and for the worse; rings: "
        f'keypoints by people.</p><img src="{PICTURES}" alt="hands before and after">'
        if said["report"]["before_after"]
        else ""
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Round '
        f"{said['round']}</title><style>{STYLE}</style>"
        f'<h1>Round {said["round"]}</h1><table>{rows}</table><h2>Curves</h2><img src="{CURVES}" alt="errors over '
        'rounds and steps">'
        f"{shown}<h2>Rounds</h2><table><tr><th>round</th><th>parent</th><th>model</th><th></th></tr>{earlier}</table>"
        f'<p><a href="{CARD}">Model card</a></p></html>\n'
    )
