"""Checkpoints: one safetensors file holds the weights, the network's configuration, the hand's digest and the card."""

from __future__ import annotations

import errno
import hashlib
import json
from importlib.resources import as_file, files
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from annotator.errors import InputError
from annotator.files.atomic import put
from annotator.files.serialization.tensor_files import opened_safetensors
from annotator.hand.model import HandModel, load_hand
from annotator.network.glfnet import GLFNet, GLFNetConfig
from annotator.network.layers import Unfilled

DEFAULT = "default.safetensors"


def save_checkpoint(path: str | Path, network: GLFNet, card: dict | None = None, half: bool = True) -> None:
    """Writes `network`, whole or not at all; InputError if it cannot.

    half: float16 on disk (a third of a millimetre is far above its rounding).
    """
    path = Path(path)
    state = {}
    for name, tensor in network.state_dict().items():
        if not_stored(name, network):
            continue
        tensor = tensor.detach().cpu().contiguous()
        state[name] = tensor.half() if half and tensor.is_floating_point() else tensor
    metadata = {
        "config": json.dumps(network.config.as_dict()),
        "hand_digest": network.hand.digest,
        "card": json.dumps(card or {}),
        "format": "glfnet-1",
    }
    write_tensors(path, state, metadata)


def write_tensors(path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
    """A safetensors file that is whole and on disk, or as it was. InputError if it cannot be written."""

    def write(partial: Path) -> None:
        try:
            save_file(tensors, partial, metadata)
        except SafetensorError as error:  # how this library says what the disk said
            raise OSError(errno.EIO, str(error)) from error

    put(path, write)


def not_stored(name: str, network: GLFNet) -> bool:
    """Whether a tensor has its home elsewhere: the hand model's file (the digest ties the two together), or the
    packaged weights of an encoder that never moves them."""
    fixed = tuple(f"encoder.{part}" for part in network.encoder.packaged)
    return name.startswith(("layer.", *fixed))


def load_checkpoint(path: str | Path | None = None, hand: HandModel | str | None = None) -> tuple[GLFNet, dict]:
    """The network and its card, in evaluation mode.

    path: None is the embedded default. hand: another hand model in the same form (a name, a file, or the model).
    InputError names the file when it is missing, is no checkpoint, or was trained with another hand model.
    """
    if path is None:
        with as_file(files("annotator.network") / "weights" / DEFAULT) as default:
            return load_checkpoint(default, hand)
    path = Path(path)
    if not path.is_file():
        raise InputError(f"checkpoint {path}: no such file")
    with opened_safetensors(path, "is no GLFNet checkpoint", KeyError, TypeError, ValueError, RecursionError) as file:
        metadata = file.metadata() or {}
        state = {name: file.get_tensor(name).float() for name in file.keys()}
        config = GLFNetConfig(**json.loads(metadata["config"]))
        card = dict(json.loads(metadata.get("card", "{}")))
    if hand is None or isinstance(hand, str):
        hand = load_hand(hand or config.hand)
    _refuse_larger(path, config, state)
    with Unfilled():  # what the file lacks, the packaged weights have
        network = GLFNet(config, hand)
    try:
        missing, unexpected = network.load_state_dict(state, strict=False)
    except RuntimeError as error:  # a tensor of another shape than the configuration says
        raise InputError(f"{path} does not fit its own configuration: {str(error).splitlines()[-1].strip()}") from error
    missing = [name for name in missing if not not_stored(name, network)]
    if missing or unexpected:
        raise InputError(f"{path} does not fit its own configuration: {(missing + unexpected)[:3]}")
    return network.eval(), card


def _refuse_larger(path: Path, config: GLFNetConfig, state: dict[str, torch.Tensor]) -> None:
    """InputError: a configuration of a network that these tensors cannot be, before memory is asked for it."""
    longest = max((size for tensor in state.values() for size in tensor.shape), default=0)
    for name, value, most in (
        ("width", config.width, longest),
        ("hidden", config.hidden, longest),
        ("retrievals", config.retrievals, len(state)),
        ("levels", len(config.levels), len(state)),
    ):
        if value > most:
            raise InputError(f"{path} does not fit its own configuration: its tensors are too few for {name} {value}")


def checkpoint_digest(network: GLFNet) -> str:
    """A short name for exactly these weights, for provenance: sha256 of all tensors, 16 hex digits."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().half().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def resolve_device(device: torch.device | str | None) -> torch.device:
    """`None` or 'auto': a GPU if torch sees one, else the CPU."""
    if device in (None, "auto"):
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.device(device)
    except RuntimeError as error:
        raise InputError(f"unknown device '{device}': expected 'auto', 'cpu' or 'cuda'") from error
