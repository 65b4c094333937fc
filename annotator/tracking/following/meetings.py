"""Hands that meet: which is which when they have parted.

Where one hand passes another, motion says little of which is which afterwards: a crop may stay with the hand in front,
and the one behind come out as a hand that nobody knows. How they look and are built, and how far away they are, says
more, but not at the moment of meeting, when they cover each other. So a portrait of every hand is made while it is by
itself, nothing is decided while hands are together, and once they have been apart for a moment the portraits of before
and after are compared. What was followed since they were closest goes to whose it is.

A hand that was lost and comes back where it was, too late or looking too different for one frame to tell, is known
again by its portrait, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from scipy.optimize import linear_sum_assignment

from annotator.tracking.following.paths import Identity, Path
from annotator.tracking.following.portraits import Portrait, unlike
from annotator.tracking.matching import apart

NEAR, PARTED = 0.6, 0.8  # mean distance of keypoints over the hand's size: hands have met, and are by themselves again
ENOUGH = 8  # frames of a portrait that says something
STAYS = 0.8  # by so much a hand must look more like the other one, each of the two, before they change places
NOBODY = 6.0  # unlikeness beyond which a hand is neither of those that met
LONGEST = 3.0  # s: what hands were before they met says nothing any more when they have been together for longer
BACK = 1.5  # unlikeness below which a new hand is a lost one that came back
BACK_WITHIN, BACK_NEAR = 2.0, 1.0  # s since it was lost; distance of where it was lost and found, over the hand's size


@dataclass(eq=False)
class _Meeting:
    """Two paths that came together. known: what each was before; newest: the highest number of a path then; began: s;
    closest: (distance, s) since they last came near; after: portraits since they parted, by path."""

    paths: tuple[Path, Path]
    known: tuple[Identity, Identity]
    newest: int
    began: float
    closest: tuple[float, float] = (np.inf, -np.inf)
    after: dict[int, Portrait] = field(default_factory=dict)
    together: bool = True

    def members(self, paths: Sequence[Path]) -> list[Path]:
        """The two, and hands that were not known when they met: one of the two may have come out as such."""
        return [*self.paths, *(path for path in paths if path.id > self.newest)]


class Meetings:
    """Watches the paths of a follower, frame by frame."""

    def __init__(self) -> None:
        self._open: list[_Meeting] = []

    def step(self, seconds: float, paths: list[Path], keep: float) -> list[Path]:
        """The paths after this frame: hands that have parted are whose they are, and one that came out as a new path
        is a known one again. keep: s for which a lost hand is waited for."""
        here = [path for path in paths if path.since is None or seconds - path.recent[-1][0] <= keep]
        met, newest = {one.paths for one in self._open}, max((path.id for path in paths), default=0)
        for pair in combinations(here, 2):
            if pair not in met and _distance(*pair) < NEAR and not _may_be_one(*pair):
                self._open.append(_Meeting(pair, (pair[0].identity(), pair[1].identity()), newest, seconds))
        for one in self._open:
            _watch(one, seconds, one.members(here))
        busy = {path.id for one in self._open for path in one.members(here)}
        alone = [path for path in paths if path.id not in busy]
        for path in list(alone):
            if path.latest is not None and path.recent[-1][0] == seconds:
                path.portrait.add(path.latest)
                if path.portrait.count == ENOUGH and (known := _back(path, alone, seconds)) is not None:
                    known.go_on(known.identity(), path.cut(path.portrait))
                    alone.remove(path)
                    paths = [other for other in paths if other is not path]
        still = []
        for one in self._open:
            if not all(path in paths for path in one.paths):
                continue  # one of the two has proved to be another hand that is known
            if _over(one, seconds, keep):
                paths = _settled(one, paths)
            elif any(path in here for path in one.paths) and seconds - one.began <= LONGEST:
                still.append(one)
        self._open = still
        return paths


def _may_be_one(a: Path, b: Path) -> bool:
    """Whether one of the two is new and the other lost: that is no meeting."""
    return any(new.portrait.count < ENOUGH and lost.since is not None for new, lost in ((a, b), (b, a)))


def _back(path: Path, others: Sequence[Path], seconds: float) -> Path | None:
    """The lost hand among the others that this new one is."""
    first = path.hands[0].hand.keypoints
    lost = [
        other
        for other in others
        if other.since is not None
        and other.id < path.id
        and other.portrait.count >= ENOUGH
        and seconds - other.recent[-1][0] <= BACK_WITHIN
        and apart(other.recent[-1][1], first) < BACK_NEAR
    ]
    best = min(lost, key=lambda other: unlike(other.portrait, path.portrait), default=None)
    return best if best is not None and unlike(best.portrait, path.portrait) < BACK else None


def _distance(a: Path, b: Path) -> float:
    """Between the places where both were seen last, over the hand's size."""
    return apart(a.recent[-1][1], b.recent[-1][1])


def _watch(one: _Meeting, seconds: float, members: Sequence[Path]) -> None:
    distance = _distance(*one.paths)
    seen = [path for path in members if path.since is None and path.recent[-1][0] == seconds]
    # where one is alone it counts how far it is from where the other was lost
    apart_by = min((_distance(a, b) for a, b in combinations(seen, 2)), default=distance)
    if apart_by < NEAR and not one.together:  # once more: who is who may have changed again
        one.together, one.closest = True, (np.inf, -np.inf)
        one.after.clear()
    if distance < one.closest[0] and one.together:
        one.closest = (distance, seconds)
    if apart_by > PARTED:
        one.together = False
        for path in seen:
            if path.latest is not None:
                one.after.setdefault(path.id, Portrait()).add(path.latest)


def _over(one: _Meeting, seconds: float, keep: float) -> bool:
    """Whether two hands have shown who they are since they parted, or one has and the other does not come."""
    known = [number for number, portrait in one.after.items() if portrait.count >= ENOUGH]
    if any(path.since is None and path.id not in known for path in one.paths):
        return False
    return len(known) >= 2 or (len(known) == 1 and seconds - one.closest[1] > keep)


def _settled(one: _Meeting, paths: list[Path]) -> list[Path]:
    """The paths, each with what is its own of what was followed since the meeting."""
    if any(known.portrait.count < ENOUGH for known in one.known):
        return paths
    after = {path: portrait for path in paths if (portrait := one.after.get(path.id)) and portrait.count >= ENOUGH}
    tails = list(after)
    costs = np.full((2, len(tails) + 2), NOBODY)
    for row, (path, known) in enumerate(zip(one.paths, one.known, strict=True)):
        for column, tail in enumerate(tails):
            costs[row, column] = unlike(known.portrait, after[tail]) - (STAYS if tail is path else 0.0)
    owners = {
        one.paths[row]: tails[column] if column < len(tails) else None
        for row, column in zip(*linear_sum_assignment(costs), strict=True)
    }
    taken = [tail for tail in owners.values() if tail is not None]
    homeless = any(path.since is None and path not in taken for path in one.paths)
    if homeless or all(tail is None or tail is path for path, tail in owners.items()):
        return paths
    since, before = one.closest[1], dict(zip(one.paths, one.known, strict=True))
    cut = {tail: tail.cut(after[tail], since if tail in before else -np.inf, before.get(tail)) for tail in taken}
    for own, found in owners.items():
        own.go_on(before[own], cut[found] if found is not None else None)
    return [path for path in paths if path in one.paths or path not in taken]
