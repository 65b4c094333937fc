"""What one camera says of a hand: the network's proposal in its photo, and its keypoints without the lens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from annotator.hand.mesh import HandMesh
from annotator.network.hand_meshes import CachedFeatures
from annotator.vision.crop_size import CROP_SIZE
from annotator.vision.rigs import Rig, RigCamera


@dataclass(frozen=True, eq=False)
class Sighting:
    """camera: of a rig in metres; hand: the proposal in that camera's photo; places (21,2) px of the ideal camera, NaN
    where its lens shows nothing."""

    camera: RigCamera
    hand: HandMesh
    places: np.ndarray

    @staticmethod
    def of(camera: RigCamera, hand: HandMesh) -> Sighting:
        return Sighting(camera, hand, camera.ideal(hand.keypoints))

    def one_of(self, count: int) -> Sighting:
        """The same as one of so many that are joined: with a share of 1 - 1 / count, its places are the encoder's own
        landmarks, where it has them.

        The network's keypoints are those of a mesh with nearly the same proportions for everybody. That steadies one
        photo, and is the same error in all of them; landmarks are noisier and free of it, so the more photos average
        them, the more they count (`benchmarks/rigs.py`).
        """
        landmarks = landmarks_of(self.hand)
        if landmarks is None or count < 2:
            return self
        mixed = self.hand.keypoints / count + landmarks * (1.0 - 1.0 / count)
        return replace(self, places=self.camera.ideal(mixed))

    @property
    def scale(self) -> float:
        """Crop px a photo px."""
        return CROP_SIZE / self.hand.crop_size

    @property
    def box(self) -> float:
        """px: the longer side of the keypoints' box."""
        return max(float(np.ptp(self.hand.keypoints, axis=0).max()), 1.0)

    @property
    def sigma(self) -> np.ndarray:
        """(21,) px of each keypoint along each axis; infinite where the lens shows nothing."""
        known = np.isfinite(self.places).all(axis=1)
        return np.where(known, np.maximum(self.hand.keypoint_sigma, 1e-6), np.inf)

    @property
    def doubt(self) -> float:
        """How unsure the proposal is of itself: its typical sigma as a share of its box, more for a doubtful hand."""
        return float(np.median(self.hand.keypoint_sigma)) / self.box / max(self.hand.confidence, 0.05)


def landmarks_of(hand: HandMesh) -> np.ndarray | None:
    """(21,2) photo px: the encoder's landmarks in the hand's cached features; None: there are none."""
    kept = hand.features
    if not isinstance(kept, CachedFeatures):
        return None
    landmarks = kept.features.landmarks[0].double().numpy()
    return kept.crop.to_photo(landmarks) if np.isfinite(landmarks).all() else None


def sightings_of(proposals: Mapping[str, list[HandMesh]], rig: Rig) -> list[Sighting]:
    """All of an instant: camera's name -> the hands proposed in its photo, in the order of the rig's cameras."""
    return [Sighting.of(rig[name], hand) for name in rig if name in proposals for hand in proposals[name]]
