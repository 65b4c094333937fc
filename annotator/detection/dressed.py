"""Hands in gloves and round things, beside those that are found: a palm network and a presence tuned for them.

Both began as MediaPipe's (`learning.detection`). They add hands and take none away: small palms, and clutter of real
photos, the tuned network judges less well. It looks at the whole photo at its two coarsest scales, and closer where no
hand is large; what it sees there, and what only may be palms, is for `detection.answered` to judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

import numpy as np
import torch
from torch import Tensor, nn

from annotator.detection.crop_hypotheses import CropHypothesis
from annotator.detection.palms.palm_detector import Palm, PalmDetector
from annotator.detection.two_pass import two_pass_check
from annotator.network.encoders.mediapipe_hand import POOLED, HandOutput
from annotator.network.layers import load_weights
from annotator.vision.crops import Crop

PALMS, PRESENCE = "dressed_palms.safetensors", "dressed_presence.safetensors"
SCALES = (1, 2)  # the photo's longer side takes this many times 192 px
# the same, in photos in which the crop of no hand takes this share of the longer side, which is so many px at least
CLOSER = ((4, 0.25, 600), (8, 0.12, 900))
CLEAR, FAINT = 0.5, 0.3  # least score of a palm; of what may be one
CONFIRMED = 0.5  # least trust of a look


class _Look(nn.Module):
    """The landmark network with the tuned presence; its landmarks and sides are as they are."""

    def __init__(self, network: nn.Module, presence: nn.Linear):
        super().__init__()
        self.network, self.presence = network, presence

    def forward(self, crops: Tensor) -> HandOutput:
        said = self.network(crops)
        one_by_one = [self.presence(row) for row in said.pooled.split(1)]  # sums over several rows are other ones
        return said._replace(presence=torch.sigmoid(torch.cat(one_by_one))[:, 0])


class DressedSearch(nn.Module):
    """The tuned palm network and presence."""

    def __init__(self) -> None:
        super().__init__()
        self.palms = PalmDetector(PALMS)
        self.presence = nn.Linear(POOLED, 1)
        load_weights(self.presence, files("annotator.detection") / "weights" / PRESENCE)
        self.eval()

    def palms_in(self, photos: Sequence[np.ndarray]) -> list[list[Palm]]:
        """The palms of each photo (H, W, 3) uint8, and what may be palms, best first."""
        return self.palms.at_scales(photos, SCALES, FAINT)

    def palms_closer(self, photos: Sequence[np.ndarray], found: Sequence[Sequence[CropHypothesis]]) -> list[list[Palm]]:
        """The same at finer scales, in photos in which no hand that is `found` is large."""
        palms: list[list[Palm]] = [[] for _ in photos]
        for k, (photo, own) in enumerate(zip(photos, found, strict=True)):
            longer = max(photo.shape[:2])
            largest = max((look.crop.size / longer for look in own), default=0.0)
            scales = [scale for scale, large, least in CLOSER if longer >= least and largest < large]
            if scales:
                (palms[k],) = self.palms.at_scales([photo], scales, FAINT)
        return palms

    def looks(
        self,
        landmark_network: nn.Module,
        photos: Sequence[np.ndarray],
        palms: Sequence[Sequence[Palm]],
        found: Sequence[Sequence[CropHypothesis]],
    ) -> list[list[CropHypothesis]]:
        """Looks at hands of each photo that its palms lead to, and whose middle lies in none of those that are
        `found` in it."""
        starts = [
            (k, crop)
            for k, own in enumerate(palms)
            for crop in (Crop.from_palm(palm) for palm in own if palm.score >= CLEAR)
            if not any(look.holds(crop) for look in found[k])
        ]
        looks = two_pass_check(_Look(landmark_network, self.presence), [(photos[k], crop) for k, crop in starts])
        answers: list[list[CropHypothesis]] = [[] for _ in photos]
        for (k, _), look in zip(starts, looks, strict=True):
            if look.trust >= CONFIRMED:
                answers[k].append(look)
        return answers
