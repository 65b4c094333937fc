"""A second model for servers that answer with several; and no model is warmed up twice."""

from __future__ import annotations

import functools

import pytest

pytest.importorskip("fastapi", reason="needs the extra [serve]")

from annotator.serving.models.served import Loaded  # noqa: E402

_warm = functools.cache(Loaded.warm)


@pytest.fixture(scope="module", autouse=True)
def warmed_once():
    """Most tests have a server of their own, and most of those the same model: a pass in which no hand is found takes
    longer than what they ask."""
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(Loaded, "warm", staticmethod(_warm))
        yield


@pytest.fixture(scope="session")
def other_checkpoint(tmp_path_factory):
    """A checkpoint that answers a little differently."""
    import torch

    from annotator.network.checkpoint import load_checkpoint, save_checkpoint

    network, card = load_checkpoint()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if not name.startswith("encoder"):  # whose weights are not in a checkpoint
                parameter.mul_(1.02)
    path = tmp_path_factory.mktemp("other") / "checkpoint.safetensors"
    save_checkpoint(path, network, card)
    return path
