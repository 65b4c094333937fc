"""Looking at crops until they settle: how a crop's rotation is found from the landmark network alone.

The landmark network copes with about 30 degrees of rotation, and says "hand" to nearly any rotation
(measured). What gives a wrong crop away is that the network contradicts itself: its landmarks of the crop and
of the crop's mirror image differ. So every crop is looked at both ways; a hypothesis is a crop, the next one
follows from its landmarks, and after a few looks the hypotheses have settled and the one that agrees with
itself best is the answer. Looking both ways also makes the answer for a mirrored photo the mirrored answer.

The way there is shortened. Where there is but one hypothesis, its first look is a glance, one way round alone: the way
that shows the crop's brighter side right, so that a mirrored photo still gives the mirrored answer. Later, two looks
tell where the next ones would lead (Anderson 1965, with one step of memory).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from annotator.stopping import still_wanted
from annotator.vision.boxes import overlap
from annotator.vision.crops import CROP_SIZE, Crop, brighter_left

PAD = 0.08  # a hand reaches this share of its longer side beyond its keypoints
TURNS = 6  # starting rotations all round, 60 degrees apart: one is within 30 degrees of the hand's
KEEP = (3, 2, 1)  # hypotheses of a hand that survive the first looks
MOST_LOOKS = 8
SETTLED = (0.01, 0.01)  # radians, share of the size: a crop that moves less has arrived
DOUBT = 0.03  # disagreement of the two looks, share of the crop, above which presence is lowered
FOUND, SURE = 0.5, 0.9  # least trust of a look at a hand, of one beyond doubt
BATCH = 32
# From a first look to where looks settle, the size changes by this power of that look's change, the turn by this factor
# (least squares over 167 hands of four sources)
FARTHER_SIZE, FARTHER_TURN = 1.7, 0.8
AHEAD = (-2.0, 0.5)  # least and most of the last step that is taken again


@dataclass(frozen=True, eq=False)
class CropHypothesis:
    """What the network says of one crop, seen as it is and mirrored."""

    crop: Crop
    landmarks: np.ndarray  # (21, 2) photo pixels, mean of both
    presence: float
    right: float
    disagreement: float  # mean distance of the two looks' landmarks as a share of the crop
    lengthened: bool = False  # whether the next crop lies as far on as steps from here usually end
    placed: bool = False  # whether the crop is known otherwise, and the landmarks say nothing

    @property
    def next_crop(self) -> Crop:
        if self.placed:
            return self.crop
        crop = Crop.from_landmarks(self.landmarks)
        if self.lengthened:
            size = self.crop.size * (crop.size / self.crop.size) ** FARTHER_SIZE
            turn = FARTHER_TURN * math.remainder(crop.angle - self.crop.angle, math.tau)
            crop = replace(crop, size=size, angle=self.crop.angle + turn)
        # landmarks in a heap mean nothing: stay near the size that was looked at
        return replace(crop, size=min(max(crop.size, self.crop.size / 3), self.crop.size * 3))

    @property
    def settled(self) -> bool:
        now, then = self.next_crop, self.crop
        moved = max(abs(now.cx - then.cx), abs(now.cy - then.cy), abs(now.size - then.size))
        return abs(math.remainder(now.angle - then.angle, math.tau)) < SETTLED[0] and moved < SETTLED[1] * then.size

    @property
    def box(self) -> np.ndarray:
        if self.placed:
            half = self.crop.size / 4  # a hand takes about half of its crop
            return np.array([self.crop.cx - half, self.crop.cy - half, self.crop.cx + half, self.crop.cy + half])
        low, high = self.landmarks.min(0), self.landmarks.max(0)
        pad = PAD * (high - low).max()
        return np.concatenate([low - pad, high + pad])

    def holds(self, crop: Crop) -> bool:
        """Whether another crop's middle lies in the box of this hand."""
        x0, y0, x1, y1 = self.box
        return bool(x0 <= crop.cx <= x1 and y0 <= crop.cy <= y1)

    @property
    def score(self) -> float:
        """How good a hand this is, beside others: log-like."""
        return math.log(max(self.presence, 1e-3)) - 20 * self.disagreement

    @property
    def trust(self) -> float:
        """Presence, lowered where looks disagree."""
        return self.presence * min(1.0, DOUBT / max(self.disagreement, 1e-9))

    @property
    def found(self) -> bool:
        """Whether it shows a hand."""
        return self.trust >= FOUND

    @property
    def sure(self) -> bool:
        """Whether it does beyond doubt."""
        return self.trust >= SURE


