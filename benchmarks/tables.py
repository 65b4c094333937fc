"""What the benchmarks share: bootstrap intervals (by blocks for video) and Markdown tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from annotator.evaluation.bootstrap import resampled_means


def interval(values: np.ndarray, blocks: np.ndarray | None = None, digits: int = 2, factor: float = 1.0) -> str:
    """'mean (low..high)': a 95 % bootstrap interval of the mean."""
    means = resampled_means(values, blocks)[:, 0] * factor
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{factor * np.mean(values):.{digits}f} ({low:.{digits}f}..{high:.{digits}f})"


def better_by(first: np.ndarray, second: np.ndarray, blocks: np.ndarray | None = None) -> str:
    """By how much `second`'s mean lies below `first`'s, paired over samples: 'x % (low..high)'."""
    means = resampled_means(np.stack([first, second], 1), blocks)
    low, high = np.percentile(100 * (1 - means[:, 1] / means[:, 0]), [2.5, 97.5])
    return f"{100 * (1 - np.mean(second) / np.mean(first)):.1f} % ({low:.1f}..{high:.1f})"


def markdown(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)
