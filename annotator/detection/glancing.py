"""Two glances at a hand whose palm was seen: one places the crop, the other, the other way round, is the check.

The landmark network contradicts itself where a crop's rotation is wrong (see `detection.looking`), so two glances that
agree are enough: meshes from there are as good as those from settled crops (`benchmarks/two_cameras.py`). A hand that
is there but not beyond doubt is followed until it settles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch import nn

from annotator.detection.looking import FOUND, Look, Target, every_one, glance, settle
from annotator.vision.crops import Crop


def glanced(looker: nn.Module, starts: Sequence[tuple[np.ndarray, Crop]]) -> list[Look]:
    """The last look at each of these (photo, crop) that should show a hand. looker: as in `looking.look_at`."""
    first, mirrored = glance(looker, starts)
    views = [(photo, look.next_crop) for (photo, _), look in zip(starts, first, strict=True)]
    second, _ = glance(looker, views, [not way for way in mirrored])
    looks = [checked(look, before.landmarks, before.right) for before, look in zip(first, second, strict=True)]
    unclear = [k for k, look in enumerate(looks) if look.presence >= FOUND and not look.sure]
    targets = [Target(starts[k][0], (looks[k].next_crop,)) for k in unclear]
    followed = every_one(settle(looker, targets, glanced=True))
    for k, look in zip(unclear, followed, strict=True):
        looks[k] = look
    return looks


def checked(look: Look, landmarks: np.ndarray, right: float) -> Look:
    """A glance beside what another look says: (21, 2) photo pixels, and the probability of a right hand."""
    apart = float(np.linalg.norm(landmarks - look.landmarks, axis=1).mean()) / look.crop.size
    return replace(look, disagreement=apart, right=(right + look.right) / 2)
