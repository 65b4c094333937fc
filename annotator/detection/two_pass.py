"""Two glances at a hand whose palm was seen: one places the crop, the other, the other way round, is the check.

The landmark network contradicts itself where a crop's rotation is wrong (see `detection.crop_hypotheses`), so two
glances that agree are enough: meshes from there are as good as those from settled crops (`benchmarks/two_cameras.py`).
A hand that is there but not certain is followed until it settles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch import nn

from annotator.detection.crop_hypotheses import FOUND, CropHypothesis, Target, every_one, glance, settle
from annotator.vision.crops import Crop


def two_pass_check(landmark_network: nn.Module, starts: Sequence[tuple[np.ndarray, Crop]]) -> list[CropHypothesis]:
    """The last look at each of these (photo, crop) that should show a hand."""
    first, mirrored = glance(landmark_network, starts)
    views = [(photo, look.next_crop) for (photo, _), look in zip(starts, first, strict=True)]
    second, _ = glance(landmark_network, views, [not way for way in mirrored])
    looks = [checked(look, before.landmarks, before.right) for before, look in zip(first, second, strict=True)]
    unclear = [k for k, look in enumerate(looks) if look.presence >= FOUND and not look.sure]
    targets = [Target(starts[k][0], (looks[k].next_crop,)) for k in unclear]
    followed = every_one(settle(landmark_network, targets, two_pass_check=True))
    for k, look in zip(unclear, followed, strict=True):
        looks[k] = look
    return looks


def checked(look: CropHypothesis, landmarks: np.ndarray, right: float) -> CropHypothesis:
    """A glance beside what another look says: (21, 2) photo pixels, and the probability of a right hand."""
    apart = float(np.linalg.norm(landmarks - look.landmarks, axis=1).mean()) / look.crop.size
    return replace(look, disagreement=apart, right=(right + look.right) / 2)
