"""The options of commands that can run on Ray."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from annotator.cluster import Engine

EngineOption = Annotated[
    str,
    typer.Option(
        help="local (this process), ray (this machine's cores, or the cluster of RAY_ADDRESS), or ray://HOST:PORT."
    ),
]
WorkersOption = Annotated[int, typer.Option(help="Of Ray: processes at work (0: as many as there is room for).", min=0)]
CpusOption = Annotated[float, typer.Option(help="Of Ray: cores of each worker.", min=0.5)]
GpusOption = Annotated[float, typer.Option(help="Of Ray: GPUs of each worker; a fraction shares one.", min=0)]


def engine_of(engine: str, workers: int = 0, cpus: float = 1.0, gpus: float = 0.0) -> Engine | None:
    """What the options stand for; None is this process."""
    from annotator.cluster import parse_engine

    return parse_engine(engine, workers, cpus, gpus)