@dataclass(frozen=True, eq=False)
class Target:
    """A hand to be found: the photo (H, W, 3) it is in, where to look first, and what was told of it."""

    photo: np.ndarray
    starts: tuple[Crop, ...]
    box: tuple[float, float, float, float] | None = None
    side: str | None = None

    def score(self, look: CropHypothesis) -> float:
        """Log-like: presence, agreement of the two looks, of landmarks with box, handedness with side."""
        score = look.score
        if self.box is not None:
            score += math.log(max(float(overlap(np.asarray(self.box), look.box[None])[0]), 1e-3))
        if self.side is not None:
            score += 0.5 * math.log(max(look.right if self.side == "right" else 1 - look.right, 0.05))
        return score

    def certain(self, look: CropHypothesis | None) -> bool:
        """Whether a settled look is beyond doubt: of 638 such at real hands none was wrong (measured)."""
        if look is None or look.presence < 0.97 or look.disagreement > 0.02:
            return False
        return float(overlap(np.asarray(self.box), look.box[None])[0]) > 0.5


def every_one(looks: Sequence[CropHypothesis | None]) -> list[CropHypothesis]:
    """The best looks of targets that all had starts."""
    found = [look for look in looks if look is not None]
    assert len(found) == len(looks)
    return found


def settle(network: nn.Module, targets: Sequence[Target], two_pass_check: bool = False) -> list[CropHypothesis | None]:
    """Follow every target's hypotheses until they settle; each target's best look, None without starts.
    two_pass_check: starts come from two passes; else one that is alone gets a quick look first."""
    best: list[CropHypothesis | None] = [None] * len(targets)
    # target's number, where to look, the look before
    waiting: list[tuple[int, Crop, CropHypothesis | None]]
    waiting = [(index, crop, None) for index, crop in _starts(network, targets, two_pass_check)]
    for number in range(MOST_LOOKS):
        if not waiting:
            break
        looks = look_at(network, [(targets[index].photo, crop) for index, crop, _ in waiting])
        keep = KEEP[min(number, len(KEEP) - 1)]
        following: list[tuple[int, Crop, CropHypothesis | None]] = []
        for index, target in enumerate(targets):
            own = [(look, one[2]) for one, look in zip(waiting, looks, strict=True) if one[0] == index]
            scores = [target.score(look) for look, _ in own]
            own = [own[k] for k in sorted(range(len(own)), key=lambda k: -scores[k])]
            if own:
                best[index] = own[0][0]
            alone = len(own[:keep]) == 1
            following += [
                (index, ahead(look, before), look) for look, before in own[:keep] if not (alone and look.settled)
            ]
        waiting = following
    return best


def _starts(network: nn.Module, targets: Sequence[Target], two_pass_check: bool) -> list[tuple[int, Crop]]:
    """(target's number, crop) of all hypotheses; those that are alone are a glance farther."""
    starts = [(index, crop) for index, target in enumerate(targets) for crop in target.starts]
    alone = [at for at, (index, _) in enumerate(starts) if len(targets[index].starts) == 1 and not two_pass_check]
    glances, _ = glance(network, [(targets[index].photo, crop) for index, crop in (starts[at] for at in alone)])
    for at, look in zip(alone, glances, strict=True):
        starts[at] = (starts[at][0], look.next_crop)
    return starts


