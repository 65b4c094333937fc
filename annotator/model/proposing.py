"""From photos to proposals: hands are found in groups of photos, and answered together in the passes of the heads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from annotator.detection.hand_detector import HandDetector
from annotator.detection.localization import Located
from annotator.detection.photo_groups import groups, hinted
from annotator.hand.mesh import HandMesh
from annotator.model.answering import AT_ONCE, Answering
from annotator.network.features import Features, joined
from annotator.vision.camera import check_camera, default_camera
from annotator.vision.crops import Crop, extract_all


class Waiting(NamedTuple):
    """A photo (H, W, 3) whose hands are found and not yet answered. features: of its hands; None if it has none, or
    very many; K: (3, 3) px."""

    photo: np.ndarray
    hands: list[Located]
    features: Features | None
    K: np.ndarray


class Proposing:
    """The way from photos to proposals. finder: finds hands and encodes their crops; answering: the heads."""

    def __init__(self, finder: HandDetector, answering: Answering):
        self._finder, self._answering = finder, answering

    def many(
        self,
        photos: Iterable[np.ndarray],
        boxes: Iterable | None,
        sides: Iterable | None,
        cameras: Iterable | None,
        batch: int,
        quick: bool,
    ) -> Iterator[list[HandMesh]]:
        """See `Model.propose_many`; quick: see `Model`."""
        waiting: list[Waiting] = []
        for group in groups(hinted(photos, boxes, sides, cameras), batch):
            columns: Any = zip(*group, strict=True)
            some, given_boxes, given_sides, given_cameras = columns
            for photo, K in zip(some, given_cameras, strict=True):
                if K is not None:  # before any work
                    check_camera(K, photo.shape[:2])
            found = self._finder.find(some, given_boxes, given_sides, quick)
            for photo, (hands, features), K in zip(some, found, given_cameras, strict=True):
                waiting.append(Waiting(photo, hands, features, camera_of(photo, hands, K)))
                if sum(len(one.hands) for one in waiting) >= batch:
                    yield from self.answers(waiting)
                    waiting = []
        if waiting:
            yield from self.answers(waiting)

    @torch.inference_mode()
    def answers(self, waiting: list[Waiting]) -> Iterator[list[HandMesh]]:
        """The hands of each photo that waits, in order."""
        known = [one.features for one in waiting if one.features is not None]
        together = [(hand, one.K) for one in waiting if one.features is not None for hand in one.hands]
        ready = self._answering.hands(together, joined(known)) if known else iter(())
        for one in waiting:
            if one.hands and one.features is None:
                yield list(self._many_hands(one))
            else:
                yield [next(ready) for _ in one.hands]

    def _many_hands(self, one: Waiting) -> Iterator[HandMesh]:
        """The hands of a photo that has very many: features, too, are made and left part by part."""
        for start in range(0, len(one.hands), AT_ONCE):
            part = one.hands[start : start + AT_ONCE]
            features = self._finder.features(extract_all(one.photo, [hand.crop for hand in part]))
            yield from self._answering.hands([(hand, one.K) for hand in part], features)

    @torch.inference_mode()
    def in_crops(self, photo: np.ndarray, crops: Sequence[Crop], K: np.ndarray) -> list[HandMesh]:
        """See `Model.answer_in`."""
        if not crops:
            return []
        features = self._finder.features(extract_all(photo, crops))
        presence = np.nan_to_num(features.presence.double().cpu().numpy(), nan=1.0)
        right = np.nan_to_num(features.right.double().cpu().numpy(), nan=1.0)
        found = []
        for crop, there, own in zip(crops, presence.tolist(), right.tolist(), strict=True):
            side, corners = ("left" if crop.flip else "right"), crop.corners
            box = (*corners.min(0).tolist(), *corners.max(0).tolist())
            found.append((Located(crop, side, there, 1 - own if crop.flip else own, box, np.full((21, 2), np.nan)), K))
        return list(self._answering.hands(found, features))


def camera_of(photo: np.ndarray, hands: Sequence[Located], K: np.ndarray | None) -> np.ndarray:
    """(3, 3) px: the intrinsics as given, checked; else those of a default camera that has room for the largest hand.
    photo: (H, W, 3)."""
    if K is not None:
        return check_camera(K)
    largest = max((hand.crop.size / 1.6 for hand in hands), default=0.0)
    height, width = photo.shape[:2]
    return default_camera(height, width, largest)
