"""Training on Ray Train: its workers are joined as torch's process group, then each runs what one machine runs.

`annotator.learning.distributed` sees the group and shares out batches, waits and writes; nothing of it knows Ray. The
run's folder and the data must be at the same path for all workers (a shared file system). A run that lost a worker is
started again by Ray and resumes from the folder, as it does when a person starts it again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from annotator.cluster.engine import Engine, needed
from annotator.cluster.relay import inside
from annotator.errors import InputError

TRIES = 3  # how often a run that lost a worker is started again
SAID = "ray-error.txt"  # in the run's folder
PATIENCE = 6 * 3600  # seconds, see `distributed.PATIENCE`


def together(engine: Engine, work: Callable[..., Any], folder: Path, *arguments: Any, **named: Any) -> None:
    """`work(*arguments, **named)` in every one of the engine's workers, joined as a process group.

    folder: of the run; Ray keeps its own notes below it. InputError: what a worker said went wrong.
    """
    with engine.connected() as ray:
        said = Path(folder).absolute() / SAID
        said.unlink(missing_ok=True)
        try:
            inside(ray, _fit, engine, work, said, arguments, named)
        except Exception:
            if not said.is_file():
                raise
        if said.is_file():
            raise InputError(said.read_text())


def _fit(engine: Engine, work: Callable[..., Any], said: Path, arguments: tuple, named: dict) -> None:
    """Ray Train's run, in the folder of `said`."""
    ray, train, torch_train = needed("ray"), needed("ray.train"), needed("ray.train.torch")
    threads = max(1, int(engine.cpus))
    scaling = train.ScalingConfig(
        num_workers=engine.actors(ray),
        use_gpu=engine.gpus > 0,
        resources_per_worker={"CPU": engine.cpus} | ({"GPU": engine.gpus} if engine.gpus else {}),
    )
    torch_train.TorchTrainer(
        _worker,
        train_loop_config={"work": work, "arguments": arguments, "named": named, "threads": threads, "said": str(said)},
        torch_config=torch_train.TorchConfig(timeout_s=PATIENCE),
        scaling_config=scaling,
        run_config=train.RunConfig(
            name="ray", storage_path=str(said.parent), failure_config=train.FailureConfig(max_failures=TRIES)
        ),
    ).fit()


def _worker(config: dict) -> None:
    """What each of Ray's workers runs. What is wrong with what was given is noted for the driver: started anew, as Ray
    does after any error, the workers find the note and end at once."""
    import torch

    said = Path(config["said"])
    if said.is_file():
        return
    torch.set_num_threads(config["threads"])
    try:
        config["work"](*config["arguments"], **config["named"])
    except InputError as error:
        said.parent.mkdir(parents=True, exist_ok=True)
        said.write_text(str(error))
        raise