@torch.inference_mode()
def glance(
    network: nn.Module, views: Sequence[tuple[np.ndarray, Crop]], mirrored: Sequence[bool] | None = None
) -> tuple[list[CropHypothesis], list[bool]]:
    """Crops of photos, each one way round alone: as `mirrored` says, or else the way that shows its brighter side
    right.

    Returns the looks, whose disagreement is 0, and which of the crops were mirrored.
    """
    looks: list[CropHypothesis] = []
    ways: list[bool] = []
    for start in range(0, len(views), BATCH):
        still_wanted()
        part = views[start : start + BATCH]
        seen = [crop.extract(photo) for photo, crop in part]
        turned = [brighter_left(p) for p in seen] if mirrored is None else mirrored[start : start + BATCH]
        pictures = np.stack([p[:, ::-1] if way else p for p, way in zip(seen, turned, strict=True)])
        out = network(torch.from_numpy(pictures).permute(0, 3, 1, 2).to(device_of(network)))
        landmarks, presence, right = (
            getattr(out, name).double().cpu().numpy() for name in ("landmarks", "presence", "right")
        )
        ways += turned
        for k, (_, crop) in enumerate(part):
            points, own = landmarks[k, :, :2], float(right[k])
            if ways[start + k]:
                points, own = points * (-1, 1) + (CROP_SIZE - 1, 0), 1 - own
            looks.append(CropHypothesis(crop, crop.to_photo(points), float(presence[k]), own, 0.0, lengthened=True))
    return looks, ways


def ahead(look: CropHypothesis, before: CropHypothesis | None) -> Crop:
    """Where to look next: where the look leads, or, if the look before it is known, where such steps would end."""
    crop = look.next_crop
    if before is None:
        return crop
    step, last = _way(look.crop, crop), _way(before.crop, before.next_crop)
    if max(np.abs(step).max(), np.abs(last).max()) > 0.3:  # far away a step says little about the next
        return crop
    change = step - last
    share = float(np.clip(step @ change / max(change @ change, 1e-12), *AHEAD))
    x, y, size, angle = step - share * (change - _way(look.crop, before.crop))
    at = look.crop
    return Crop(at.cx + x * at.size, at.cy + y * at.size, at.size * math.exp(size), at.angle + angle)


def _way(start: Crop, end: Crop) -> np.ndarray:
    """(4,) from one crop to another: the middle's way in sizes of the first, log of the sizes' ratio, the turn."""
    return np.array(
        [
            (end.cx - start.cx) / start.size,
            (end.cy - start.cy) / start.size,
            math.log(end.size / start.size),
            math.remainder(end.angle - start.angle, math.tau),
        ]
    )


@torch.inference_mode()
def look_at(network: nn.Module, views: Sequence[tuple[np.ndarray, Crop]]) -> list[CropHypothesis]:
    """Crops of photos, each as it is and mirrored, in common batches. network: `MediaPipeHand`, or its graph."""
    if not views:
        return []
    outputs = []
    for start in range(0, len(views), BATCH // 2):  # however many views there are, few pictures are in memory
        still_wanted()
        part = views[start : start + BATCH // 2]
        pictures = torch.from_numpy(np.stack([crop.extract(photo) for photo, crop in part]))
        pictures = pictures.permute(0, 3, 1, 2).to(device_of(network))
        outputs.append(network(torch.cat([pictures, pictures.flip(-1)])))
    landmarks, presence, right = (  # (2, N, ...): as they are, mirrored
        np.concatenate([np.stack(np.split(getattr(out, name).double().cpu().numpy(), 2)) for out in outputs], axis=1)
        for name in ("landmarks", "presence", "right")
    )
    looks = []
    for k, (_, crop) in enumerate(views):
        plain, mirrored = landmarks[0, k, :, :2], landmarks[1, k, :, :2] * (-1, 1) + (CROP_SIZE - 1, 0)
        looks.append(
            CropHypothesis(
                crop,
                crop.to_photo((plain + mirrored) / 2),
                float(presence[:, k].mean()),
                float(right[0, k] + 1 - right[1, k]) / 2,
                float(np.linalg.norm(plain - mirrored, axis=1).mean()) / CROP_SIZE,
            )
        )
    return looks


def device_of(network: nn.Module) -> torch.device:
    """Where its tensors are."""
    return next(itertools.chain(network.parameters(), network.buffers())).device


def all_round(crop: Crop) -> list[Crop]:
    return [crop.turned(k * math.tau / TURNS) for k in range(TURNS)]
