"""From photos to hands and what the encoder says of each: everything before the heads of GLFNet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from annotator.detection.answered import AnswerSearch
from annotator.detection.bodies.hands_by_arms import BodySearch
from annotator.detection.crop_hypotheses import CropHypothesis
from annotator.detection.dressed import DressedSearch
from annotator.detection.judged import judge_of
from annotator.detection.localization import Located, hand_seen, locate_many
from annotator.detection.palms.palm_detector import PalmDetector
from annotator.detection.quick import find_quickly
from annotator.detection.two_pass import checked
from annotator.network.encoders.exported_hand import exported_encoder, exported_hand
from annotator.network.encoders.mediapipe_hand import load_mediapipe_hand
from annotator.network.features import Features, joined
from annotator.network.frozen.exported import Made
from annotator.network.glfnet import GLFNet
from annotator.stopping import still_wanted
from annotator.vision.crops import extract_all

AT_ONCE = 32  # crops in a pass of the encoder
MANY = 64  # hands of a photo: where there are more, their features are left to whoever needs them, a few at a time

# a photo's hands and their features; None where there are no hands, or more than `MANY`
Found = tuple[list[Located], Features | None]


class HandDetector:
    """Palm detector, landmark locator and encoder of a network, each in the form that is fastest on its device.

    The network's weights are taken when its encoder is first asked.
    """

    def __init__(self, network: GLFNet, device: torch.device):
        self.device = device
        # Finding hands stays with the original weights, so that retraining changes at most which hands `answers` adds
        # to them, and doubtful sides.
        self.locator = load_mediapipe_hand().to(device).eval()
        self.detector = PalmDetector().to(device).eval()
        self.bodies: BodySearch | None = BodySearch().to(device).eval()
        self.dressed: DressedSearch | None = DressedSearch().to(device).eval()
        self.answers: AnswerSearch | None = None
        if network.encoder.keeps_landmarks:
            self.answers = AnswerSearch(network, self.features, judge_of(network.encoder, self.dressed.presence))
        self._network = network
        self._made = Made()

    def landmark_network(self, bfloat16: bool = False) -> nn.Module:
        """The landmark network. bfloat16: in that precision, where the processor has that."""
        return self._made.once("landmark network", bfloat16, lambda: exported_hand(self.locator, bfloat16))

    def encoder(self, bfloat16: bool = False) -> nn.Module:
        """The network's encoder. bfloat16: as above."""
        return self._made.once("encoder", bfloat16, lambda: exported_encoder(self._network.encoder, bfloat16))

    @torch.inference_mode()
    def features(self, pictures: Tensor, bfloat16: bool = False) -> Features:
        """pictures: (B, 3, 224, 224), RGB in 0..1."""
        still_wanted()
        return self.encoder(bfloat16)(pictures.to(self.device, memory_format=torch.channels_last))

    def find(
        self,
        photos: Sequence[np.ndarray],
        boxes: Sequence[Sequence | None],
        sides: Sequence[Sequence | None],
        quick: bool = False,
    ) -> list[Found]:
        """The hands of each photo, as `locate_many` has them, and their features.

        quick: where no boxes are told, one glance at each hand is enough if the encoder's own landmarks confirm it.
        That needs one with MediaPipe's own landmarks (`mediapipe-tuned`); others make the full search.
        """
        answers: list[Found] = [([], None)] * len(photos)
        left = list(range(len(photos)))
        if quick and self._network.encoder.keeps_landmarks:
            free = [k for k in left if boxes[k] is None]
            for k, answer in zip(free, self._quickly([photos[k] for k in free]), strict=True):
                if answer is not None:
                    answers[k] = answer
                    left.remove(k)
        some = [photos[k] for k in left]
        told = ([boxes[k] for k in left], [sides[k] for k in left])
        found = (
            locate_many(some, self.landmark_network(), self.detector, *told, self.bodies, self.dressed, self.answers)
            if left
            else []
        )
        for k, hands, own in zip(left, found, self._seen(some, found), strict=True):
            answers[k] = (hands, own)
        return answers

    def _quickly(self, photos: list[np.ndarray]) -> list[Found | None]:
        """None for photos where nothing is found, or something is not confirmed."""
        looks = find_quickly(photos, self.landmark_network(bfloat16=True), self.detector)
        hands = [[hand_seen(look) for look in own] for own in looks]
        answers: list[Found | None] = []
        for own, seen, features in zip(looks, hands, self._seen(photos, hands, bfloat16=True), strict=True):
            if features is None:
                answers.append(None)
                continue
            told = enumerate(zip(own, seen, strict=True))
            confirmed = [hand for number, each in told if (hand := _confirmed(*each, features, number)) is not None]
            answers.append((confirmed, features) if confirmed and len(confirmed) == len(own) else None)
        return answers

    def _seen(
        self, photos: Sequence[np.ndarray], hands: Sequence[Sequence[Located]], bfloat16: bool = False
    ) -> list[Features | None]:
        """The features of each photo's hands, in common passes; None where there are none, or more than `MANY`."""
        hands = [own if len(own) <= MANY else [] for own in hands]
        views = [(photo, hand.crop) for photo, own in zip(photos, hands, strict=True) for hand in own]
        parts = [views[at : at + AT_ONCE] for at in range(0, len(views), AT_ONCE)]
        features = [
            self.features(torch.cat([extract_all(photo, [crop]) for photo, crop in part]), bfloat16) for part in parts
        ]
        seen: list[Features | None] = []
        every, at = joined(features) if features else None, 0
        for own in hands:
            seen.append(every.select(slice(at, at + len(own))) if own and every is not None else None)
            at += len(own)
        return seen


def _confirmed(look: CropHypothesis, hand: Located, features: Features | None, number: int) -> Located | None:
    """The hand of one glance, if the encoder (number: of its features) is sure of it, too, and of its side."""
    assert features is not None
    right = float(features.right[number])  # of the crop, which shows every hand as a right one
    landmarks = hand.crop.to_photo(features.landmarks[number].double().cpu().numpy())
    seen = replace(look, presence=(look.presence + float(features.presence[number])) / 2)
    seen = checked(seen, landmarks, 1 - right if hand.side == "left" else right)
    if not (np.isfinite(landmarks).all() and seen.sure and right >= 0.5):
        return None
    return replace(hand, presence=seen.trust, right_probability=seen.right)
