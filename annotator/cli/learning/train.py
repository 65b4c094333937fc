"""`annotator train --data DIR --out DIR [--config FILE]`, or `--data freihand:PATH --supervision keypoints`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from annotator.cli.support.engines import CpusOption, EngineOption, GpusOption, WorkersOption, engine_of
from annotator.cli.support.output import JsonOption, emit
from annotator.cli.support.stages import Stages


def command(
    data: Annotated[
        list[str],
        typer.Option(
            help="Where the configuration's data folders are, or FORMAT:PATH, a data set in place of them (may be "
            "repeated).",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the run; an interrupted run goes on there.", show_default=False)],
    config: Annotated[
        Path | None, typer.Option(help="TOML file; default: the recipe of the shipped model.", show_default=False)
    ] = None,
    start: Annotated[Path | None, typer.Option(help="Checkpoint to begin from.", show_default=False)] = None,
    supervision: Annotated[
        str, typer.Option(help="Of FORMAT:PATH: keypoints (and joints where labelled), or keypoints-2d alone.")
    ] = "keypoints",
    steps: Annotated[int, typer.Option(help="At most this many steps a phase (0: as configured).", min=0)] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    engine: EngineOption = "local",
    workers: WorkersOption = 0,
    worker_cpus: CpusOption = 1.0,
    worker_gpus: GpusOption = 0.0,
    as_json: JsonOption = False,
) -> None:
    """Train a model from sparse keypoints, as a configuration file says; resumes by itself.

    On several processes of one machine: torchrun --nproc_per_node=N -m annotator.cli train ..., or --engine ray.
    """
    import dataclasses
    import sys
    from contextlib import nullcontext

    from annotator.errors import InputError
    from annotator.formats.transfer.keypoint_tables import SUPERVISION, make_table, parse
    from annotator.learning import distributed
    from annotator.learning.recipe import DataPart, Recipe, run
    from annotator.network.checkpoint import resolve_device

    if supervision not in SUPERVISION:
        raise InputError(f"unknown supervision {supervision!r}: expected one of {', '.join(SUPERVISION)}")
    sets = [parse(text) for text in data]
    if any(sets) != all(sets) or (not any(sets) and len(data) > 1):
        raise InputError("--data is one folder of the configuration's data, or data sets as FORMAT:PATH, not both")
    root = Path(data[0]) if not any(sets) else out
    if not any(sets) and not root.is_dir():
        raise InputError(f"--data {root}: no such folder")
    recipe = Recipe.read(config)
    if steps:
        phases = {n: dataclasses.replace(s, steps=min(s.steps, steps)) for n, s in recipe.phases.items()}
        recipe = dataclasses.replace(recipe, phases=phases)
    elsewhere = engine_of(engine, workers, worker_cpus, worker_gpus)
    with (
        distributed.launched(resolve_device(device)) as here,
        Stages(as_json) if here.first else nullcontext() as progress,
    ):
        if any(sets):
            trust = 1.0 if supervision == "keypoints" else 0.0
            with distributed.first_before_others():
                folders = [make_table(name, path, out) for name, path in filter(None, sets)]
            parts = tuple(DataPart("photos", str(folder), joint_trust=trust) for folder in folders)
            # its card and calibration are about the data of the configuration
            recipe = dataclasses.replace(recipe, data=parts, calibration=None, card={})
        if elsewhere is not None:
            from annotator.cluster.training import together

            # every path as all workers see it
            root, out, start = root.absolute(), out.absolute(), None if start is None else start.absolute()
            together(elsewhere, run, out, recipe, root, out, "cuda" if worker_gpus else "cpu", start)
            checkpoint = out / "checkpoint.safetensors"
        else:
            checkpoint = run(recipe, root, out, device, start, progress, lambda line: print(line, file=sys.stderr))
    if here.first:
        emit(as_json, {"checkpoint": str(checkpoint), "phases": list(recipe.phases)}, f"checkpoint: {checkpoint}")
