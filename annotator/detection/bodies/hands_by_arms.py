"""Hands that arms lead to, beside those that palms led to.

Each arm whose hand is not found yet gives a crop, which the landmark network follows as it follows a palm's. Where it
sees no hand there but the arm is beyond doubt (a glove, a hand round a thing), the arm itself is the answer: its crop
and its side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch import nn

from annotator.detection.bodies.arms import Arm, ArmFinder
from annotator.detection.bodies.body_detector import BodyDetector
from annotator.detection.crop_hypotheses import FOUND, CropHypothesis, Target, every_one, settle
from annotator.detection.two_pass import two_pass_check
from annotator.vision.crops import CROP_SIZE

# arms that are trusted alone: how much, times the network's probabilities; least probability of a person, score of the
# body, side of the crop (photo px)
TRUST, LEAST_PERSON, LEAST_BODY, SMALLEST = 0.6, 0.98, 0.56, 48.0
NEAR = 0.3  # of the larger crop: how far an arm's hand may lie from the hand that it is
HIDDEN, HOPELESS = 0.35, 0.1  # visibility of a wrist, presence in its crop, below which these are not followed
# of the photo's longer side: where a hand's crop is larger, people are as large as the photo; no body is in it
CLOSE, NEARBY = 0.25, 0.5


class BodySearch(nn.Module):
    """The two networks that find arms."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies, self.arms = BodyDetector(), ArmFinder()

    def arms_in(self, photos: Sequence[np.ndarray], found: Sequence[Sequence[CropHypothesis]]) -> list[list[Arm]]:
        """The arms in each photo, each once. found: its hands that are known; they tell how closely to look."""
        largest = [
            max((look.crop.size for look in own), default=0.0) / max(photo.shape)
            for photo, own in zip(photos, found, strict=True)
        ]
        far = [k for k, share in enumerate(largest) if share < NEARBY]
        some = [photos[k] for k in far]
        bodies = self.bodies.detect_many(some, [largest[k] < CLOSE for k in far])
        arms: list[list[Arm]] = [[] for _ in photos]
        for k, own in zip(far, self.arms.arms(some, bodies), strict=True):
            arms[k] = _once([arm for arm in own if arm.visibility >= HIDDEN])
        return arms


def _once(arms: list[Arm]) -> list[Arm]:
    """Without those that are seen again, as of a body that was found twice."""
    once: list[Arm] = []
    for arm in sorted(arms, key=lambda arm: -arm.visibility * arm.person * arm.body):
        if not any(arm.side == other.side and _apart(arm, other) < NEAR for other in once):
            once.append(arm)
    return once


def _apart(arm: Arm, other: Arm | CropHypothesis) -> float:
    a, b = arm.crop, other.crop
    return float(np.hypot(a.cx - b.cx, a.cy - b.cy)) / max(a.size, b.size)


def hands_by_arms(
    landmark_network: nn.Module,
    search: BodySearch,
    photos: Sequence[np.ndarray],
    found: Sequence[Sequence[CropHypothesis]],
) -> list[list[CropHypothesis]]:
    """What arms in each photo lead to, beside the hands that are `found` in it. Of an arm that leads to none the look's
    crop is the arm's."""
    arms = [_left(own, looks) for own, looks in zip(search.arms_in(photos, found), found, strict=True)]
    starts = [(k, arm) for k, own in enumerate(arms) for arm in own]
    looks = two_pass_check(landmark_network, [(photos[k], arm.crop) for k, arm in starts])
    lost = [n for n, look in enumerate(looks) if not look.found and look.presence > HOPELESS]
    targets = [Target(photos[starts[n][0]], (starts[n][1].crop,)) for n in lost]
    for n, look in zip(lost, every_one(settle(landmark_network, targets)), strict=True):
        looks[n] = look
    answers: list[list[CropHypothesis]] = [[] for _ in photos]
    for (k, arm), look in zip(starts, looks, strict=True):
        answers[k].append(look if look.found else _alone(arm, look, photos[k].shape))
    return answers


def _left(arms: list[Arm], looks: Sequence[CropHypothesis]) -> list[Arm]:
    """The arms without those whose hand is found: each hand is the nearest arm's."""
    left = list(arms)
    for look in looks:
        nearest = min(left, key=lambda arm: _apart(arm, look), default=None)
        if nearest is not None and _apart(nearest, look) < NEAR:
            left.remove(nearest)
    return left


def _alone(arm: Arm, look: CropHypothesis, shape: tuple[int, ...]) -> CropHypothesis:
    """A hand that is known by its arm alone, if that is beyond doubt. look: the landmark network's, which saw none."""
    trust = TRUST * arm.visibility * arm.person
    inside = 0 < arm.crop.cx < shape[1] - 1 and 0 < arm.crop.cy < shape[0] - 1
    sure = trust >= FOUND and arm.person >= LEAST_PERSON and arm.body >= LEAST_BODY
    if not (sure and inside and arm.crop.size >= SMALLEST):
        return replace(look, crop=arm.crop)
    landmarks = arm.crop.to_photo(np.clip(arm.crop.to_crop(look.landmarks), 0, CROP_SIZE - 1))
    return CropHypothesis(arm.crop, landmarks, trust, arm.right, disagreement=0.0, placed=True)
