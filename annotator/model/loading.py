"""From a checkpoint to a model that is ready."""

from __future__ import annotations

from pathlib import Path

from annotator.hand.model import HandModel
from annotator.model.model import Model
from annotator.network.checkpoint import load_checkpoint


def load_model(
    checkpoint: str | Path | None = None,
    hand: str | HandModel | None = None,
    device: str | None = None,
    quick: bool = False,
) -> Model:
    """A model that is ready to propose and to refine.

    Parameters
    ----------
    checkpoint
        A `.safetensors` file, or what `load_checkpoint` takes; None: the embedded one.
    hand
        Another hand model of the same form: its name, its file, or itself.
    device
        'cpu', 'cuda', ...; None: a GPU if there is one.
    quick
        Whether photos without boxes get one look, see `Model`.

    Returns
    -------
    Model

    Raises
    ------
    InputError
        A file that is missing, damaged, or of another kind; a hand model that does not fit; an unknown device.
    """
    network, card = load_checkpoint(checkpoint, hand)
    return Model(network, card, device, quick)
