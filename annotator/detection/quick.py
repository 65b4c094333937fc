"""The quick way to the hands of a photo: about as many looks as MediaPipe takes.

One look at the whole photo finds palms, and one glance at each places the crop. (What confirms it is `hand_detector`'s
matter.) Where no hand is found: from farther away, then as if a hand filled the photo. What this misses are small
hands, above all beside a much larger one.
"""

from __future__ import annotations

import numpy as np
from torch import nn

from annotator.detection.crop_hypotheses import CropHypothesis, glance
from annotator.detection.palms.palm_detector import PalmDetector
from annotator.detection.searching import each_once, whole_photo
from annotator.vision.crops import Crop


def find_quickly(
    photos: list[np.ndarray], landmark_network: nn.Module, detector: PalmDetector
) -> list[list[CropHypothesis]]:
    """Glances at hands, photo by photo, each once; an empty list where none is found quickly."""
    found: list[list[CropHypothesis]] = [[] for _ in photos]
    for crops_of in (_near, _farther, _filling):
        left = [k for k, looks in enumerate(found) if not looks]
        crops = crops_of([photos[k] for k in left], detector)
        starts = [(k, crop) for k, own in zip(left, crops, strict=True) for crop in own]
        looks, _ = glance(landmark_network, [(photos[k], crop) for k, crop in starts])
        for (k, _), look in zip(starts, looks, strict=True):
            if look.found:
                found[k].append(look)
    return [each_once(looks) for looks in found]


def _near(photos: list[np.ndarray], detector: PalmDetector, farther: bool = False) -> list[list[Crop]]:
    return [[Crop.from_palm(palm) for palm in palms] for palms in detector.glance(photos, farther)]


def _farther(photos: list[np.ndarray], detector: PalmDetector) -> list[list[Crop]]:
    return _near(photos, detector, farther=True)


def _filling(photos: list[np.ndarray], detector: PalmDetector) -> list[list[Crop]]:
    return [[whole_photo(photo)] for photo in photos]
