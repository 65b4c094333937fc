"""The quick way to the hands of a photo: about as many looks as MediaPipe takes.

One look at the whole photo finds palms, one glance at each places the crop, and the encoder, which runs anyway, is the check:
its landmarks are the same network's, and where a crop's rotation is wrong the two disagree (see `network.looking`).
Where no hand is found: from farther away, then as if a hand filled the photo. A photo with nothing so far, or with a hand
that is not confirmed, gets the full search. What the quick way misses are small hands, above all beside a much larger one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from torch import nn

from annotator.network.encoder import Features
from annotator.network.glancing import CLEAR, THERE
from annotator.network.looking import Look, glance
from annotator.vision.crops import Crop
from annotator.vision.palm import PalmDetector

if TYPE_CHECKING:
    from annotator.network.locating import Located


def whole_photo(photo: np.ndarray) -> Crop:
    """The crop of a hand that fills the photo."""
    height, width = photo.shape[:2]
    return Crop((width - 1) / 2, (height - 1) / 2, 1.2 * max(height, width))


def find_quickly(photos: list[np.ndarray], encoder: nn.Module, detector: PalmDetector) -> list[list[Look]]:
    """Glances at hands, photo by photo; an empty list where none is found quickly."""
    found: list[list[Look]] = [[] for _ in photos]
    for crops_of in (_near, _farther, _filling):
        left = [k for k, looks in enumerate(found) if not looks]
        crops = crops_of([photos[k] for k in left], detector)
        starts = [(k, crop) for k, own in zip(left, crops, strict=True) for crop in own]
        looks, _ = glance(encoder, [(photos[k], crop) for k, crop in starts])
        for (k, _), look in zip(starts, looks, strict=True):
            if look.presence >= THERE:
                found[k].append(look)
    return found


def confirmed(hands: Sequence[Located], features: Features | None) -> bool:
    """Whether the encoder sees each of a photo's hands where the one glance at it saw it."""
    for number, hand in enumerate(hands):
        if hand.glimpsed:
            landmarks = hand.crop.to_photo(features.landmarks[number].double().cpu().numpy())
            apart = np.linalg.norm(landmarks - hand.landmarks, axis=1).mean() / hand.crop.size
            if not (features.presence[number] >= CLEAR[0] and apart <= CLEAR[1]):  # NaN of other encoders: not confirmed
                return False
    return True


def _near(photos: list[np.ndarray], detector: PalmDetector) -> list[list[Crop]]:
    return [[Crop.from_palm(palm) for palm in palms] for palms in detector.glance(photos)]


def _farther(photos: list[np.ndarray], detector: PalmDetector) -> list[list[Crop]]:
    return [[Crop.from_palm(palm) for palm in palms] for palms in detector.glance(photos, farther=True)]


def _filling(photos: list[np.ndarray], detector: PalmDetector) -> list[list[Crop]]:
    return [[whole_photo(photo)] for photo in photos]
