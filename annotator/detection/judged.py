"""Whether two views of a crop show a hand, and which: what both trunks of the encoder say, weighed.

A view and its mirror image each have the global vector of MediaPipe's fixed trunk and that of the trunk which learned
from gloves, held things and hands that touch. One linear layer on them says "hand"; another, on the difference between
the two views, so that a mirrored photo has the mirrored answer, says which side, beside how sure the keypoints are
either way and MediaPipe's handedness. `learning.detection.judging` fitted them.

The layers know the trunk that they were fitted to, and those that hardly moved from it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.resources import files
from typing import NamedTuple, Protocol

import numpy as np
import torch
from safetensors.numpy import load_file
from scipy.special import logit
from torch import nn

from annotator.network.encoders.base import Encoder
from annotator.network.encoders.mediapipe_hand import POOLED
from annotator.network.encoders.tuned import TunedMediaPipeEncoder
from annotator.vision.crops import Crop

WEIGHTS = "answered_judge.safetensors"
SURE = 1e-4  # MediaPipe's handedness is held to be no surer than this
SIDE = 3.0  # by which the logarithm of the two ways' sigmas alone tells the side


@dataclass(frozen=True, eq=False)
class Way:
    """What is said of a crop that is flipped or not: keypoints (21, 2) photo px, their typical sigma, px of the crop,
    the encoder's global vector, and MediaPipe's probability of a right hand, of the crop as it is seen."""

    crop: Crop
    keypoints: np.ndarray
    sigma: float
    pooled: np.ndarray
    right: float


Pair = tuple[Way, Way]  # the crop as it is, and flipped


class Weighing(NamedTuple):
    """What a judge's logits count for.

    hand, sigma, score, bias: weights of what makes the trust in a hand: the judge's logit, the logarithm of the
    keypoints' sigma, the logit of the palm's score; and their bias. hopeless: least logit of a first crop that is
    followed. doubtful: least probability of a side, by the landmarks, beyond doubt. handedness: what their logit of a
    side counts beside the judge's.
    """

    hand: float
    sigma: float
    score: float
    bias: float
    hopeless: float
    doubtful: float
    handedness: float


class Judge(Protocol):
    weighing: Weighing

    def hand(self, pair: Pair) -> float:
        """The logit of a hand."""

    def right(self, pair: Pair) -> float:
        """The logit of a right hand."""


class TrunkJudge:
    """The fitted layers."""

    # trust: logistic, fitted to 919 places of rendered scenes (docs/model-card.md)
    weighing = Weighing(0.8, 0.0, 0.23, -1.11, hopeless=-4.0, doubtful=0.95, handedness=0.3)

    def __init__(self) -> None:
        own = load_file(str(files("annotator.detection") / "weights" / WEIGHTS))
        self._hand, self._bias, self._side, self._beside = own["hand"], own["bias"], own["side"], own["beside"]
        self._trunk, self._moved = own["trunk"].astype(np.float32), float(own["moved"][0])

    def knows(self, encoder: Encoder) -> bool:
        """Whether an encoder's learned trunk is the one of the layers, or nearer to it than that is to MediaPipe's."""
        if not isinstance(encoder, TunedMediaPipeEncoder):
            return False
        return bool(np.linalg.norm(trunk_of(encoder) - self._trunk) < self._moved)

    def hand(self, pair: Pair) -> float:
        return float((pair[0].pooled + pair[1].pooled) @ self._hand / 2 + self._bias[0])

    def right(self, pair: Pair) -> float:
        plain, flipped = pair
        apart = (plain.pooled - flipped.pooled)[POOLED:] @ self._side
        return float(apart + evidence(pair) @ self._beside)


class SigmaJudge:
    """For trunks that no layer was fitted to: the side of which the keypoints are surer, and the tuned presence
    (`detection.dressed`), which reads the fixed trunk alone."""

    # trust: logistic, fitted to 378 places of rendered scenes
    weighing = Weighing(0.6, -1.0, 0.76, 1.07, hopeless=-0.5, doubtful=0.8, handedness=1.0)

    def __init__(self, presence: nn.Linear):
        self._presence = presence

    @torch.inference_mode()
    def hand(self, pair: Pair) -> float:
        pooled = torch.from_numpy(np.stack([way.pooled[:POOLED] for way in pair]))
        return float(self._presence(pooled.to(self._presence.weight.device)).mean())

    def right(self, pair: Pair) -> float:
        return SIDE * float(evidence(pair)[0])


def judge_of(encoder: Encoder, presence: nn.Linear) -> Judge:
    """The judge of what an encoder that keeps MediaPipe's landmarks says. presence: the tuned one."""
    judge = TrunkJudge()
    return judge if judge.knows(encoder) else SigmaJudge(presence)


def trunk_of(encoder: TunedMediaPipeEncoder) -> np.ndarray:
    """Numbers by which a learned trunk is known."""
    return biases(encoder.tuned_expand, encoder.tuned_depthwise)


def biases(*layers: nn.Conv2d) -> np.ndarray:
    """All biases of these layers."""
    kept = [layer.state_dict()["bias"].float().cpu().numpy() for layer in layers]
    return np.concatenate(kept)


def evidence(pair: Pair) -> np.ndarray:
    """(2,) of the side, beside the vectors: the logarithm of the sigmas' ratio, the difference of MediaPipe's logits.
    Both are of the other sign where the pair is exchanged."""
    plain, flipped = pair
    said_plain, said_flipped = logit(np.clip([plain.right, flipped.right], SURE, 1 - SURE))
    return np.array([math.log(flipped.sigma / plain.sigma), said_plain - said_flipped])
