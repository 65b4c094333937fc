"""Which frame of a track a person should correct next: the one whose correction is expected to help the track most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.tracking.labelling.kernel import LIKENESS, Likeness, correlations, together
from annotator.tracking.trajectories.motion import curves_of

LABEL = 0.15  # share of a frame's variance that its correction leaves
MOST_FRAMES = 1500  # that are compared with each other; of a longer track every second, third, ...


@dataclass(frozen=True)
class Wanted:
    """row: of the frame; gain_mm: root of the variance, summed over the track's frames, that its correction is expected
    to take; frames: of how many frames it tells half or more."""

    row: int
    gain_mm: float
    frames: int


def next_frames(
    hands: Sequence[HandMesh],
    seconds: np.ndarray,
    labelled: Sequence[int],
    model: HandModel,
    count: int = 1,
    doubt: np.ndarray | None = None,
    likeness: Likeness = LIKENESS,
) -> list[Wanted]:
    """Up to `count` frames to correct, best first, each chosen as if those before it were corrected already.

    hands: a track's, before corrections; labelled: rows that a person corrected or accepted; doubt (N,): what speaks
    against each frame, as a factor on its variance (None: nothing).
    """
    step = -(-len(hands) // MOST_FRAMES)
    rows = np.unique(np.concatenate([np.arange(0, len(hands), step), np.asarray(labelled, int)]).astype(int))
    curves = curves_of(hands, seconds, model)
    alike = together(correlations(curves, rows, rows, likeness))
    spread = np.array([float(np.median(hands[row].vertex_sigma)) for row in rows]) * 1000
    if doubt is not None:
        spread = spread * np.sqrt(np.asarray(doubt)[rows])
    covariance = alike * spread[:, None] * spread
    noise = LABEL * spread**2
    known = np.flatnonzero(np.isin(rows, labelled))
    for number in known:
        covariance = _told(covariance, int(number), noise[number])
    open_rows = np.ones(len(rows), bool)
    chosen: list[Wanted] = []
    open_rows[known] = False
    while open_rows.any() and len(chosen) < count:
        gain = (covariance**2).sum(1) / (np.diag(covariance) + noise)
        gain[~open_rows] = -1.0
        at = int(gain.argmax())
        told = int((alike[at] >= 0.5).sum()) * step
        chosen.append(Wanted(int(rows[at]), float(np.sqrt(max(gain[at], 0.0) * step)), told))
        open_rows[at] = False
        covariance = _told(covariance, at, noise[at])
    return chosen


def _told(covariance: np.ndarray, at: int, noise: float) -> np.ndarray:
    """The covariance of all frames' errors once that of frame `at` was measured."""
    column = covariance[:, at]
    return covariance - np.outer(column, column) / (column[at] + noise)
