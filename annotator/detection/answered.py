"""Hands that the landmark network loses, followed by the network that answers for meshes.

In gloves, round things and where hands hide each other, MediaPipe's landmarks lead off the hand: in four of ten gloves.
GLFNet has learned from such hands, so its own keypoints lead from crop to crop. Each crop is seen as a right hand's and
as a left one's. Whether there is a hand, and on which side, it was never taught: that `detection.judged` says.

This adds hands and takes none away: it looks only where a palm, what may be one, or an arm led to no hand. Of those
that landmarks found it judges doubtful sides again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from scipy.special import expit, logit
from torch import Tensor

from annotator.detection.crop_hypotheses import CropHypothesis
from annotator.detection.dressed import CLEAR, FAINT
from annotator.detection.judged import Judge, Pair, Way
from annotator.detection.palms.palm_detector import Palm
from annotator.hand.joints import EITHER_SIDE
from annotator.network.crop_camera import CropView, cameras, project, translation_of
from annotator.network.features import Features
from annotator.network.glfnet import GLFNet
from annotator.vision.boxes import bounds, overlap
from annotator.vision.camera import default_camera
from annotator.vision.crops import Crop, extract_all

AT_ONCE = 8  # crops in a pass
# so many of what only may be palms are followed, whose crop is this share of the largest hand's, or more
FEW, LEAST = 4, 0.4
PASSES = 3  # crops that a palm leads to, one after the other
CONFIRMED = 0.6  # least trust of a last look
PATTERN = 6  # more such hands than this in a photo are none: something that is repeated, as a fabric's print
SMALLEST = 40.0  # photo px: least side of a hand's crop
BEST = 0.99  # score above which palms are all the same
ARM = 0.5  # what counts as a palm's score at the end of an arm
ROOM = 1.6  # of a hand's size, its crop takes
PALM = (0, 5, 9, 13, 17)  # keypoints round a palm
APART = 0.2  # of the larger crop: how far those of two hands lie apart
PALMS_APART = 0.2  # intersection over union of two hands' palms at most
ALIKE = 0.6  # of a palm in a found hand's box: its least size beside that hand's own palm
WIDEST = 3.0  # how much smaller or larger than a crop the next one is at most
FARTHEST = 100.0  # and how much smaller or larger than its crop any hand is


class AnswerSearch:
    """network: an encoder of MediaPipe's landmarks and its heads; features: the encoder in its fastest form."""

    def __init__(self, network: GLFNet, features: Callable[[Tensor], Features], judge: Judge):
        self._network, self._features, self._judge = network, features, judge

    def looks(
        self,
        photos: Sequence[np.ndarray],
        palms: Sequence[Sequence[Palm]],
        arms: Sequence[Sequence[Crop]],
        found: Sequence[Sequence[CropHypothesis]],
    ) -> list[list[CropHypothesis]]:
        """Looks at more hands of each photo (H, W, 3) uint8, each once, to which its palms and arms lead and which are
        none of those `found` in it. arms: the crops at their ends."""
        answers = []
        for photo, seen, ends, known in zip(photos, palms, arms, found, strict=True):
            new: list[CropHypothesis] = []
            for look in sorted(self.follow(photo, starts(seen, ends, known)), key=lambda look: -look.presence):
                sure = look.presence >= CONFIRMED and look.next_crop.size >= SMALLEST
                if sure and not any(_same(look, one) for one in (*known, *new)):
                    new.append(look)
            answers.append(new if len(new) <= PATTERN else [])
        return answers

    def follow(
        self, photo: np.ndarray, starts: Sequence[tuple[Crop, float]], hopeless: float | None = None
    ) -> list[CropHypothesis]:
        """Where these crops, each with the score of what it comes from, lead, without those that are hopeless: the
        first crop's logit of a hand is less than that."""
        least = self._judge.weighing.hopeless if hopeless is None else hopeless
        scores = [score for _, score in starts]
        crops = [crop for crop, _ in starts]
        pairs: list[Pair] = []
        for number in range(PASSES):
            seen = zip(scores, self.ways(photo, crops), strict=True)
            kept = [
                (score, pair) for score, pair in seen if _usable(pair) and (number or self._judge.hand(pair) >= least)
            ]
            scores, pairs = [score for score, _ in kept], [pair for _, pair in kept]
            crops = [next_crop(self._best(pair)) for pair in pairs]
        return [self._look(pair, score) for score, pair in zip(scores, pairs, strict=True)]

    def sided(self, photo: np.ndarray, look: CropHypothesis) -> CropHypothesis:
        """The look at a hand, its side judged again where it is doubtful. One that stays keeps its probability."""
        own = self._judge.weighing
        if look.placed or max(look.right, 1 - look.right) >= own.doubtful:
            return look
        (pair,) = self.ways(photo, [look.next_crop])
        if not _usable(pair):
            return look
        said = own.handedness * float(logit(look.right)) + self._judge.right(pair)
        return look if (said >= 0) == (look.right >= 0.5) else replace(look, right=float(expit(said)))

    def ways(self, photo: np.ndarray, crops: Sequence[Crop]) -> list[Pair]:
        """Each of these crops seen both ways."""
        parts = [crops[at : at + AT_ONCE] for at in range(0, len(crops), AT_ONCE)]
        return [pair for part in parts for pair in self._some(photo, part)]

    @torch.inference_mode()
    def _some(self, photo: np.ndarray, crops: Sequence[Crop]) -> list[Pair]:
        views = [replace(crop, flip=flip) for crop in crops for flip in (False, True)]
        height, width = photo.shape[:2]
        K = default_camera(height, width, max(crop.size for crop in crops) / ROOM)
        features = self._features(extract_all(photo, views))
        projection, focal = cameras([CropView.of(view, K) for view in views], features.pooled.device)
        answer = self._network.answer(features, projection, focal)
        last = answer.final
        joints = self._network.layer.keypoints_from_pose(last.rotations(), last.shape, last.offsets)
        points = project(joints + translation_of(last.camera, focal)[:, None], projection).double().cpu().numpy()
        sigma = answer.keypoint_sigma.median(1).values.tolist()
        said = zip(views, points, sigma, features.pooled.float().cpu().numpy(), features.right.tolist(), strict=True)
        ways = [Way(view, view.to_photo(own), *rest) for view, own, *rest in said]
        return list(zip(ways[::2], ways[1::2], strict=True))

    def _best(self, pair: Pair) -> Way:
        """The way in which the hand is seen as a right one."""
        return pair[0] if self._judge.right(pair) >= 0 else pair[1]

    def _look(self, pair: Pair, score: float) -> CropHypothesis:
        best, right, weights = self._best(pair), self._judge.right(pair), self._judge.weighing
        score = min(score, BEST)
        trust = (
            weights.hand * self._judge.hand(pair)
            + weights.sigma * math.log(min(way.sigma for way in pair))
            + weights.score * float(logit(score))
            + weights.bias
        )
        crop = replace(best.crop, flip=False)
        return CropHypothesis(crop, best.keypoints, float(expit(trust)), float(expit(right)), disagreement=0.0)


