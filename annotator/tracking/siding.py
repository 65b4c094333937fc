"""Which side a track's hand is of: by the word of all its frames, not of the one that it was found in.

Where a view is ambiguous the encoder takes a hand for one of the other side, frame after frame as long as it looks like
that. Each frame's word counts as log odds, by how surely a hand is there, and no frame counts beyond `MOST`: a few that
are very sure and wrong do not outvote the rest. A track whose frames say another side than it was followed as is
answered again in the same places.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logit

from annotator.errors import InputError
from annotator.hand.joints import opposite
from annotator.tracking.records import SEEN, SIDE, Track, TrackedHand
from annotator.vision.crops import Crop

if TYPE_CHECKING:
    from annotator.hand.mesh import HandMesh
    from annotator.model import Model

MOST = 3.0  # log odds that one frame may add (95 %)
MARGIN = 6.0  # log odds by which frames must speak against the side of a hand that is being followed
DOUBTED = 0.3  # 0..1: a side that the network believes less is doubted in this frame


def word_of(right: float, presence: float) -> float:
    """What one frame adds to the log odds of a right hand. right, presence: 0..1, as the encoder saw them."""
    return float(np.clip(presence, 0, 1) * np.clip(logit(np.clip(right, 0, 1)), -MOST, MOST))


def side_of(side: str, odds: float, margin: float = 0.0) -> str:
    """The side by the log odds of a right hand: `side`, as it was, unless they contradict it beyond the margin."""
    against = -odds if side == "right" else odds
    return opposite(side) if against > margin else side


def reasons_of(side: str, right: float) -> tuple[str, ...]:
    """Whether a frame speaks against the side. right: 0..1."""
    return (SIDE,) if (right if side == "right" else 1 - right) < DOUBTED else ()


def of_one_side(
    tracks: Sequence[Track],
    sides: Mapping[int, str],
    model: Model,
    K: np.ndarray | None,
    photo_of: Callable[[int], np.ndarray],
) -> list[Track]:
    """The tracks (as they were followed, not smoothed yet) with every hand of its track's side.

    sides: of each track, by id; hands of the other side are answered again in their places. photo_of: frame's number ->
    (H, W, 3) uint8; a frame that cannot be read again (InputError) leaves its track, as if nothing had been seen in it.
    """
    wrong: dict[int, list[tuple[Track, TrackedHand]]] = {}
    for track in tracks:
        for one in track.hands:
            if one.kind == SEEN and one.hand.side != sides.get(track.id, track.side):
                wrong.setdefault(one.frame, []).append((track, one))
    answers: dict[tuple[int, int], TrackedHand | None] = {}
    for number in sorted(wrong):
        asked = wrong[number]
        wanted = [sides.get(track.id, track.side) for track, _ in asked]
        hands: Sequence[HandMesh | None]
        try:
            hands = again(model, photo_of(number), [one.hand for _, one in asked], wanted, K)
        except InputError:
            hands = [None] * len(asked)
        for (track, one), side, hand in zip(asked, wanted, hands, strict=True):
            answers[track.id, number] = None if hand is None else _answered(one, hand, side)
    made = []
    for track in tracks:
        kept = (answers.get((track.id, one.frame), one) for one in track.hands)
        made.append(track.with_hands([one for one in kept if one is not None]))
    return made


def again(
    model: Model, photo: np.ndarray, hands: Sequence[HandMesh], sides: Sequence[str], K: np.ndarray | None
) -> list[HandMesh]:
    """These hands of a photo answered anew in their places, as hands of these sides."""
    camera = hands[0].camera if K is None else K
    crops = [Crop.from_landmarks(hand.keypoints, side == "left") for hand, side in zip(hands, sides, strict=True)]
    return model.answer_in(photo, crops, camera)


def _answered(one: TrackedHand, hand: HandMesh, side: str) -> TrackedHand:
    right = float(np.nan_to_num(hand.features.features.right[0].item(), nan=1.0))  # of the crop, shown as a right hand
    reasons = [reason for reason in one.reasons if reason != SIDE]
    reasons += reasons_of(side, 1 - right if side == "left" else right)
    return TrackedHand(one.frame, one.seconds, hand.replace(features=None), one.kind, tuple(reasons))
