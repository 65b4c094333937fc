"""`annotator simulate DATA [--out DIR]`"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from annotator.cli.support.output import JsonOption, emit, is_project, progress

if TYPE_CHECKING:
    from annotator.model import Model

POLICIES = ("worst", "model", "random")


def command(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="A folder of rendered photos (their meshes are known), held out of training, or a project: its "
            "accepted hands stand for the truth.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder for simulate.json and simulate.png.", show_default=False)
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="Checkpoint; default: the shipped model.", show_default=False)
    ] = None,
    hands: Annotated[int, typer.Option(help="How many hands.", min=1)] = 100,
    corrections: Annotated[int, typer.Option(help="How many corrections of each.", min=1, max=21)] = 21,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            help="Which keypoint comes next: worst (in the photo), model (where it expects most), random. "
            "May be given several times; default: all three.",
            show_default=False,
        ),
    ] = None,
    annotator: Annotated[
        str,
        typer.Option(
            help="Who corrects: steady (1.5 px), ordinary (2 % of the hand's box), 'own definition' (means the joints "
            "in a way of their own) or careless (now and then the wrong finger)."
        ),
    ] = "ordinary",
    noise: Annotated[
        float, typer.Option(help="A steady person's click, px of the 224 px crop, one sigma.", min=0.0)
    ] = 1.5,
    own_landmarks: Annotated[
        bool,
        typer.Option("--own-landmarks", help="What the landmark network itself sees in rendered photos: harder hands."),
    ] = False,
    exact: Annotated[bool, typer.Option("--exact", help="Pin the mesh to every label.")] = False,
    seed: Annotated[int, typer.Option(help="Of the person and the clicks.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Let a simulated annotator correct proposals, and measure the error after 0, 1, 2, ... corrections.

    Of a project: only keypoints that people set or confirmed are corrected, and errors are against accepted meshes.
    """
    from annotator.errors import InputError

    policies = list(dict.fromkeys(policy or POLICIES))
    for name in policies:
        if name not in POLICIES:
            raise InputError(f"unknown policy {name!r}: expected one of {', '.join(POLICIES)}")
    folder, own = Path(data), is_project(data)
    if not own and not (folder / "meta.json").exists():
        raise InputError(f"{data} is neither a project nor a folder of rendered photos (it has no meta.json)")

    import json

    import numpy as np

    from annotator.correcting.simulation.annotators import simulated_annotator
    from annotator.correcting.simulation.report import plot, summarise
    from annotator.correcting.simulation.simulated import annotate
    from annotator.files.atomic import put_text
    from annotator.model import load_model
    from annotator.rounds.trials.rendered_proposals import rendered_hands

    person = simulated_annotator(annotator, seed, noise)
    loaded = load_model(promoted(data, model) if own else model)
    trials, hands = (
        own_trials_of(data, loaded, hands) if own else (rendered_hands(loaded, folder, hands, not own_landmarks), hands)
    )

    def refine(hand, given):
        return loaded.refine(hand, given, exact=exact)

    traces: dict[str, list] = {name: [] for name in policies}
    for number, (hand, truth) in enumerate(progress(trials, "annotating", hands)):
        for name in policies:
            random = np.random.default_rng([seed, number])
            traces[name].append(annotate(hand, truth, refine, loaded.hand, corrections, name, person, random))
    result: dict[str, Any] = {
        "data": data, "truth": "accepted hands" if own else "rendered", "model": loaded.digest, "annotator": annotator,
        "own_landmarks": own_landmarks, "exact": exact, "noise_px": noise, "seed": seed,
        "policies": {name: summarise(of_policy, corrections) for name, of_policy in traces.items()},
    }  # fmt: skip
    if out is not None:
        put_text(out / "simulate.json", json.dumps(result, indent=1) + "\n")
        plot(result["policies"], out / "simulate.png")
    emit(as_json, result, table(result["policies"]))


def promoted(place: str, model: Path | None) -> Path | None:
    """The checkpoint to simulate a project with."""
    from annotator.rounds import current_checkpoint

    return model or current_checkpoint(place)


def own_trials_of(place: str, loaded: Model, most: int) -> tuple[Iterator, int]:
    """(the project's hands with what stands for their truth, how many). InputError: there are none."""
    from annotator.errors import InputError
    from annotator.project import Project
    from annotator.rounds.trials import own_hands

    with Project.open(place) as opened:
        found, _ = own_hands.own_samples(opened)
        fit = own_hands.fit_for_trials(loaded, found)[:most]
    if not fit:
        raise InputError(f"no accepted hand of {place} has {own_hands.LEAST} keypoints that a person set or confirmed")
    return own_hands.own_trials(loaded, fit), len(fit)


def table(policies: dict[str, dict]) -> str:
    """A Markdown table: mean PA-MPVPE in mm after k corrections, policy by policy."""
    length = max(len(one["corrections"]) for one in policies.values())
    steps = [k for k in (0, 1, 2, 3, 4, 6, 8, 12, 16, 21) if k < length]
    lines = ["| mm after | " + " | ".join(str(k) for k in steps) + " |", "|" + " --- |" * (len(steps) + 1)]
    for name, one in policies.items():
        mean = one["vertex_mm"]["mean"]
        lines.append(f"| {name} | " + " | ".join(f"{mean[k]:.2f}" for k in steps) + " |")
    return "\n".join(lines)
