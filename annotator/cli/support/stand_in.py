"""A stand-in for the person in a demonstration: corrects and judges hands by an independent answer.

The independent answer is the landmark network's, asked several times through turned, scaled and mirrored
crops (`learning.real_sets.teacher`). It is not truth, but where it agrees with itself it is usually right to a few
hundredths of the hand's size: what a person would click within that is not better.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from annotator.hand.definitions import MEDIAPIPE
from annotator.hand.joints import JOINT_NAMES
from annotator.hand.mesh import HandMesh
from annotator.learning.real_sets.teacher import Taught, teach
from annotator.model import Model
from annotator.vision.crops import Crop
from annotator.vision.drawing.visibility import in_sight

LOOKS = 8
MOST = 3  # corrections of a hand
WORTH = 0.02  # of the hand's size: a keypoint this far off is worth a correction,
CERTAIN = 2.0  # ... if that is this many times what the independent answers differ among themselves
# Wrist and thumb base have no mark on the skin: people (and networks) place them by habit, some 2 cm apart.
PLACED_BY_EYE = np.array([name not in ("wrist", "thumb_cmc") for name in JOINT_NAMES])
TRUSTED = 0.5  # weight (see `teacher.Taught`) from which an answer may correct a keypoint
CONFIDENT, CLOSE = 0.5, 0.08  # a hand is accepted from this confidence on, and up to this mean distance,
WITHIN = 0.7  # ... and unless this share of its box lies in the box of a larger hand: one hand found twice


@dataclass(frozen=True, eq=False)
class SecondOpinion:
    """Where the keypoints of a hand are in the independent answer.

    keypoints (21, 2) px; trusted (21,): whether it agrees with itself there; spread (21,) px: how much its
    looks differ;
    size: of the hand, px.
    """

    keypoints: np.ndarray
    trusted: np.ndarray
    spread: np.ndarray
    size: float

    def distances(self, hand: HandMesh) -> np.ndarray:
        """(21,): how far the hand's keypoints are from these, in hand sizes; 0 where not trusted."""
        apart = np.linalg.norm(hand.keypoints - self.keypoints, axis=1) / self.size
        return np.where(self.trusted, apart, 0.0)

    def mean_distance(self, hand: HandMesh) -> float:
        """Mean over the trusted keypoints; infinite if there are fewer than six."""
        if self.trusted.sum() < 6:
            return float("inf")
        return float(self.distances(hand)[self.trusted].mean())


def ask(model: Model, photo: np.ndarray, hand: HandMesh) -> SecondOpinion:
    """The independent answer for one hand of a photo (H, W, 3) uint8, as our own joints."""
    crop = Crop.of_hand(hand)
    taught: Taught = teach(photo, crop, hand.camera, model.finder.locator, looks=LOOKS)
    height, width = photo.shape[:2]
    inside = ((taught.keypoints >= 0) & (taught.keypoints <= (width - 1, height - 1))).all(1)
    size = float(np.ptp(taught.keypoints, axis=0).max())
    # a person is asked for this hand model's joints, not for where the landmark network means them
    keypoints = MEDIAPIPE.as_ours(taught.keypoints, hand)
    return SecondOpinion(keypoints, (taught.weight >= TRUSTED) & inside, taught.spread, size)


def next_correction(
    hand: HandMesh, opinion: SecondOpinion, given_up: Collection[int] = ()
) -> tuple[int, tuple[float, float]] | None:
    """(keypoint, place) of what most needs a correction and had none yet; None if the hand is good enough.

    given_up: keypoints whose correction did not help. Only keypoints that an eye can place are corrected: not
    those without a mark on the skin, and none that the hand itself hides.
    """
    apart = opinion.distances(hand)
    apart[~PLACED_BY_EYE | (apart * opinion.size < CERTAIN * opinion.spread)] = 0.0
    if apart.max() >= WORTH:
        apart[~in_sight(hand.vertices, hand.faces, hand.joints, hand.camera)] = 0.0
    apart[[*hand.corrections, *given_up]] = 0.0
    joint = int(apart.argmax())
    if len(hand.corrections) + len(given_up) >= MOST or apart[joint] < WORTH:
        return None
    x, y = opinion.keypoints[joint]
    return joint, (float(x), float(y))


def verdict(hand: HandMesh, opinion: SecondOpinion, others: Sequence[HandMesh] = ()) -> tuple[str, str]:
    """("accepted" or "rejected", why). others: the other hands found in the photo."""
    apart = opinion.mean_distance(hand)
    if hand.confidence < CONFIDENT:
        return "rejected", f"the network is not sure: confidence {hand.confidence:.2f}, wanted {CONFIDENT}"
    if any(_share_inside(hand, other) >= WITHIN for other in others):
        return "rejected", "it lies inside a larger hand: a part of that hand was taken for another one"
    if not np.isfinite(apart):
        return "rejected", "the landmark network contradicts itself here: there is nothing to check against"
    if apart > CLOSE:
        return (
            "rejected",
            f"keypoints are off by {apart:.1%} of the hand's size on average, wanted {CLOSE:.0%}",
        )
    return (
        "accepted",
        f"keypoints are within {apart:.1%} of the hand's size of the landmark network's on average",
    )


def _share_inside(hand: HandMesh, other: HandMesh) -> float:
    """How much of the hand's box lies in that of another, larger one; 0 if that is smaller."""
    (low, high), (least, most) = ((one.keypoints.min(0), one.keypoints.max(0)) for one in (hand, other))
    area, larger = np.prod(high - low), np.prod(most - least)
    shared = np.prod(np.clip(np.minimum(high, most) - np.maximum(low, least), 0, None))
    return float(shared / area) if larger > area > 0 else 0.0
