"""Hands that the landmark network loses, followed by the network that answers for meshes.

In gloves, round things and where hands hide each other, MediaPipe's landmarks lead off the hand: in four of ten gloves.
GLFNet has learned from such hands, so its own keypoints lead from crop to crop. Each crop is seen as a right hand's and
as a left one's; the way in which it is surer of its keypoints is the side. Whether there is a hand it was never taught:
that the tuned presence (`detection.dressed`) says, with how sure the keypoints are.

This adds hands and takes none away, and looks only where a palm or an arm led to no hand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from annotator.detection.crop_hypotheses import CropHypothesis
from annotator.detection.palms.palm_detector import Palm
from annotator.network.crop_camera import CropView, cameras, project, translation_of
from annotator.network.encoders.mediapipe_hand import POOLED
from annotator.network.features import Features
from annotator.network.glfnet import GLFNet
from annotator.vision.boxes import bounds, overlap
from annotator.vision.camera import default_camera
from annotator.vision.crops import Crop, extract_all

AT_ONCE = 8  # crops in a pass
CLEAR = 0.5  # least score of a palm that is followed
PASSES = 3  # crops that a palm leads to, one after the other
HOPELESS = -0.5  # logit of the tuned presence below which a first crop is not followed
CONFIRMED = 0.7  # least trust of a last look
# trust: logistic in the tuned presence's logit, the logarithm of the keypoints' sigma (px of the crop) and the palm's
# logit, fitted to 378 places of rendered scenes (docs/model-card.md)
PRESENCE, SIGMA, SCORE, BIAS = 0.6, -1.0, 0.76, 1.07
PATTERN = 6  # more such hands than this in a photo are none: something that is repeated, as a fabric's print
SMALLEST = 40.0  # photo px: least side of a hand's crop
BEST = 0.99  # score above which palms are all the same
ARM = 0.5  # what counts as a palm's score at the end of an arm
SIDE = 3.0  # by which the logarithm of the two ways' sigmas tells the side
DOUBTFUL = 0.8  # least probability of a side beyond doubt
ROOM = 1.6  # of a hand's size, its crop takes
PALM = (0, 5, 9, 13, 17)  # keypoints round a palm
STEADY = (0, 9)  # keypoints that are where they are, whichever side a hand is taken for
APART = 0.2  # of the larger crop: how far those of two hands lie apart
PALMS_APART = 0.2  # intersection over union of two hands' palms at most
ALIKE = 0.6  # of a palm in a found hand's box: its least size beside that hand's own palm
WIDEST = 3.0  # how much smaller or larger than a crop the next one is at most
FARTHEST = 100.0  # and how much smaller or larger than its crop any hand is


@dataclass(frozen=True, eq=False)
class _Way:
    """What is said of a crop that is flipped or not: keypoints (21, 2) photo px, their typical sigma, px of the crop,
    and the logit of the tuned presence."""

    crop: Crop
    keypoints: np.ndarray
    sigma: float
    logit: float


class AnswerSearch:
    """network: an encoder of MediaPipe's landmarks and its heads; features: the encoder in its fastest form; presence:
    the tuned one."""

    def __init__(self, network: GLFNet, features: Callable[[Tensor], Features], presence: nn.Module):
        self._network, self._features, self._presence = network, features, presence

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
        self, photo: np.ndarray, starts: Sequence[tuple[Crop, float]], hopeless: float = HOPELESS
    ) -> list[CropHypothesis]:
        """Where these crops, each with the score of what it comes from, lead, without those that are hopeless."""
        scores = [score for _, score in starts]
        crops = [crop for crop, _ in starts]
        ways: list[tuple[_Way, _Way]] = []
        for number in range(PASSES):
            seen = zip(scores, self._both(photo, crops), strict=True)
            kept = [
                (score, pair)
                for score, pair in seen
                if _usable(pair) and (number or max(way.logit for way in pair) >= hopeless)
            ]
            scores, ways = [score for score, _ in kept], [pair for _, pair in kept]
            crops = [_next(best) for best, _ in ways]
        return [_look(*pair, score) for score, pair in zip(scores, ways, strict=True)]

    def sided(self, photo: np.ndarray, look: CropHypothesis) -> CropHypothesis:
        """The look at a hand, its side judged with how sure the keypoints are either way where it is doubtful."""
        if look.placed or max(look.right, 1 - look.right) >= DOUBTFUL:
            return look
        (pair,) = self._both(photo, [look.next_crop])
        if not _usable(pair):
            return look
        return replace(look, right=_sigmoid(math.log(look.right / (1 - look.right)) + _rightness(*pair)))

    def _both(self, photo: np.ndarray, crops: Sequence[Crop]) -> list[tuple[_Way, _Way]]:
        """Each of these crops seen both ways, the surer one first."""
        parts = [crops[at : at + AT_ONCE] for at in range(0, len(crops), AT_ONCE)]
        return [pair for part in parts for pair in self._some(photo, part)]

    @torch.inference_mode()
    def _some(self, photo: np.ndarray, crops: Sequence[Crop]) -> list[tuple[_Way, _Way]]:
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
        logits = self._presence(features.pooled[:, :POOLED])[:, 0].tolist()
        ways = [
            _Way(view, view.to_photo(own), *said) for view, own, *said in zip(views, points, sigma, logits, strict=True)
        ]
        return [(a, b) if a.sigma <= b.sigma else (b, a) for a, b in zip(ways[::2], ways[1::2], strict=True)]


def _usable(pair: tuple[_Way, _Way]) -> bool:
    """Whether the numbers are a hand's: also a network that is hardly trained is asked."""
    best, other = pair
    size = float(np.ptp(best.keypoints, axis=0).max())
    return 0 < best.sigma <= other.sigma < math.inf and best.crop.size / FARTHEST < size < best.crop.size * FARTHEST


