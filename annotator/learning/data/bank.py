"""A bank of features: what does not learn of an encoder is computed once and trained on many times.

With a frozen encoder that is all of it (128 kB a sample, float16), else its stem (66 kB). Training from a bank is
several times faster than from photos on a CPU.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from annotator.errors import InputError
from annotator.files.atomic import put_text
from annotator.files.file_errors import reading, writing
from annotator.files.serialization.npz_arrays import read_npz, write_npz
from annotator.learning.data.samples import Labels
from annotator.network.features import VECTORS, Features

META, LABEL_FILE = "bank.json", "labels.npz"
INCOMPLETE = "is no complete feature bank"


class FeatureBank:
    """A folder of memory-mapped float16 arrays, one for each field of `Features`, and the labels beside them."""

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        with reading(self.folder, INCOMPLETE, ValueError):
            meta = json.loads((self.folder / META).read_text())
        arrays = read_npz(self.folder / LABEL_FILE, Labels._fields, INCOMPLETE)
        self.labels = Labels(*(torch.from_numpy(arrays[name]) for name in Labels._fields))
        self.count = meta["count"]
        self.arrays = [
            np.memmap(self.folder / f"{name}.f16", np.float16, "r", shape=(self.count, *shape))
            for name, shape in meta["fields"]
        ]

    @staticmethod
    def there(folder: Path) -> bool:
        """Whether a bank was built in this folder, and whole."""
        return (folder / META).exists()

    def __len__(self) -> int:
        return self.count

    def batch(self, index: Tensor) -> tuple[Features, Labels]:
        """index (B,) int64, best sorted (the disk likes it)."""
        rows = index.numpy()
        fields = [torch.from_numpy(array[rows]).float() for array in self.arrays]
        return unflatten(fields), self.labels.select(index)

    @staticmethod
    def build(
        folder: str | Path, encoder: Callable[[Tensor], Features], batches: Iterable[tuple[Tensor, Labels]], count: int
    ):
        """Runs `encoder` (crops -> Features) over (crops (B, 3, 224, 224), labels) and writes a bank of the first
        `count` samples."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        arrays, labels, names, at = None, [], None, 0
        with torch.inference_mode():
            for crops, batch_labels in batches:
                fields = flatten(encoder(crops))
                if arrays is None:
                    names = [(f"field{i}", list(field.shape[1:])) for i, field in enumerate(fields)]
                    arrays = [_room(folder / f"{name}.f16", count, shape) for name, shape in names]
                take = min(len(crops), count - at)
                for array, field in zip(arrays, fields, strict=True):
                    array[at : at + take] = field[:take].clamp(-6e4, 6e4).numpy()
                labels.append(batch_labels.select(slice(0, take)))
                at += take
                if at >= count:
                    break
        if arrays is None:
            raise InputError(f"{folder}: no samples to build a feature bank from")
        for array in arrays:
            array.flush()
        merged = [torch.cat(fields).numpy() for fields in zip(*labels, strict=True)]
        write_npz(folder / LABEL_FILE, dict(zip(Labels._fields, merged, strict=True)))
        if at < count:  # a shorter bank than planned: cut the files to what is there
            for name, shape in names or []:
                with writing(folder / f"{name}.f16"), open(folder / f"{name}.f16", "r+b") as file:
                    file.truncate(_bytes(at, shape))
        put_text(folder / META, json.dumps({"count": at, "fields": names}))  # last: without it the bank is not complete
        return FeatureBank(folder)


def _room(path: Path, count: int, shape: Sequence[int]) -> np.memmap:
    """A file for `count` samples, its bytes really there: on a full disk a mapped one would end the process."""
    with writing(path):
        with path.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, _bytes(count, shape))
        return np.memmap(path, np.float16, "r+", shape=(count, *shape))


def _bytes(count: int, shape: Sequence[int]) -> int:
    return count * int(np.prod(shape, dtype=np.int64)) * 2


def flatten(features: Features) -> list[Tensor]:
    """What training needs of them: no outline, which nothing learns from."""
    return [*features.maps, *features.vectors()]


def unflatten(fields: list[Tensor]) -> Features:
    return Features(tuple(fields[: -len(VECTORS)]), *fields[-len(VECTORS) :])
