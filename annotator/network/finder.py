"""From photos to hands and what the encoder says of each: everything before the heads of GLFNet."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from annotator.network.encoder import Features
from annotator.network.exported_hand import exported_encoder, exported_hand
from annotator.network.glfnet import GLFNet
from annotator.network.locating import Located, locate_many
from annotator.network.mediapipe_hand import load_mediapipe_hand
from annotator.network.quick import confirmed
from annotator.vision.crops import extract_all
from annotator.vision.palm import PalmDetector


class HandFinder:
    """Palm detector, landmark locator and encoder of a network, each in the form that is fastest on its device."""

    def __init__(self, network: GLFNet, device: torch.device):
        self.device = device
        # Finding hands stays with the original weights, so that retraining never changes which hands are found.
        self.locator = load_mediapipe_hand().to(device).eval()
        self._network = network
        self.detector = PalmDetector().to(device).eval()
        self._made: dict[tuple[str, bool], nn.Module] = {}

    def looker(self, brief: bool = False) -> nn.Module:
        """The landmark network. brief: in bfloat16, where the processor has that."""
        return self._once("looker", brief, lambda: exported_hand(self.locator, brief))

    def encoder(self, brief: bool = False) -> nn.Module:
        """The network's encoder. brief: as above."""
        return self._once("encoder", brief, lambda: exported_encoder(self._network.encoder, brief))

    def _once(self, name: str, brief: bool, make: Callable[[], nn.Module]) -> nn.Module:
        if (name, brief) not in self._made:
            self._made[name, brief] = make()
        return self._made[name, brief]

    @torch.inference_mode()
    def features(self, pictures: Tensor, brief: bool = False) -> Features:
        """pictures: (B, 3, 224, 224), RGB in 0..1."""
        return self.encoder(brief)(pictures.to(self.device, memory_format=torch.channels_last))

    def find(
        self,
        photos: Sequence[np.ndarray],
        boxes: Sequence[Sequence | None],
        sides: Sequence[Sequence | None],
        quick: bool = False,
    ) -> list[tuple[list[Located], Features | None]]:
        """The hands of each photo, as `locate_many` has them, and their features; None where there are no hands.

        quick: where no boxes are told, one glance at each hand is enough if the encoder's own landmarks confirm it, and the
        encoder is brief (`network.quick`).
        """
        found = locate_many(photos, self.looker(), self.detector, boxes, sides, self.looker(True) if quick else None)
        brief = [quick and told is None for told in boxes]
        seen = self._seen(photos, found, brief)
        left = [k for k, (hands, features) in enumerate(zip(found, seen, strict=True)) if not confirmed(hands, features)]
        if left:
            some, nothing = [photos[k] for k in left], [None] * len(left)
            again = locate_many(some, self.looker(), self.detector, nothing, nothing)
            for k, hands, features in zip(left, again, self._seen(some, again, [True] * len(left)), strict=True):
                found[k], seen[k] = hands, features
        return list(zip(found, seen, strict=True))

    def _seen(
        self, photos: Sequence[np.ndarray], found: list[list[Located]], brief: Sequence[bool]
    ) -> list[Features | None]:
        """The features of each photo's hands. brief: for each photo, as in `encoder`."""
        seen: list[Features | None] = [None] * len(photos)
        for way in (False, True):
            own = [k for k, hands in enumerate(found) if hands and brief[k] is way]
            if not own:
                continue
            pictures = [extract_all(photos[k], [hand.crop for hand in found[k]]) for k in own]
            features, at = self.features(torch.cat(pictures), way), 0
            for k in own:
                seen[k] = features.select(slice(at, at + len(found[k])))
                at += len(found[k])
        return seen
