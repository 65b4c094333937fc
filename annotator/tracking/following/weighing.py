"""Which side a track's hand is of, where its frames do not say it clearly: both are tried, and one holds together.

In an ambiguous view every frame may say the wrong side. But only a hand that is seen as what it is stays one hand: the
network's two stages agree on where it is, and its frames agree on one shape. So some frames are answered as a hand of
the other side, too, in the same places, and the two are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from annotator.errors import InputError
from annotator.hand.joints import opposite
from annotator.hand.mesh import HandMesh
from annotator.model import Model
from annotator.tracking.following.paths import Path
from annotator.tracking.matching import size_of
from annotator.tracking.records import SEEN, TrackedHand
from annotator.tracking.siding import again

UNSURE = 1.5  # log odds a frame, on the average, below which a track's side is not clear
MOST, FEWEST = 24, 8  # frames that are answered twice, so many at least


def weigh(
    paths: Sequence[Path],
    model: Model,
    K: np.ndarray | None,
    photo_of: Callable[[int], np.ndarray],
    after: float = -np.inf,
) -> None:
    """Try both sides of paths whose frames are unsure, by their frames behind `after` (s). photo_of: frame's number ->
    (H, W, 3) uint8; a frame that cannot be read again (InputError) is passed over."""
    wanted: dict[int, list[tuple[Path, TrackedHand]]] = {}
    for path in paths:
        seen = [
            one for one in path.hands
            if one.kind == SEEN and one.seconds > after and one.hand.parametric is not None
        ]  # fmt: skip
        if len(seen) < FEWEST or abs(path.odds) >= UNSURE * path.heard:
            continue
        rows = np.unique(np.linspace(0, len(seen) - 1, min(MOST, len(seen))).round().astype(int))
        for row in rows:
            wanted.setdefault(seen[row].frame, []).append((path, seen[row]))
    tried: dict[int, list[tuple[HandMesh, HandMesh]]] = {}
    for number in sorted(wanted):
        hands = [one.hand for _, one in wanted[number]]
        try:
            others = again(model, photo_of(number), hands, [opposite(hand.side) for hand in hands], K)
        except InputError:
            continue
        for (path, _), hand, other in zip(wanted[number], hands, others, strict=True):
            tried.setdefault(path.id, []).append((hand, other) if hand.side == "right" else (other, hand))
    for path in paths:
        if len(tried.get(path.id, ())) >= FEWEST:
            path.weigh(for_right(tried[path.id]) * len(tried[path.id]))


def for_right(pairs: Sequence[tuple[HandMesh, HandMesh]]) -> float:
    """Above 0: the hand holds together better as a right one. pairs: (as a right hand, as a left hand) in frames of a
    track."""
    right, left = zip(*pairs, strict=True)
    return looseness(left) - looseness(right)


def looseness(hands: Sequence[HandMesh]) -> float:
    """Log of how far a hand's answers are from one hand: how far the refined keypoints lie from the parametric stage's,
    by the hand's size, and how much the shape changes from frame to frame."""
    moved = [
        np.linalg.norm(hand.keypoints - first.keypoints, axis=1).mean() / size_of(hand.keypoints)
        for hand in hands
        if (first := hand.parametric) is not None
    ]
    scatter = np.std([hand.parameters.shape for hand in hands], axis=0).mean()
    return float(np.log(np.maximum(moved, 1e-6)).mean() + np.log(max(scatter, 1e-6)))
