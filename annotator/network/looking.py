"""Looking at crops until they settle: how a crop's rotation is found from the landmark network alone.

The landmark network copes with about 30 degrees of rotation, and says "hand" to nearly any rotation
(measured). What gives a wrong crop away is that the network contradicts itself: its landmarks of the crop and
of the crop's mirror image differ. So every crop is looked at both ways; a hypothesis is a crop, the next one
follows from its landmarks, and after a few looks the hypotheses have settled and the one that agrees with
itself best is the answer. Looking both ways also makes the answer for a mirrored photo the mirrored answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from annotator.network.mediapipe_hand import MediaPipeHand
from annotator.vision.crops import CROP_SIZE, Crop, extract_all
from annotator.vision.palm import overlap

PAD = 0.08  # a hand reaches this share of its longer side beyond its keypoints
TURNS = 6  # starting rotations all round, 60 degrees apart: one is within 30 degrees of the hand's
KEEP = (3, 2, 1)  # hypotheses of a hand that survive the first looks
MOST_LOOKS = 8
SETTLED = (0.005, 0.005)  # radians, share of the size: a crop that moves less has arrived
DOUBT = 0.03  # disagreement of the two looks, share of the crop, above which presence is lowered
BATCH = 32


@dataclass(frozen=True, eq=False)
class Look:
    """What the network says of one crop, seen as it is and mirrored."""

    crop: Crop
    landmarks: np.ndarray  # (21, 2) photo pixels, mean of both
    presence: float
    right: float
    disagreement: float  # mean distance of the two looks' landmarks as a share of the crop

    @property
    def next_crop(self) -> Crop:
        crop = Crop.from_landmarks(self.landmarks)
        # landmarks in a heap mean nothing: stay near the size that was looked at
        return replace(crop, size=min(max(crop.size, self.crop.size / 3), self.crop.size * 3))

    @property
    def settled(self) -> bool:
        now, then = self.next_crop, self.crop
        moved = max(abs(now.cx - then.cx), abs(now.cy - then.cy), abs(now.size - then.size))
        return (
            abs(math.remainder(now.angle - then.angle, math.tau)) < SETTLED[0]
            and moved < SETTLED[1] * then.size
        )

    @property
    def box(self) -> np.ndarray:
        low, high = self.landmarks.min(0), self.landmarks.max(0)
        pad = PAD * (high - low).max()
        return np.concatenate([low - pad, high + pad])

    @property
    def trust(self) -> float:
        return self.presence * min(1.0, DOUBT / max(self.disagreement, 1e-9))


@dataclass(frozen=True, eq=False)
class Target:
    """A hand to be found: where to look first, and what was told of it."""

    starts: tuple[Crop, ...]
    box: tuple[float, float, float, float] | None = None
    side: str | None = None

    def score(self, look: Look) -> float:
        """Log-like: presence, agreement of the two looks, of landmarks with box, handedness with side."""
        score = math.log(max(look.presence, 1e-3)) - 20 * look.disagreement
        if self.box is not None:
            score += math.log(max(float(overlap(np.asarray(self.box), look.box[None])[0]), 1e-3))
        if self.side is not None:
            score += 0.5 * math.log(max(look.right if self.side == "right" else 1 - look.right, 0.05))
        return score

    def certain(self, look: Look | None) -> bool:
        """Whether a settled look is beyond doubt: of 638 such at real hands none was wrong (measured)."""
        if look is None or look.presence < 0.97 or look.disagreement > 0.02:
            return False
        return float(overlap(np.asarray(self.box), look.box[None])[0]) > 0.5


def settle(photo: np.ndarray, encoder: MediaPipeHand, targets: Sequence[Target]) -> list[Look | None]:
    """Follow every target's hypotheses until they settle; each target's best look, None without starts."""
    best: list[Look | None] = [None] * len(targets)
    waiting = [(index, crop) for index, target in enumerate(targets) for crop in target.starts]
    for number in range(MOST_LOOKS):
        if not waiting:
            break
        looks = look_at(photo, encoder, [crop for _, crop in waiting])
        keep = KEEP[min(number, len(KEEP) - 1)]
        following = []
        for index, target in enumerate(targets):
            own = [look for (at, _), look in zip(waiting, looks, strict=True) if at == index]
            own.sort(key=lambda look, target=target: -target.score(look))
            if own:
                best[index] = own[0]
            alone = len(own[:keep]) == 1
            following += [(index, look.next_crop) for look in own[:keep] if not (alone and look.settled)]
        waiting = following
    return best


def look_at(photo: np.ndarray, encoder: MediaPipeHand, crops: Sequence[Crop]) -> list[Look]:
    """One forward pass over crops of a photo, each as it is and mirrored."""
    pictures = extract_all(photo, crops).to(next(encoder.parameters()).device)
    with torch.inference_mode():
        outputs = [encoder(part) for part in torch.cat([pictures, pictures.flip(-1)]).split(BATCH)]
    landmarks, presence, right = (
        torch.cat([getattr(output, name) for output in outputs]).double().cpu().numpy()
        for name in ("landmarks", "presence", "right")
    )
    looks, count = [], len(crops)
    for k, crop in enumerate(crops):
        plain, mirrored = landmarks[k, :, :2], landmarks[count + k, :, :2] * (-1, 1) + (CROP_SIZE - 1, 0)
        looks.append(
            Look(
                crop,
                crop.to_photo((plain + mirrored) / 2),
                float(presence[k] + presence[count + k]) / 2,
                float(right[k] + 1 - right[count + k]) / 2,
                float(np.linalg.norm(plain - mirrored, axis=1).mean()) / CROP_SIZE,
            )
        )
    return looks


def all_round(crop: Crop) -> list[Crop]:
    return [crop.turned(k * math.tau / TURNS) for k in range(TURNS)]
