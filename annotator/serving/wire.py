"""How hands travel between a model's server and its clients: one NumPy archive, no pickles, every array checked.

A hand is what a project stores of it (`HandRecord`, the parametric stage's parameters), and, where it was asked for,
the cached features that a correction needs. The receiver rebuilds the mesh with its own copy of the hand model.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from annotator.errors import InputError
from annotator.files.serialization.npz_arrays import WRONG
from annotator.hand.mesh import HandMesh
from annotator.network.crop_camera import CropView
from annotator.network.features import STRIDES, VECTORS, Features
from annotator.network.hand_meshes import CachedFeatures
from annotator.network.parametric import Estimate
from annotator.project.entering.intake import Prepared, prepare
from annotator.project.records.meshes import mesh_of
from annotator.vision.crops import Crop

TYPE = "application/x-npz"
MOST_HANDS = 64
MOST_NUMBERS = 50_000_000  # in one message, unpacked: a small archive can claim to be a huge one


def pack(hands: Sequence[HandMesh], more: dict | None = None, features: bool = True, photo: bytes = b"") -> bytes:
    """Hands as bytes. more: JSON-ready, comes back beside them; features: with what `refine` needs; photo: an image
    file."""
    arrays: dict[str, np.ndarray] = {}
    entries = []
    for number, hand in enumerate(hands):
        name, digest, record, parametric = prepare(hand).pack()
        entries.append(
            {"model": name, "digest": digest, "features": features and isinstance(hand.features, CachedFeatures)}
        )
        arrays[f"{number}.record"] = np.frombuffer(record, np.uint8)
        arrays[f"{number}.parametric"] = np.frombuffer(parametric, np.uint8)
        if entries[-1]["features"]:
            arrays |= {f"{number}.{key}": value for key, value in _features(hand.features).items()}
    head = json.dumps({"hands": entries, "more": more or {}}).encode()
    with io.BytesIO() as file:
        whole: dict[str, Any] = {
            "head": np.frombuffer(head, np.uint8),
            "photo": np.frombuffer(photo, np.uint8),
            **arrays,
        }
        np.savez(file, **whole)
        return file.getvalue()


def unpack(data: bytes) -> tuple[list[HandMesh], dict, bytes]:
    """(hands, what came beside them, photo). InputError for anything that `pack` did not write."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(item.file_size for item in archive.infolist()) > MOST_NUMBERS * 4:
                raise InputError("the message is too large when unpacked")
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            head = json.loads(arrays["head"].tobytes())
            if len(head["hands"]) > MOST_HANDS:
                raise InputError(f"{len(head['hands'])} hands in one message, at most {MOST_HANDS} are taken")
            hands = [_hand(arrays, number, entry) for number, entry in enumerate(head["hands"])]
            return hands, dict(head["more"]), arrays["photo"].tobytes()
    except InputError:
        raise
    except (*WRONG, IndexError, OSError, AttributeError, OverflowError, MemoryError) as error:
        raise InputError(f"this is no message with hands: {error}") from error


def _hand(arrays, number: int, entry: dict) -> HandMesh:
    packed = (
        entry["model"],
        entry["digest"],
        arrays[f"{number}.record"].tobytes(),
        arrays[f"{number}.parametric"].tobytes(),
    )
    ready = Prepared.unpack(packed)
    hand = mesh_of(ready.record, ready.model, ready.parametric)
    return hand.replace(features=_remembered(arrays, number, hand)) if entry["features"] else hand


def _features(kept: CachedFeatures) -> dict[str, np.ndarray]:
    features = kept.features
    values = {f"map{k}": m.numpy() for k, m in enumerate(features.maps)}
    values |= dict(zip(VECTORS, (vector.numpy() for vector in features.vectors()), strict=True))
    if features.outline is not None:
        values["outline"] = features.outline.numpy()
    return values | {f"start.{name}": getattr(kept.start, name).numpy() for name in Estimate._fields}


def _remembered(arrays, number: int, hand: HandMesh) -> CachedFeatures:
    def tensor(name: str) -> torch.Tensor:
        array = arrays[f"{number}.{name}"]
        if array.dtype.kind != "f" or array.ndim < 1 or len(array) != 1:
            raise InputError(f"{name} is no tensor of one hand")
        return torch.from_numpy(array.copy())

    maps = tuple(tensor(f"map{k}") for k in range(len(STRIDES)))
    outline = tensor("outline") if f"{number}.outline" in arrays else None
    features = Features(maps, *map(tensor, VECTORS))._replace(outline=outline)
    start = Estimate(*(tensor(f"start.{name}") for name in Estimate._fields))
    crop = Crop.of_hand(hand)
    return CachedFeatures(features, start, CropView.of(crop, hand.camera), crop)


def shapes(kept: CachedFeatures) -> list[tuple]:
    """Shapes and types of a hand's cached features: what one model's are, another's need not be."""
    seen = kept.features
    tensors = [*seen.maps, *seen.vectors(), *([] if seen.outline is None else [seen.outline]), *kept.start]
    return [(tuple(tensor.shape), tensor.dtype) for tensor in tensors]
