"""A second model for servers that answer with several."""

from __future__ import annotations

import pytest


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
