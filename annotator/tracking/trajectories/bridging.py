"""A track made whole: smoothed, with hands between the frames where it was not seen, each as unsure as it must be."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

import numpy as np

from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.tracking.records import BRIDGED, SEEN, Track, TrackedHand
from annotator.tracking.trajectories.motion import curves_of, hand_at
from annotator.tracking.trajectories.smoothing import SMOOTHING, Smoothing, smoothed

LONGEST = 1.0  # s: a gap beyond is left open
LEAST_CONFIDENCE = 0.05
WANDERING = 40.0  # one sigma of how an unseen curve's speed changes, in its own sigmas a second^1.5
SURFACE_SECONDS = 0.3  # s, one sigma: a hand's widths and its skin's folds change no faster than this


def completed(
    track: Track,
    model: HandModel,
    moments: Sequence[tuple[int, float]] = (),
    settings: Smoothing = SMOOTHING,
    longest: float = LONGEST,
    shape: np.ndarray | None = None,
) -> Track:
    """The smoothed track, its short gaps bridged.

    moments: (number, seconds) of all frames that were looked at, rising; those between two of the track's that are no
    more than `longest` seconds apart get a hand of kind 'bridged'. A bridge is the likeliest way between what was seen
    on both sides; its sigmas grow with the distance from there. shape (10,): the track's, where it is known already;
    None: what most of these frames say.
    """
    hands = _with_gaps(track, moments, longest)
    if not hands:
        return track
    seconds = np.array([one.seconds for one in hands])
    seen = np.array([one.kind == SEEN for one in hands])
    curves = curves_of([one.hand for one in hands], seconds, model)
    found = smoothed(curves, settings, seen.astype(np.float64))
    if shape is not None:
        found = found.changed(shape=np.tile(shape, (len(hands), 1)))
    factors = _doubt(seconds, seen)
    surfaces = _surfaces(hands, seconds)
    made = []
    for row, (one, offsets) in enumerate(zip(hands, surfaces, strict=True)):
        hand = hand_at(found, row, one.hand, model, float(factors[row]), offsets)
        if not seen[row]:
            confidence = max(one.hand.confidence / 2 / float(factors[row]), LEAST_CONFIDENCE)
            hand = hand.replace(confidence=min(confidence, one.hand.confidence))
        made.append(one.with_hand(hand))
    return track.with_hands(made)


def _with_gaps(track: Track, moments: Sequence[tuple[int, float]], longest: float) -> list[TrackedHand]:
    """The track's hands, and in each short gap the nearest one in every frame that was looked at."""
    known = {one.frame: one for one in track.hands}
    hands = list(track.hands)
    for before, after in zip(track.hands[:-1], track.hands[1:], strict=True):
        if after.seconds - before.seconds > longest:
            continue
        for number, seconds in _between(moments, before.seconds, after.seconds):
            if number not in known:
                nearest = before if seconds - before.seconds <= after.seconds - seconds else after
                hands.append(TrackedHand(number, seconds, _unlabelled(nearest.hand), BRIDGED))
    return sorted(hands, key=lambda one: one.seconds)


def _between(moments: Sequence[tuple[int, float]], start: float, end: float) -> Sequence[tuple[int, float]]:
    times = [seconds for _, seconds in moments]
    return moments[bisect_right(times, start) : bisect_left(times, end)]


def _surfaces(hands: Sequence[TrackedHand], seconds: np.ndarray) -> Iterator[np.ndarray]:
    """Each frame's offsets (M, 3) m of the surface: the mean round its moment of what was seen and nobody labelled.

    Dents of pinned labels are of their own frame alone. A frame that has nothing of the kind near keeps its own."""
    speaks = np.array([one.kind == SEEN and not one.hand.corrections for one in hands])
    reach = 3 * SURFACE_SECONDS
    starts, ends = np.searchsorted(seconds, seconds - reach), np.searchsorted(seconds, seconds + reach, side="right")
    for row, one in enumerate(hands):
        near = np.arange(starts[row], ends[row])
        near = near[speaks[near]]
        if one.hand.corrections or not len(near):
            yield one.hand.parameters.offsets
            continue
        weight = np.exp(-0.5 * ((seconds[near] - seconds[row]) / SURFACE_SECONDS) ** 2)
        yield np.tensordot(weight / weight.sum(), [hands[k].hand.parameters.offsets for k in near], axes=1)


def _unlabelled(hand: HandMesh) -> HandMesh:
    return hand.replace(corrections={}, features=None)


def _doubt(seconds: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(N,) by which each frame's sigmas are larger than the nearest seen one's: 1 where it was seen. Of a curve whose
    speed wanders, led between two points (an integrated Wiener process)."""
    factors = np.ones(len(seconds))
    there = np.flatnonzero(seen)
    for row in np.flatnonzero(~seen):
        at = int(np.searchsorted(there, row))
        before = seconds[row] - seconds[there[at - 1]] if at > 0 else np.inf
        after = seconds[there[at]] - seconds[row] if at < len(there) else np.inf
        if np.isinf(before) or np.isinf(after):
            spread = min(before, after) ** 3 / 3
        else:
            spread = (before * after) ** 3 / (3 * (before + after) ** 3)
        factors[row] = np.sqrt(1 + WANDERING**2 * spread)
    return factors
