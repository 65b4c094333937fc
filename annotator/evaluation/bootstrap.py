"""Bootstrap means: over samples, or over blocks of samples that belong together (hands of a photo, frames of a
video)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000


def resampled_means(
    values: np.ndarray, blocks: np.ndarray | None = None, seed: int = 0, resamples: int = RESAMPLES
) -> np.ndarray:
    """(resamples, K) means of values (S,) or (S, K) over samples drawn again; whole blocks where `blocks` (S,) are
    given.

    Neighbouring frames of a video are not independent: a block of them counts as one draw.
    """
    values = np.asarray(values, np.float64).reshape(len(values), -1)
    blocks = np.arange(len(values)) if blocks is None else np.asarray(blocks)
    _, number = np.unique(blocks, return_inverse=True)
    count = number.max() + 1
    sums = np.stack([np.bincount(number, column, count) for column in values.T], 1)
    sizes = np.bincount(number, minlength=count)
    draws = np.random.default_rng(seed).integers(0, count, (resamples, count))
    return sums[draws].sum(1) / sizes[draws].sum(1)[:, None]


@dataclass(frozen=True)
class Paired:
    """Two errors of the same samples. before, after: means; low, high: 95 % interval of after - before; better: the
    share of bootstrap means in which after is below before (one-sided confidence that the error fell); n: samples."""

    before: float
    after: float
    low: float
    high: float
    better: float
    n: int

    def as_dict(self) -> dict:
        return {name: round(value, 6) for name, value in self.__dict__.items()}


def paired(before: np.ndarray, after: np.ndarray, blocks: np.ndarray | None = None, seed: int = 0) -> Paired:
    """The paired bootstrap (Efron and Tibshirani 1993) of errors (S,) before and after."""
    change = np.asarray(after, np.float64) - np.asarray(before, np.float64)
    means = resampled_means(change, blocks, seed)[:, 0]
    low, high = np.percentile(means, [2.5, 97.5])
    return Paired(
        float(np.mean(before)), float(np.mean(after)), float(low), float(high), float((means < 0).mean()), len(change)
    )
