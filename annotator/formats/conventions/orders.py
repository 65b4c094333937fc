"""Orders in which data sets give a hand's 21 keypoints, and which of them the data themselves look like.

Names in a file can be wrong, and many files have none. What an order must satisfy is anatomy: knuckles lie near each
other and near the wrist, fingers grow thinner in bone lengths, tips are apart. How far each pair of keypoints is from
the other, in a hand and in its picture, is known from the hand model: hands of random shape and pose within its joint
limits, seen from everywhere. The likelihood of a data set's own distances under that tells the orders apart.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from itertools import chain, islice

import numpy as np

from annotator.errors import InputError
from annotator.formats.core.base import LabelledHand
from annotator.hand.joints import KEYPOINT_OF_MANO, MANO_PARENTS, TIPS

_FINGERS = tuple(tuple(range(4 * f + 1, 4 * f + 5)) for f in range(5))
_BACK = tuple(tuple(reversed(f)) for f in _FINGERS)


def _flat(*parts) -> tuple[int, ...]:
    return tuple(chain.from_iterable(parts))


# name -> which of our keypoints stands at each place of a hand in a file
ORDERS = {
    "base-to-tip": _flat((0,), *_FINGERS),  # ours, FreiHAND, OpenPose, MediaPipe
    "tip-to-base": _flat((0,), *_BACK),  # RHD
    "wrist-last": _flat(*_FINGERS, (0,)),
    "tip-to-base-wrist-last": _flat(*_BACK, (0,)),  # InterHand2.6M
    "little-first": _flat((0,), *_FINGERS[::-1]),
    "little-first-tip-to-base": _flat((0,), *_BACK[::-1]),
    "mano": (*KEYPOINT_OF_MANO, *TIPS),  # 16 joints, then tips: HO-3D
    "row-by-row": _flat((0,), (1, 5, 9, 13, 17), *(f[1:] for f in _FINGERS)),  # BigHand2.2M
}
AS_NAMED = "as-named"  # in place of an order: what the names say, without a second look
FEWEST = 19  # labelled keypoints that a hand needs to say something of its order
LOOKED_AT = 50  # hands of a data set
CLEARLY = 6.0  # how much likelier (natural logarithm, a hand) another order must be to contradict the one that is said
SAMPLES = 1500


def places_of(order: str) -> np.ndarray:
    """(21,): where each of our keypoints stands in a file of this order. InputError if it has no such name."""
    if order == AS_NAMED:
        return np.arange(21)
    if order not in ORDERS:
        raise InputError(f"unknown order of keypoints {order!r}: expected one of {', '.join((*ORDERS, AS_NAMED))}")
    return np.argsort(ORDERS[order])


def best_order(hands: Iterable[np.ndarray]) -> tuple[str, float]:
    """(the likeliest of ORDERS for hands whose keypoints were read as ours, by how much it is likelier than ours).

    hands: (21, 2) px or (21, 3) m, NaN where there is no label. Hands that look like no hand in any order say nothing,
    and so does a data set without others: ("base-to-tip", 0).
    """
    total, count = dict.fromkeys(ORDERS, 0.0), 0
    for points in hands:
        known = np.isfinite(points).all(1)
        if known.sum() < FEWEST:
            continue
        found = {name: _log_likelihood(points[places_of(name)]) for name in ORDERS}
        mean, spread = _usual(points.shape[1])
        if max(found.values()) < mean - 3 * spread:
            continue
        count += 1
        for name, value in found.items():
            total[name] += value
    if not count:
        return "base-to-tip", 0.0
    best = max(total, key=lambda name: total[name])
    return best, (total[best] - total["base-to-tip"]) / count


def checked(records: Iterable[LabelledHand], source: str) -> Iterator[LabelledHand]:
    """The records as they are, once the first of them look like hands in the order that they were read in.

    InputError, before any record, naming the order that was read and the one that the data look like.
    """
    records = iter(records)
    first = list(islice(records, LOOKED_AT))
    order, margin = best_order(_points(record) for record in first if record.parameters is None)
    if order != "base-to-tip" and margin > CLEARLY:
        raise InputError(
            f"{source}: keypoints were read as wrist, then thumb to little from base to tip, but the hands look as if "
            f"they were in order {order!r} after that: wrong names? (--order NAME says what the file has, --order "
            "as-named keeps to the names)"
        )
    yield from first
    yield from records


def _points(record: LabelledHand) -> np.ndarray:
    if record.joints is not None:
        trust = np.ones(21) if record.joint_weights is None else record.joint_weights
        return np.where(trust[:, None] > 0, record.joints, np.nan)
    return np.where(record.weights[:, None] > 0, record.keypoints, np.nan)


# -- what hands look like ------------------------------------------------------------------------------------
_PAIRS = np.triu_indices(21, 1)


def _distances(points: np.ndarray) -> np.ndarray:
    """(..., 210) distances of all pairs over their root mean square."""
    apart = np.linalg.norm(points[..., _PAIRS[0], :] - points[..., _PAIRS[1], :], axis=-1)
    return apart / (np.sqrt(np.nanmean(apart**2, axis=-1, keepdims=True)) + 1e-12)


def _log_likelihood(points: np.ndarray) -> float:
    """Of the pairs' distances; pairs are far from independent: 210 of them count as the hand's 20 bones do."""
    middle, spread = _statistics(points.shape[1])
    off = (_distances(points) - middle) / spread
    return -0.5 * 20 * float(np.nanmean(off**2))


@functools.cache
def _statistics(axes: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (210,) of the distances of hands (axes 3) or their pictures (2)."""
    found = _distances(_hands()[..., :axes])
    return found.mean(0), found.std(0)


