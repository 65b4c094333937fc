"""A checkpoint's way to workers, which need not see the file system it lies on."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotator.cluster.engine import Engine, needed
from annotator.errors import InputError

if TYPE_CHECKING:
    from annotator.model import Model


def content_of(checkpoint: Path | None) -> bytes | None:
    """A checkpoint file's bytes; None stands for the embedded model."""
    return None if checkpoint is None else Path(checkpoint).read_bytes()


def check_digest(model: Model, digest: str) -> Model:
    """The model; RuntimeError: it has another digest than the one here."""
    if model.digest != digest:
        raise RuntimeError(f"a worker's model is {model.digest}, expected {digest}: other versions are installed")
    return model


def answer_of(ray: Any, task: Any) -> Any:
    """What a task or an actor's call gives. InputError: what it objected to there."""
    try:
        return ray.get(task)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, InputError):
            raise InputError(str(error.cause)) from error
        raise


def loaded(content: bytes | None, engine: Engine) -> Model:
    """The model in a worker, on the cores or the GPU that it has reserved.

    torch is imported here and not above: who hands on work, or exports, takes seconds less to start.
    """
    import torch

    from annotator.model import load_model

    torch.set_num_threads(max(1, int(engine.cpus)))
    device = "cuda" if engine.gpus else "cpu"
    if content is None:
        return load_model(device=device)
    with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
        file.write(content)
        file.flush()
        return load_model(file.name, device=device)


def quiet_data():
    """Ray Data, without bars and news of its own on stderr."""
    import logging

    data = needed("ray.data")
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    data.DataContext.get_current().enable_progress_bars = False
    return data
