"""`annotator evaluate DATA [--model CHECKPOINT]`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from annotator.cli.output import JsonOption, emit


def command(
    data: Annotated[
        Path, typer.Argument(help="Shards of synthetic photos, or a keypoint table with photos.", show_default=False)
    ],
    model: Annotated[
        Path | None, typer.Option(help="Checkpoint; default: the shipped model.", show_default=False)
    ] = None,
    count: Annotated[int, typer.Option(help="At most this many hands (0: all).", min=0)] = 0,
    held: Annotated[bool, typer.Option(help="Of a keypoint table, only what was held out of training.")] = True,
    simulated: Annotated[
        bool, typer.Option(help="Rendered photos: landmarks with the noise of real photos instead of the encoder's own.")
    ] = True,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    as_json: JsonOption = False,
) -> None:
    """Score a model: joints, mesh and keypoints, stage by stage (crops by the label, as a given box)."""
    import torch

    from annotator.errors import InputError
    from annotator.learning.evaluation import answers, scores
    from annotator.learning.noise import simulate_landmarks
    from annotator.learning.photos import FILE, KeypointPhotos
    from annotator.learning.rendered import RenderedCrops
    from annotator.network.checkpoint import load_checkpoint, resolve_device

    network, _ = load_checkpoint(model)
    network = network.to(resolve_device(device))
    if (data / "meta.json").exists():
        crops = RenderedCrops(data, jitter=False)
        limit = min(count or len(crops), len(crops))
        generator = torch.Generator().manual_seed(0)
        noise = (lambda labels: simulate_landmarks(labels, generator)) if simulated else None
        run = answers(network, crops, limit, with_mesh=True, simulate=noise)
        rows = scores(run, crops.true_vertices(network.layer.cpu(), limit))
    elif (data / FILE).exists():
        crops = KeypointPhotos(data, held=True if held else None, jitter=False)
        if not len(crops):
            raise InputError(f"{data}: the table holds nothing out of training (--no-held scores all of it)")
        rows = scores(answers(network, crops, count or None))
    else:
        raise InputError(f"{data} is neither a folder of synthetic photos (meta.json) nor a keypoint table ({FILE})")
    emit(as_json, {"data": str(data), "rows": rows}, table(rows))


def table(rows: list[dict]) -> str:
    """A Markdown table, one row an estimate."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    for row in rows:
        cells = (row.get(name, "") for name in names)
        lines.append("| " + " | ".join(f"{c:.4g}" if isinstance(c, float) else str(c) for c in cells) + " |")
    return "\n".join(lines)
