"""From a photo, or from plain boxes in it, to crops in which every hand points up.

The landmark network copes with about 30 degrees of rotation, and says "hand" to nearly any rotation (measured). What
gives a wrong crop away is that the network contradicts itself: its landmarks of the crop and of the crop's mirror image
differ. So every crop is looked at both ways; a hypothesis is a crop, the next one follows from its landmarks, and after
a few looks the hypotheses have settled and the one that agrees with itself best is the answer. Looking both ways also
makes the answer for a mirrored photo the mirrored answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from annotator.errors import InputError
from annotator.network.mediapipe_hand import MediaPipeHand
from annotator.vision.crops import CROP_SIZE, Crop, extract_all
from annotator.vision.palm import PalmDetector, overlap

SIDES = ("left", "right")
TURNS = 6  # starting rotations of a box, 60 degrees apart: one is within 30 degrees of the hand's
BOX_MARGIN = 1.4  # crop side over the longer side of a tight box, for ordinary hands
PAD = 0.08  # a hand reaches this share of its longer side beyond its keypoints
KEEP = (3, 2, 1)  # hypotheses of a hand that survive the first looks
MOST_LOOKS = 8
SETTLED = (0.005, 0.005)  # radians, share of the size: a crop that moves less has arrived
DOUBT = 0.03  # disagreement of the two looks, share of the crop, above which presence is lowered
FOUND = 0.5  # least presence of a detected hand
BATCH = 32


@dataclass(frozen=True, eq=False)
class Located:
    """One hand of a photo.

    crop: the hand upright, flipped if it is a left hand. side: "right" or "left", as told or else as seen.
    presence: 0..1, the network's probability of a hand, lowered where its looks disagree.
    right_probability: 0..1, from the crop and its mirror image alike. box: x0, y0, x1, y1 photo pixels, as given, or
    round the landmarks. landmarks: (21, 2) photo pixels, read-only, in keypoint order.
    """

    crop: Crop
    side: str
    presence: float
    right_probability: float
    box: tuple[float, float, float, float]
    landmarks: np.ndarray


@dataclass(frozen=True, eq=False)
class _Look:
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
        return abs(math.remainder(now.angle - then.angle, math.tau)) < SETTLED[0] and moved < SETTLED[1] * then.size

    @property
    def box(self) -> np.ndarray:
        low, high = self.landmarks.min(0), self.landmarks.max(0)
        pad = PAD * (high - low).max()
        return np.concatenate([low - pad, high + pad])

    @property
    def trust(self) -> float:
        return self.presence * min(1.0, DOUBT / max(self.disagreement, 1e-9))


@dataclass(frozen=True, eq=False)
class _Target:
    """A hand to be found: where to look first, and what was told of it."""

    starts: tuple[Crop, ...]
    box: tuple[float, float, float, float] | None = None
    side: str | None = None

    def score(self, look: _Look) -> float:
        """Log-like score: presence, agreement of the two looks, of landmarks and box, of handedness and side."""
        score = math.log(max(look.presence, 1e-3)) - 20 * look.disagreement
        if self.box is not None:
            score += math.log(max(float(overlap(np.asarray(self.box), look.box[None])[0]), 1e-3))
        if self.side is not None:
            score += 0.5 * math.log(max(look.right if self.side == "right" else 1 - look.right, 0.05))
        return score


def locate(
    photo: np.ndarray,
    encoder: MediaPipeHand,
    detector: PalmDetector,
    boxes: Sequence[Sequence[float]] | None = None,
    sides: Sequence[str | None] | None = None,
    max_hands: int | None = None,
) -> list[Located]:
    """The hands of a photo (H, W, 3) uint8, each with its upright crop.

    Without boxes: hands are detected, best first, at most `max_hands`. With boxes (upright, x0, y0, x1, y1 in photo
    pixels, tight or loose): exactly one answer for each, in their order, at whatever in-plane angle the hand is; a low
    presence where no hand is seen. sides: "left", "right" or None for each box.
    InputError for boxes or sides that cannot be used.
    """
    if boxes is None:
        if sides is not None:
            raise InputError("sides are given without boxes")
        hands = _detected(photo, encoder, detector)
        return [_located(look) for look in (hands if max_hands is None else hands[:max_hands])]
    boxes, sides = _checked(boxes, sides, photo.shape)
    targets = [
        _Target((*_around(box), *_palms_in(photo, detector, box)), box, side)
        for box, side in zip(boxes, sides, strict=True)
    ]
    found = _settle(photo, encoder, targets)
    return [_in_box(photo, encoder, look, target) for look, target in zip(found, targets, strict=True)]


def _detected(photo: np.ndarray, encoder: MediaPipeHand, detector: PalmDetector) -> list[_Look]:
    """All hands that palms lead to, best first, each once."""
    starts = [Crop.from_palm(palm) for palm in detector.detect(photo)]
    looks = _settle(photo, encoder, [_Target((start,)) for start in starts])
    again = [start for start, look in zip(starts, looks, strict=True) if look.trust < FOUND]
    # a palm seen at a wrong angle: try all round
    looks += _settle(photo, encoder, [_Target(tuple(_turns(start))) for start in again])
    good = [look for look in looks if look.trust >= FOUND]
    if not good:  # a hand that fills the photo
        height, width = photo.shape[:2]
        whole = Crop((width - 1) / 2, (height - 1) / 2, 1.2 * max(height, width))
        looks = _settle(photo, encoder, [_Target(tuple(_turns(whole)))])
        good = [look for look in looks if look.trust >= FOUND]
    good.sort(key=lambda look: -_Target(()).score(look))
    once: list[_Look] = []
    for look in good:
        if not any(_same(look, other) for other in once):
            once.append(look)
    return once


def _same(a: _Look, b: _Look) -> bool:
    """Whether two looks show one hand: their boxes nearly coincide, or overlap and the landmarks lie close."""
    shared = float(overlap(a.box, b.box[None])[0])
    apart = np.linalg.norm(a.landmarks - b.landmarks, axis=1).mean() / min(a.crop.size, b.crop.size)
    return shared > 0.6 or (shared > 0.25 and apart < 0.2)


def _settle(photo: np.ndarray, encoder: MediaPipeHand, targets: Sequence[_Target]) -> list[_Look]:
    """Follow every target's hypotheses until they have settled; the best look of each target."""
    best: list[_Look | None] = [None] * len(targets)
    waiting = [(index, crop) for index, target in enumerate(targets) for crop in target.starts]
    for number in range(MOST_LOOKS):
        if not waiting:
            break
        looks = _look(photo, encoder, [crop for _, crop in waiting])
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


