"""A camera that has moved since it was calibrated: its photos contradict the others', instant after instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

TIMES = 3.0  # so many times what is ordinary in this rig
LEAST = 0.05  # of the box: never less, keypoints alone are 2 to 3 % off
FEW = 3  # instants that it takes to say so


@dataclass(frozen=True)
class Moved:
    """cameras: the one that moved, or both where only two are there and nobody can tell; since: number of the first
    instant of which it is true; share: how far its keypoints are from where the others have them, over the box."""

    cameras: tuple[str, ...]
    since: int
    share: float

    def words(self, moment: str) -> str:
        """For a person; moment: the name of instant `since`."""
        who = " or ".join(self.cameras)
        return (
            f"camera {who} seems to have moved since instant {moment}: its keypoints are {100 * self.share:.0f} % of "
            "the hand's size from where the other cameras have them; calibrate again"
        )


def moved_cameras(apart: Sequence[Mapping[str, float]]) -> list[Moved]:
    """The cameras that have moved, by `InstantHand.without` of hands in the order of their instants."""
    names = sorted({name for one in apart for name in one})
    if not names or len(apart) < FEW:
        return []
    values = np.array([[one.get(name, np.nan) for name in names] for one in apart])
    if not np.isfinite(values).any():
        return []
    limit = max(TIMES * float(np.nanquantile(values, 0.25)), LEAST)
    since = {name: _since(values[:, k], limit) for k, name in enumerate(names)}
    suspects = {name: at for name, at in since.items() if at is not None}
    if not suspects:
        return []
    # the one that moved pulls where the others are triangulated with it: they stand out less than it does
    size = {name: float(np.nanmedian(values[at:, names.index(name)])) for name, at in suspects.items()}
    worst = max(size, key=lambda name: size[name])
    if len(names) == 2:
        return [Moved(tuple(names), suspects[worst], size[worst])]
    return [Moved((name,), suspects[name], size[name]) for name in suspects if size[name] > 0.75 * size[worst]]


def _since(series: np.ndarray, limit: float) -> int | None:
    """The first number from which on a camera is off, to the end."""
    known = np.flatnonzero(np.isfinite(series))
    if len(known) < FEW:
        return None
    for at in known[: len(known) - FEW + 1]:
        rest = series[at:][np.isfinite(series[at:])]
        if float(np.median(rest)) > limit and series[at] > limit and np.mean(rest > limit) > 0.7:
            return int(at)
    return None
