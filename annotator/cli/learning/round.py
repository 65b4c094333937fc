"""`annotator round PROJECT`: one active-learning round."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from annotator.cli.support.engines import CpusOption, EngineOption, GpusOption, WorkersOption, engine_of
from annotator.cli.support.output import JsonOption, ProjectFolder, WhoOption, emit
from annotator.cli.support.stages import Stages


def command(
    project: ProjectFolder,
    steps: Annotated[int, typer.Option(help="Optimiser steps of the fine-tuning.", min=1)] = 200,
    seed: Annotated[int, typer.Option(help="Of everything drawn at random.")] = 0,
    model: Annotated[
        Path | None,
        typer.Option(
            help="Checkpoint to start from; default: the project's promoted one, else the shipped.", show_default=False
        ),
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option(
            help="Folder of rendered photos to show again; default: rendered once, into the project.",
            show_default=False,
        ),
    ] = None,
    replayed: Annotated[int, typer.Option(help="How many photos to show again.", min=1)] = 1500,
    least_gold: Annotated[
        int,
        typer.Option(
            help="Held-out hands that a promotion needs; accepted ones are held out where gold ones are fewer.", min=1
        ),
    ] = 10,
    confidence: Annotated[float, typer.Option(help="That the error fell, for a promotion.", min=0.5, max=0.999)] = 0.95,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain", help="Only say which hands it would learn from, be judged by, or leave out, and why."
        ),
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    engine: EngineOption = "local",
    workers: WorkersOption = 0,
    worker_cpus: CpusOption = 1.0,
    worker_gpus: GpusOption = 0.0,
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Learn from accepted hands, prove it on held-out ones, and only if it is better take over and propose anew.

    An interrupted round goes on; see PROJECT/rounds for checkpoints and reports.
    """
    from annotator.rounds import RoundSettings, explained, run_round
    from annotator.rounds.retraining.counting import lines

    settings = RoundSettings(
        steps=steps, seed=seed, replayed=replayed, least_gold=least_gold, confidence=confidence, warmup=min(20, steps)
    )
    if explain:
        said = explained(project, settings)
        return emit(as_json, said, "\n".join(f"the round {line}" for line in lines(said)))
    elsewhere, launch = engine_of(engine, workers, worker_cpus, worker_gpus), None
    if elsewhere is not None:
        from functools import partial

        from annotator.cluster.training import together

        launch = partial(together, elsewhere)
    with Stages(as_json) as stages:
        result = run_round(project, settings, model, replay, who, device, stages, launch)
    verdict = "promoted" if result["promoted"] else "not promoted"
    text = f"round {result['round']}: {verdict}: {result['why']}\nreport: {result['report']['page']}"
    text += "".join(f"\nthe round {line}" for line in lines(result["counted"]))
    definition = result["definition"]
    if definition:
        text += f"\njoint definition: {'adopted' if definition['adopted'] else 'not adopted'}: {definition['why']}"
    if result["promoted"]:
        text += f"\n{result['reproposed']['refreshed']} open hands were proposed anew"
    emit(as_json, result, text)