def _look(photo: np.ndarray, encoder: MediaPipeHand, crops: Sequence[Crop]) -> list[_Look]:
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
            _Look(
                crop,
                crop.to_photo((plain + mirrored) / 2),
                float(presence[k] + presence[count + k]) / 2,
                float(right[k] + 1 - right[count + k]) / 2,
                float(np.linalg.norm(plain - mirrored, axis=1).mean()) / CROP_SIZE,
            )
        )
    return looks


def _turns(crop: Crop) -> list[Crop]:
    return [crop.turned(k * math.tau / TURNS) for k in range(TURNS)]


def _around(box) -> list[Crop]:
    return _turns(Crop.from_box(box, BOX_MARGIN))


def _palms_in(photo: np.ndarray, detector: PalmDetector, box) -> list[Crop]:
    """Crops of the palms whose middle lies in the box: a start at the right size, however loose the box is."""
    x0, y0, x1, y1 = box
    crops = []
    for palm in detector.detect_in(photo, [Crop.from_box(box, BOX_MARGIN)]):
        x, y = (palm.box[0] + palm.box[2]) / 2, (palm.box[1] + palm.box[3]) / 2
        if x0 <= x <= x1 and y0 <= y <= y1:
            crops.append(Crop.from_palm(palm))
    return crops[:3]


def _in_box(photo: np.ndarray, encoder: MediaPipeHand, look: _Look, target: _Target) -> Located:
    """The answer for a box. Where the settled hand has left the box, the box itself is the crop, with low presence."""
    shared = float(overlap(np.asarray(target.box), look.box[None])[0])
    if shared < 0.1:
        (look,) = _look(photo, encoder, [Crop.from_box(target.box, BOX_MARGIN)])
        hand = _located(look, target)
        return replace(hand, crop=replace(look.crop, flip=hand.side == "left"), presence=hand.presence * shared)
    return _located(look, target)


def _located(look: _Look, target: _Target | None = None) -> Located:
    side = (target and target.side) or ("right" if look.right >= 0.5 else "left")
    landmarks = look.landmarks.copy()
    landmarks.setflags(write=False)
    box = tuple(float(v) for v in (look.box if target is None or target.box is None else target.box))
    crop = replace(look.next_crop, flip=side == "left")
    return Located(crop, side, look.trust, look.right, box, landmarks)


def _checked(boxes, sides, shape) -> tuple[list[tuple[float, float, float, float]], list[str | None]]:
    """Boxes as float tuples and a side or None for each. InputError naming the box that cannot be used."""
    height, width = shape[:2]
    checked = []
    for number, box in enumerate(boxes):
        try:
            x0, y0, x1, y1 = (float(v) for v in box)
        except (TypeError, ValueError) as error:
            raise InputError(f"box {number} is {box!r}, expected four numbers x0, y0, x1, y1") from error
        if not all(math.isfinite(v) for v in (x0, y0, x1, y1)):
            raise InputError(f"box {number} has NaN or infinite numbers")
        if x1 <= x0 or y1 <= y0:
            raise InputError(f"box {number} ({x0:g}, {y0:g}, {x1:g}, {y1:g}) is empty, expected x0 < x1 and y0 < y1")
        if x1 < -0.5 or y1 < -0.5 or x0 > width - 0.5 or y0 > height - 0.5:
            raise InputError(f"box {number} ({x0:g}, {y0:g}, {x1:g}, {y1:g}) lies outside the {width} x {height} px photo")
        checked.append((x0, y0, x1, y1))
    sides = [None] * len(checked) if sides is None else list(sides)
    if len(sides) != len(checked):
        raise InputError(f"{len(checked)} boxes but {len(sides)} sides were given")
    for side in sides:
        if side is not None and side not in SIDES:
            raise InputError(f"side is {side!r}, expected 'left', 'right' or None")
    return checked, sides