def _next(way: _Way) -> Crop:
    crop = Crop.from_landmarks(way.keypoints)
    return replace(crop, size=min(max(crop.size, way.crop.size / WIDEST), way.crop.size * WIDEST))


def _look(best: _Way, other: _Way, score: float) -> CropHypothesis:
    presence = (best.logit + other.logit) / 2
    score = min(score, BEST)
    trust = PRESENCE * presence + SIGMA * math.log(best.sigma) + SCORE * math.log(score / (1 - score)) + BIAS
    right = _sigmoid(_rightness(best, other))
    return CropHypothesis(replace(best.crop, flip=False), best.keypoints, _sigmoid(trust), right, disagreement=0.0)


def _rightness(best: _Way, other: _Way) -> float:
    """The logit of a right hand."""
    surer = SIDE * math.log(other.sigma / best.sigma)
    return -surer if best.crop.flip else surer


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-min(max(value, -50.0), 50.0)))


def starts(palms: Sequence[Palm], arms: Sequence[Crop], known: Sequence[CropHypothesis]) -> list[tuple[Crop, float]]:
    """Where hands that are none of those known are looked for: crops, each with the score of what it comes from."""
    found = [(Crop.from_palm(palm), palm.score) for palm in unknown(palms, known)]
    return found + [(arm, ARM) for arm in arms if not any(look.holds(arm) for look in known)]


def unknown(palms: Sequence[Palm], known: Sequence[CropHypothesis]) -> list[Palm]:
    """The palms that are none of a known hand's, each once, best first."""
    new: list[Palm] = []
    for palm in sorted(palms, key=lambda palm: -palm.score):
        again = any(overlap(palm.box, np.array([other.box]))[0] > PALMS_APART for other in new)
        if palm.score >= CLEAR and not again and not any(_is_of(palm, look) for look in known):
            new.append(palm)
    return new


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
    steady = list(STEADY)
    apart = np.linalg.norm(look.landmarks[steady] - other.landmarks[steady], axis=1).mean()
    return bool(apart < APART * max(look.next_crop.size, other.next_crop.size))
