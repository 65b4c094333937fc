"""`annotator rank PROJECT`: which hand, and which joint in it, to look at next, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from annotator.cli.support.engines import CpusOption, EngineOption, GpusOption, WorkersOption, engine_of
from annotator.cli.support.output import JsonOption, ProjectFolder, emit
from annotator.cli.support.stages import Stages


def command(
    project: ProjectFolder,
    strategy: Annotated[
        str, typer.Option(help="weighted-core-set, uncertainty, core-set, random, or one that a package adds.")
    ] = "weighted-core-set",
    count: Annotated[int, typer.Option(help="How many hands.", min=1)] = 20,
    seed: Annotated[int, typer.Option(help="Of what is drawn at random.")] = 0,
    model: Annotated[
        Path | None,
        typer.Option(help="A checkpoint; default: the project's promoted one, else the shipped.", show_default=False),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    engine: EngineOption = "local",
    workers: WorkersOption = 0,
    worker_cpus: CpusOption = 1.0,
    worker_gpus: GpusOption = 0.0,
    as_json: JsonOption = False,
) -> None:
    """List the open hands that teach the model most, each with the joint to ask for first; changes nothing."""
    from annotator.rounds import rank

    elsewhere, describe = engine_of(engine, workers, worker_cpus, worker_gpus), None
    if elsewhere is not None:
        from annotator.cluster.ranking import describing

        describe = describing(elsewhere, project)
    with Stages(as_json) as stages:
        told = lambda step, n, all: stages(step, n, all, {})  # noqa: E731
        ranked = rank(project, strategy, count, seed, model, device, told, describe)
    lines = [f"{one.id}: {one.joint or 'nothing left to ask'} ({one.why})" for one in ranked]
    result = {"strategy": strategy, "hands": [one.as_dict() for one in ranked]}
    emit(as_json, result, "\n".join(lines) or "no open hand is left")