def _usable(pair: Pair) -> bool:
    """Whether the numbers are a hand's: also a network that is hardly trained is asked."""
    for way in pair:
        size = float(np.ptp(way.keypoints, axis=0).max())
        if not (0 < way.sigma < math.inf and way.crop.size / FARTHEST < size < way.crop.size * FARTHEST):
            return False
    return bool(np.isfinite([way.pooled for way in pair]).all())


def next_crop(way: Way) -> Crop:
    crop = Crop.from_landmarks(way.keypoints)
    return replace(crop, size=min(max(crop.size, way.crop.size / WIDEST), way.crop.size * WIDEST))


def starts(palms: Sequence[Palm], arms: Sequence[Crop], known: Sequence[CropHypothesis]) -> list[tuple[Crop, float]]:
    """Where hands that are none of those known are looked for: crops, each with the score of what it comes from."""
    found = [(Crop.from_palm(palm), palm.score) for palm in unknown(palms, known)]
    return found + [(arm, ARM) for arm in arms if not any(look.holds(arm) for look in known)]


def unknown(palms: Sequence[Palm], known: Sequence[CropHypothesis]) -> list[Palm]:
    """The palms that are none of a known hand's, each once, best first; of what may be palms, few."""
    least = LEAST * max((look.crop.size for look in known), default=0.0)
    palms = [palm for palm in palms if palm.score >= CLEAR or Crop.from_palm(palm).size >= least]
    new: list[Palm] = []
    for palm in sorted(palms, key=lambda palm: -palm.score):
        again = any(overlap(palm.box, np.array([other.box]))[0] > PALMS_APART for other in new)
        if palm.score >= FAINT and not again and not any(_is_of(palm, look) for look in known):
            new.append(palm)
    clear = sum(palm.score >= CLEAR for palm in new)
    return new[: clear + FEW]


def _is_of(palm: Palm, look: CropHypothesis) -> bool:
    """Whether a palm is a known hand's, or a part of it."""
    if not look.holds(Crop.from_palm(palm)):
        return False
    if look.placed:
        return True
    own = bounds(look.landmarks[list(PALM)])
    size = max(palm.box[2] - palm.box[0], palm.box[3] - palm.box[1])
    return bool(overlap(palm.box, own[None])[0] > PALMS_APART or size < ALIKE * max(own[2:] - own[:2]))


def _same(look: CropHypothesis, other: CropHypothesis) -> bool:
    """Whether two looks show one hand, on whichever side each takes it for."""
    if other.placed:
        return other.holds(look.next_crop)
    steady = list(EITHER_SIDE)
    apart = np.linalg.norm(look.landmarks[steady] - other.landmarks[steady], axis=1).mean()
    return bool(apart < APART * max(look.next_crop.size, other.next_crop.size))
