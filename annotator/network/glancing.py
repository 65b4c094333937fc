"""Two glances at a hand whose palm was seen: one places the crop, the other, the other way round, is the check.

The landmark network contradicts itself where a crop's rotation is wrong (see `network.looking`), so two glances that agree are
enough: meshes from there are as good as those from settled crops (`benchmarks/two_cameras.py`). A hand that is there but
not clear is followed until it settles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch import nn

from annotator.network.looking import Look, Target, glance, settle
from annotator.vision.crops import Crop

CLEAR = 0.9, 0.03  # least presence, most disagreement of two glances beyond doubt
THERE = 0.5  # least presence of a hand that is worth following


def glanced(encoder: nn.Module, starts: Sequence[tuple[np.ndarray, Crop]]) -> list[Look]:
    """The last look at each of these (photo, crop) that should show a hand."""
    first, mirrored = glance(encoder, starts)
    views = [(photo, look.next_crop) for (photo, _), look in zip(starts, first, strict=True)]
    second, _ = glance(encoder, views, [not way for way in mirrored])
    looks = []
    for before, look in zip(first, second, strict=True):
        apart = float(np.linalg.norm(before.landmarks - look.landmarks, axis=1).mean()) / look.crop.size
        looks.append(replace(look, disagreement=apart, right=(before.right + look.right) / 2, checked=True))
    unclear = [k for k, look in enumerate(looks) if look.presence >= THERE and not clear(look)]
    followed = settle(encoder, [Target(starts[k][0], (looks[k].next_crop,)) for k in unclear])
    for k, look in zip(unclear, followed, strict=True):
        looks[k] = look
    return looks


def clear(look: Look) -> bool:
    return look.presence >= CLEAR[0] and look.disagreement <= CLEAR[1]