@functools.cache
def _usual(axes: int) -> tuple[float, float]:
    found = np.array([_log_likelihood(points[:, :axes]) for points in _hands()[:300]])
    return float(found.mean()), float(found.std())


@functools.cache
def _hands() -> np.ndarray:
    """(SAMPLES, 21, 3): joints of random hands, turned at random."""
    from annotator.hand.model import load_hand
    from annotator.hand.rotations import rotation_matrices

    model, random = load_hand(), np.random.default_rng(0)
    least, most = model.limits[..., 0], model.limits[..., 1]
    bend = random.beta(1.2, 2.5, (SAMPLES, 15, 3)) * 0.9
    angles = np.where(np.arange(3) == 0, bend * most, random.normal(0, 0.2, bend.shape) * (most - least))
    angles[:, :, 2] *= 0.3
    local = np.broadcast_to(np.eye(3), (SAMPLES, 15, 3, 3))
    for axis in range(3):
        local = local @ rotation_matrices(angles[..., axis, None] * np.eye(3)[axis])
    axes = model.anatomical_axes
    local = np.swapaxes(axes, -1, -2) @ local @ axes
    rest = model.rest_joints(np.zeros(10))
    tips = model.joints(model.rest_vertices(np.zeros(10)))[list(TIPS)]
    turned, joints = np.empty((SAMPLES, 16, 3, 3)), np.zeros((SAMPLES, 16, 3))
    turned[:, 0] = rotation_matrices(random.normal(0, 2.0, (SAMPLES, 3)))
    for j, parent in enumerate(MANO_PARENTS[1:], start=1):
        turned[:, j] = turned[:, parent] @ local[:, j - 1]
        joints[:, j] = joints[:, parent] + turned[:, parent] @ (rest[j] - rest[parent])
    result = np.empty((SAMPLES, 21, 3))
    result[:, list(KEYPOINT_OF_MANO)] = joints
    for tip, place in zip(TIPS, tips, strict=True):
        last = KEYPOINT_OF_MANO.index(tip - 1)
        result[:, tip] = joints[:, last] + turned[:, last] @ (place - rest[last])
    return result
