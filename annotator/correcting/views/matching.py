"""Which proposals in the photos of an instant are the same hand: by geometry, and a little by side.

Two proposals are compared by triangulating their 21 keypoints: the reprojection errors that remain, in units of the
hand's box, are small where they are one hand and a box or so where they are two. Photos are joined one after the other,
surest first, by an optimal assignment (H. Kuhn 1955) of their hands to those there are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from annotator.correcting.views.sighting import Sighting
from annotator.vision.rigs.triangulation import triangulate

APART = 0.35  # of the box: proposals whose keypoints miss each other by more are of two hands
OTHER_SIDE = 0.1  # what another side counts as: the network takes a left for a right hand now and then
NOT_THERE = 0.5  # what a joint behind a camera, or nowhere, counts as
SIZES = 0.5, 2.0  # of an ordinary hand: a palm beyond is none, so that the keypoints are of two hands
FEW = 3  # members that a proposal is compared with: a hand of eight photos needs no more
PALM = 0.087  # m, wrist to middle knuckle, see `learning.data.samples.MEAN_PALM`


def disagreement(one: Sighting, other: Sighting, metric: bool = True) -> float:
    """How far two proposals are from one hand: the typical reprojection error over the box, and more for another side
    or (metric: where the rig's unit is known) a palm of no hand's size."""
    places = np.stack([one.places, other.places])
    sigma = np.stack([one.sigma, other.sigma])
    points, _, off = triangulate([one.camera, other.camera], places, np.where(np.isfinite(sigma), sigma, np.nan))
    share = (off / np.array([[one.box], [other.box]])).mean(axis=0)
    found = float(np.mean(np.minimum(np.nan_to_num(share, nan=NOT_THERE), NOT_THERE)))
    if metric and np.isfinite(points[[0, 9]]).all():
        palm = float(np.linalg.norm(points[9] - points[0])) / PALM
        if not SIZES[0] < palm < SIZES[1]:
            found += APART
    return found + OTHER_SIDE * (one.hand.side != other.hand.side)


def match(sightings: Sequence[Sighting], metric: bool = True) -> list[list[Sighting]]:
    """The hands of an instant, each as its sightings (one a camera at most), surest hand first.

    A proposal that fits none is a hand of its own.
    """
    by_camera: dict[str, list[Sighting]] = {}
    for one in sightings:
        by_camera.setdefault(one.camera.name, []).append(one)
    photos = sorted(by_camera.values(), key=lambda some: (-len(some), float(np.mean([one.doubt for one in some]))))
    hands: list[list[Sighting]] = [[one] for one in photos[0]] if photos else []
    for photo in photos[1:]:
        cost = np.array(
            [[np.mean([disagreement(member, one, metric) for member in hand[:FEW]]) for one in photo] for hand in hands]
        )
        taken = set()
        for row, column in zip(*linear_sum_assignment(cost), strict=True):
            if cost[row, column] <= APART:
                hands[row].append(photo[column])
                taken.add(column)
        hands += [[one] for k, one in enumerate(photo) if k not in taken]
    return sorted(hands, key=lambda hand: min(one.doubt for one in hand))


def consistent(hand: Sequence[Sighting], limit: float) -> tuple[list[Sighting], list[Sighting]]:
    """The sightings that agree with each other, and those that are grossly wrong.

    The best pair is the core; a sighting belongs to it if its disagreement with the core's is below `limit` (in the
    middle). Where only two are there and they disagree, the surer one stays.
    """
    if len(hand) == 1:
        return list(hand), []
    count = len(hand)
    cost = np.zeros((count, count))
    for i in range(count):
        for k in range(i):
            cost[i, k] = cost[k, i] = disagreement(hand[i], hand[k], metric=False)
    if count == 2:
        if cost[0, 1] <= limit:
            return list(hand), []
        surest = min(hand, key=lambda one: one.doubt)
        return [surest], [one for one in hand if one is not surest]
    apart = np.where(np.eye(count, dtype=bool), np.inf, cost)
    # among pairs that agree alike, the one that most others agree with
    agreeing = (apart <= limit).sum(axis=1)
    first, second = min(
        ((i, k) for i in range(count) for k in range(i)),
        key=lambda pair: (apart[pair] > limit, -(agreeing[pair[0]] + agreeing[pair[1]]), apart[pair]),
    )
    if apart[first, second] > limit:
        surest = min(hand, key=lambda one: one.doubt)
        return [surest], [one for one in hand if one is not surest]
    inside = {first, second}
    for k in sorted(set(range(count)) - inside, key=lambda k: float(cost[k, [first, second]].mean())):
        if float(np.median(cost[k, sorted(inside)])) <= limit:
            inside.add(k)
    return [hand[k] for k in sorted(inside)], [hand[k] for k in range(count) if k not in inside]


def unit_of_hands(hands: Sequence[Sequence[Sighting]]) -> float | None:
    """Metres of one unit of the rig, by the size that the proposals give the hands; None where no two cameras see one.

    For a rig whose unit nobody knows: distances are then as right as the hands' sizes are.
    """
    ratios = []
    for hand in hands:
        if len(hand) < 2:
            continue
        sigma = np.stack([one.sigma for one in hand])
        points, _, _ = triangulate(
            [one.camera for one in hand],
            np.stack([one.places for one in hand]),
            np.where(np.isfinite(sigma), sigma, np.nan),
        )
        measured = spread_of(points)
        expected = np.mean([spread_of(one.hand.joints) for one in hand])
        if np.isfinite(measured) and measured > 0:
            ratios.append(expected / measured)
    return float(np.median(ratios)) if ratios else None


def spread_of(points: np.ndarray) -> float:
    """A hand's size by its palm, whose bones do not bend: the mean distance between wrist and knuckles."""
    palm = points[[0, 5, 9, 13, 17]]
    return float(np.mean([np.linalg.norm(palm[i] - palm[k]) for i in range(5) for k in range(i)]))
