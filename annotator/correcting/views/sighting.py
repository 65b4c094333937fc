"""What one camera says of a hand: the network's proposal in its photo, and its keypoints without the lens."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from annotator.hand.definitions import MEDIAPIPE
from annotator.hand.mesh import HandMesh
from annotator.network.hand_meshes import CachedFeatures
from annotator.vision.crop_size import CROP_SIZE
from annotator.vision.rigs import Rig, RigCamera

SIDE_AT_MOST = 0.98  # how sure a photo is taken to be of a hand's side at most
SIDE_UNTOLD = 0.85  # ... and where nothing says how sure it is
THERE = 0.5  # the least presence of a hand that is seen


@dataclass(frozen=True, eq=False)
class Sighting:
    """camera: of a rig in metres; hand: the proposal in that camera's photo; places (21,2) px of the ideal camera, NaN
    where its lens shows nothing; doubted: how many times more than it says its keypoints are doubted (`weighing`)."""

    camera: RigCamera
    hand: HandMesh
    places: np.ndarray
    doubted: float = 1.0

    @staticmethod
    def of(camera: RigCamera, hand: HandMesh) -> Sighting:
        return Sighting(camera, hand, camera.ideal(hand.keypoints))

    def one_of(self, count: float) -> Sighting:
        """The same as one of so many that are joined: with a share of 1 - 1 / count, its places are the encoder's own
        landmarks, where it has them.

        The network's keypoints are those of a mesh with nearly the same proportions for everybody. That steadies one
        photo, and is the same error in all of them; landmarks are noisier and free of it, so the more photos average
        them, the more they count (`benchmarks/rigs.py`).
        """
        landmarks = landmarks_of(self.hand)
        if landmarks is None or count <= 1:
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
        """(21,) px of each keypoint along each axis, as it is doubted; infinite where the lens shows nothing."""
        known = np.isfinite(self.places).all(axis=1)
        return np.where(known, np.maximum(self.hand.keypoint_sigma * self.doubted, 1e-6), np.inf)

    @property
    def side_odds(self) -> float:
        """Log odds that the hand is of its side, as this photo has it: negative where the landmark network, told the
        side, sees the other one. For as much as it sees a hand at all."""
        there, own = self._seen
        own = min(max(own, 1.0 - SIDE_AT_MOST), SIDE_AT_MOST)
        return there * math.log(own / (1.0 - own))

    @property
    def is_seen(self) -> bool:
        """Whether the landmark network, asked at a place for a hand of a side, sees one there, of that side: it gives
        landmarks of anything."""
        there, own = self._seen
        return there >= THERE and own >= 0.5

    @property
    def _seen(self) -> tuple[float, float]:
        """0..1 both: that a hand is there, and that it is of this side."""
        there, own = self.hand.confidence, SIDE_UNTOLD
        if isinstance(self.hand.features, CachedFeatures):
            # the crop shows a right hand, mirrored for a left one
            said = self.hand.features.features
            there, own = (float(one[0]) for one in (said.presence, said.right))
        # an encoder without landmarks says neither
        return there if math.isfinite(there) else 1.0, own if math.isfinite(own) else SIDE_UNTOLD

    @property
    def doubt(self) -> float:
        """How unsure the proposal is of itself: its typical sigma as a share of its box, more for a doubtful hand."""
        return float(np.median(self.hand.keypoint_sigma)) / self.box / max(self.hand.confidence, 0.05)


def landmarks_of(hand: HandMesh) -> np.ndarray | None:
    """(21,2) photo px: the encoder's landmarks in the hand's cached features, where they have the mesh's own joints
    (what MediaPipe's network means otherwise is the same in all photos and would not average out); None: there are
    none."""
    kept = hand.features
    if not isinstance(kept, CachedFeatures):
        return None
    landmarks = kept.features.landmarks[0].double().numpy()
    return MEDIAPIPE.as_ours(kept.crop.to_photo(landmarks), hand) if np.isfinite(landmarks).all() else None


def sightings_of(proposals: Mapping[str, list[HandMesh]], rig: Rig) -> list[Sighting]:
    """All of an instant: camera's name -> the hands proposed in its photo, in the order of the rig's cameras."""
    return [Sighting.of(rig[name], hand) for name in rig if name in proposals for hand in proposals[name]]
