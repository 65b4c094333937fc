"""Training on Ray Train: its workers are joined as torch's process group, then each runs what one machine runs.

`annotator.learning.distributed` sees the group and shares out batches, waits and writes; nothing of it knows Ray. The run's
folder and the data must be at the same path for all workers (a shared file system). A run that lost a worker is started
again by Ray and resumes from the folder, as it does when a person starts it again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from annotator.cluster.engine import Engine, needed
from annotator.errors import InputError

TRIES = 3  # how often a run that lost a worker is started again
PATIENCE = 6 * 3600  # seconds, see `distributed.PATIENCE`


def together(engine: Engine, work: Callable[..., Any], folder: Path, *arguments: Any, **named: Any) -> None:
    """`work(*arguments, **named)` in every one of the engine's workers, joined as a process group.

    folder: of the run; Ray keeps its own notes below it. InputError: what a worker said went wrong.
    """
    with engine.connected() as ray:
        train, torch_train = needed("ray.train"), needed("ray.train.torch")
        scaling = train.ScalingConfig(
            num_workers=engine.actors(ray),
            use_gpu=engine.gpus > 0,
            resources_per_worker={"CPU": engine.cpus} | ({"GPU": engine.gpus} if engine.gpus else {}),
        )
        trainer = torch_train.TorchTrainer(
            _worker,
            train_loop_config={"work": work, "arguments": arguments, "named": named, "threads": max(1, int(engine.cpus))},
            torch_config=torch_train.TorchConfig(timeout_s=PATIENCE),
            scaling_config=scaling,
            run_config=train.RunConfig(
                name="ray", storage_path=str(Path(folder).absolute()), failure_config=train.FailureConfig(max_failures=TRIES)
            ),
        )
        try:
            trainer.fit()
        except Exception as error:
            cause = _said(error)
            if cause is not None:
                raise InputError(cause) from error
            raise


def _worker(config: dict) -> None:
    import torch

    torch.set_num_threads(config["threads"])
    config["work"](*config["arguments"], **config["named"])


def _said(error: BaseException) -> str | None:
    """The message of the InputError that a worker raised, if that is what ended the run."""
    failures = [error, *getattr(error, "worker_failures", {}).values()]
    for failure in failures:
        while failure is not None:
            if isinstance(failure, InputError):
                return str(failure)
            failure = getattr(failure, "cause", None) or failure.__cause__
    return None
