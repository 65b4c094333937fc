"""Where batches come from: feature banks (encoder frozen) or crops (encoder learning too), mixed by shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from annotator.errors import InputError
from annotator.learning.data.bank import FeatureBank
from annotator.learning.data.samples import Labels, concatenate
from annotator.network.features import Features, joined


class Source(Protocol):
    """Draws a batch: features, or crops (B, 3, 224, 224) in 0..1 where the encoder is to run, and their labels."""

    def draw(self, batch: int, generator: np.random.Generator) -> tuple[Features | Tensor, Labels]: ...


class CropSet(Protocol):
    """Anything with a length that makes one crop (224, 224, 3) uint8 and its `Labels` (batch of one) from an index."""

    def __len__(self) -> int: ...

    def sample(self, index: int, generator: np.random.Generator) -> tuple[np.ndarray, Labels]: ...


def split_batch(batch: int, shares: Sequence[float]) -> list[int]:
    """Whole numbers of samples for each share, at least one each, that add up to `batch`."""
    parts = np.asarray(shares, float) / sum(shares)
    counts = np.maximum(1, np.floor(parts * batch)).astype(int)
    counts[int(np.argmax(parts))] += batch - counts.sum()
    if counts.min() < 1:
        raise InputError(f"a batch of {batch} is too small for {len(shares)} sources")
    return counts.tolist()


class BankSource:
    """Batches from feature banks, each with its share of every batch."""

    def __init__(self, banks: Sequence[FeatureBank], shares: Sequence[float]):
        if not banks or len(banks) != len(shares):
            raise InputError("a bank source needs at least one bank and one share for each")
        self.banks, self.shares = list(banks), list(shares)

    def draw(self, batch: int, generator: np.random.Generator) -> tuple[Features, Labels]:
        parts = []
        for bank, count in zip(self.banks, split_batch(batch, self.shares), strict=True):
            index = np.sort(generator.integers(0, len(bank), count))
            parts.append(bank.batch(torch.from_numpy(index)))
        return joined([features for features, _ in parts]), concatenate([labels for _, labels in parts])


class CropSource:
    """Batches of crops from crop sets, each with its share of every batch; the encoder runs in the training step."""

    def __init__(self, sets: Sequence[CropSet], shares: Sequence[float]):
        if not sets or len(sets) != len(shares):
            raise InputError("a crop source needs at least one set and one share for each")
        self.sets, self.shares = list(sets), list(shares)

    def draw(self, batch: int, generator: np.random.Generator) -> tuple[Tensor, Labels]:
        crops, labels = [], []
        for crop_set, count in zip(self.sets, split_batch(batch, self.shares), strict=True):
            for index in generator.integers(0, len(crop_set), count):
                crop, label = crop_set.sample(int(index), generator)
                crops.append(torch.from_numpy(crop))
                labels.append(label)
        return torch.stack(crops).permute(0, 3, 1, 2).float() / 255, concatenate(labels)


def in_batches(crop_set: CropSet, count: int, batch: int = 16, seed: int = 0):
    """Yields (crops, labels) over `count` samples of a set, going round it as often as needed: feeds a bank."""
    generator = np.random.default_rng(seed)
    for start in range(0, count, batch):
        drawn = [crop_set.sample(i % len(crop_set), generator) for i in range(start, min(start + batch, count))]
        crops = torch.stack([torch.from_numpy(crop) for crop, _ in drawn]).permute(0, 3, 1, 2).float() / 255
        yield crops, concatenate([label for _, label in drawn])
