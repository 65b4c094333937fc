"""Looking at hands where they are expected: one pass of the encoder instead of a search."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from annotator.hand.joints import EITHER_SIDE
from annotator.hand.topology import KEYPOINTS
from annotator.model import Model
from annotator.tracking.following.frames import Frame
from annotator.tracking.following.paths import Path, SeenHand
from annotator.tracking.following.settings import Following
from annotator.tracking.matching import Candidate, apart, looks_of, match
from annotator.vision.crops import Crop

OUTSIDE = 0.3  # of the crop's size: how far its middle may be out of the photo


class Watching:
    """Asks a model for hands in crops of a frame. Ks of frames: (3, 3) px."""

    def __init__(self, model: Model, settings: Following):
        self._model, self._settings = model, settings

    def expected(self, frame: Frame, K: np.ndarray, paths: Sequence[Path]) -> list[SeenHand | None]:
        """What is seen of each hand where it is expected; None where it is not, or where it is another's hand."""
        places = [path.expected(frame.seconds) for path in paths]
        answers = self.at(frame, K, places, [path.side for path in paths])
        own = [_regained(frame, *one) for one in zip(paths, answers, strict=True)]
        return self._undoubled(frame, paths, own)

    def at(
        self, frame: Frame, K: np.ndarray, places: Sequence[np.ndarray], sides: Sequence[str]
    ) -> list[SeenHand | None]:
        """What is seen of hands of these sides at places (21, 2) photo px. One that moved farther than expected is
        looked at once more."""
        crops = [Crop.from_landmarks(place, side == "left") for place, side in zip(places, sides, strict=True)]
        height, width = frame.photo.shape[:2]
        inside = [k for k, crop in enumerate(crops) if _in_sight(crop, height, width)]
        seen: list[SeenHand | None] = [None] * len(crops)
        for k, answer in zip(inside, self._answers(frame, K, [crops[k] for k in inside]), strict=True):
            seen[k] = answer
        again, where = [], []
        for k, one in enumerate(seen):
            if one is not None and one.presence >= self._settings.presence / 2:
                crop = Crop.from_landmarks(one.landmarks, crops[k].flip)
                if self._far(crops[k], crop):
                    again.append(k)
                    where.append(crop)
        for k, answer in zip(again, self._answers(frame, K, where), strict=True):
            seen[k] = answer
        return [one if one is not None and one.presence >= self._settings.presence else None for one in seen]

    def _answers(self, frame: Frame, K: np.ndarray, crops: Sequence[Crop]) -> list[SeenHand]:
        return [SeenHand.of(hand) for hand in self._model.answer_in(frame.photo, crops, K)]

    def _far(self, was: Crop, now: Crop) -> bool:
        moved = math.hypot(now.cx - was.cx, now.cy - was.cy) / was.size
        turned = abs(math.remainder(now.angle - was.angle, math.tau))
        grown = abs(math.log(now.size / was.size))
        return moved > self._settings.moved or turned > self._settings.turned or grown > self._settings.grown

    def _undoubled(
        self, frame: Frame, paths: Sequence[Path], answers: Sequence[SeenHand | None]
    ) -> list[SeenHand | None]:
        """The answers without those that show another path's hand: where two went to one hand, it is whose it is."""
        kept = list(answers)
        for a in range(len(kept)):
            for b in range(a):
                one, other = kept[a], kept[b]
                if one is None or other is None or not self._one(one, other, paths[a].side == paths[b].side):
                    continue
                candidate = Candidate(one.landmarks, (one.right + other.right) / 2, looks_of(frame.photo, one.hand))
                owner = match([paths[b].known(frame.seconds), paths[a].known(frame.seconds)], [candidate])
                # nobody's: the older path keeps it
                kept[b if owner.get(1) == 0 else a] = None
        return kept

    def _one(self, seen: SeenHand, other: SeenHand, alike: bool) -> bool:
        """Whether both are one hand. alike: both are followed as hands of one side; else their fingers lie elsewhere,
        but not the wrist and the middle knuckle."""
        points = range(KEYPOINTS) if alike else EITHER_SIDE
        return apart(seen.landmarks, other.landmarks, points) <= self._settings.same


def _regained(frame: Frame, path: Path, seen: SeenHand | None) -> SeenHand | None:
    """What is seen of a lost hand where it was: only if it is the same hand."""
    if seen is None or path.since is None:
        return seen
    return seen if match([path.known(frame.seconds)], [seen.candidate(frame)]) else None


def _in_sight(crop: Crop, height: int, width: int) -> bool:
    """Whether the crop's middle is in the photo, or not far out."""
    out = max(-crop.cx, -crop.cy, crop.cx - width, crop.cy - height)
    return out < OUTSIDE * crop.size
