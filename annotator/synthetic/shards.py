"""Synthetic photos on disk: shards that are read at random without unpickling anything.

A folder holds `meta.json` and, for each shard, `shard-00000.jpegs` (JPEG files end to end) and
`shard-00000.safetensors`: offsets (N+1,) int64 byte positions; keypoints (N,21,2) float32 crop px; visible
(N,21) uint8; joints (N,21,3) float32 m, crop camera frame; rotations (N,16,3,3) float32, the first the whole
hand's; shape (N,10) float32; translation (N,3) float32 m: vertices = HandLayer(rotations, shape) +
translation; focal (N,) float32 px (principal point 111.5, 111.5); kind (N,) int32, index into meta's `kinds`;
seed (N,2) int64: the set's seed and the sample's number. All hands are right hands. Where meta's `bones` is not 0, the
hands are not of the hand model itself but of `proportioned(model, seed, number, bones)`. A shard is complete when
its .safetensors file exists.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import save_file

from annotator.errors import InputError
from annotator.files.file_errors import reading
from annotator.hand.building.proportions import random_bone_lengths, with_bone_lengths
from annotator.hand.model import HandModel
from annotator.vision.photos import decode_photo

VERSION = 1
LABELS = ("keypoints", "visible", "joints", "rotations", "shape", "translation", "focal", "kind", "seed")


def shard_paths(folder: str | Path, number: int) -> tuple[Path, Path]:
    """The image file and the label file of a shard."""
    base = Path(folder) / f"shard-{number:05d}"
    return base.with_suffix(".jpegs"), base.with_suffix(".safetensors")


def shard_length(folder: str | Path, number: int) -> int:
    """How many samples a shard holds; 0 if it is not there."""
    path = shard_paths(folder, number)[1]
    if not path.exists():
        return 0
    with safe_open(path, framework="np") as handle:
        return handle.get_slice("offsets").get_shape()[0] - 1


def write_shard(folder: str | Path, number: int, images: list[bytes], labels: dict[str, np.ndarray]) -> None:
    """Write one shard; its label file appears last and at once, so a shard is complete or not there."""
    if set(labels) != set(LABELS):
        raise InputError(f"shard labels are {sorted(labels)}, expected {sorted(LABELS)}")
    image_path, label_path = shard_paths(folder, number)
    offsets = np.concatenate([[0], np.cumsum([len(image) for image in images])]).astype(np.int64)
    arrays = {name: np.ascontiguousarray(value) for name, value in labels.items()}
    temporary = [path.with_name(f".{path.name}.{os.getpid()}") for path in (image_path, label_path)]
    temporary[0].write_bytes(b"".join(images))
    save_file({"offsets": offsets, **arrays}, temporary[1])
    temporary[0].replace(image_path)
    temporary[1].replace(label_path)


def write_meta(folder: str | Path, meta: dict) -> None:
    """Write meta.json, replacing it at once."""
    path = Path(folder) / "meta.json"
    temporary = path.with_name(f".meta.{os.getpid()}")
    temporary.write_text(json.dumps(meta, indent=1, sort_keys=True) + "\n")
    temporary.replace(path)


def read_meta(folder: str | Path) -> dict:
    """meta.json of a folder of shards. InputError if the folder is not one, or was written by another
    version."""
    path = Path(folder) / "meta.json"
    with reading(folder, "is no folder of synthetic photos", ValueError):
        meta = json.loads(path.read_text())
    if not isinstance(meta, dict) or meta.get("version") != VERSION:
        raise InputError(f"{path}: written by another version of the synthetic photos")
    return meta


def proportioned(model: HandModel, seed: int, number: int, bones: float) -> HandModel:
    """The hand model of sample `number` of a set with this seed: each bone up to `bones` (a share) longer or
    shorter."""
    if not bones:
        return model
    return with_bone_lengths(model, random_bone_lengths(np.random.default_rng([seed, number, 20]), bones))


class SyntheticShards(torch.utils.data.Dataset):
    """The complete shards of a folder as one data set.

    `self[i]` is a dict: image (224,224,3) uint8 array and the sample's row of every label in LABELS, as
    arrays. All labels are also there at once, as arrays over all samples: `shards.labels["keypoints"]`
    (N,21,2). Raises InputError when the folder is missing or holds no complete shard. Can be shared with
    worker processes.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.meta = read_meta(self.folder)
        parts: list[dict[str, np.ndarray]] = []
        files: list[tuple[int, np.ndarray]] = []
        for path in sorted(self.folder.glob("shard-*.safetensors")):
            with safe_open(path, framework="np") as handle:
                arrays = {name: handle.get_tensor(name) for name in ("offsets", *LABELS)}
            files.append((int(path.stem.split("-")[1]), arrays.pop("offsets")))
            parts.append(arrays)
        if not parts:
            raise InputError(f"{self.folder} holds no complete shard of synthetic photos")
        self.labels = {name: np.concatenate([part[name] for part in parts]) for name in LABELS}
        self._shard = np.concatenate([np.full(len(offsets) - 1, k) for k, (_, offsets) in enumerate(files)])
        self._start = np.concatenate([offsets[:-1] for _, offsets in files])
        self._end = np.concatenate([offsets[1:] for _, offsets in files])
        self._paths = [shard_paths(self.folder, number)[0] for number, _ in files]
        self._maps: dict[int, np.memmap] = {}

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_maps": {}}

    def __len__(self) -> int:
        return len(self._shard)

    def hand(self, index: int, model: HandModel) -> HandModel:
        """The hand model of a sample: `model`, or that with the sample's own bone lengths."""
        seed, number = (int(value) for value in self.labels["seed"][index])
        return proportioned(model, seed, number, float(self.meta.get("bones", 0.0)))

    def jpeg(self, index: int) -> bytes:
        """The sample's JPEG file."""
        shard = int(self._shard[index])
        if shard not in self._maps:
            self._maps[shard] = np.memmap(self._paths[shard], np.uint8, mode="r")
        return self._maps[shard][self._start[index] : self._end[index]].tobytes()

    def image(self, index: int) -> np.ndarray:
        """The sample's picture (224,224,3) uint8 RGB."""
        return np.array(decode_photo(self.jpeg(index), f"sample {index}"))

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return {"image": self.image(index), **{name: values[index] for name, values in self.labels.items()}}
