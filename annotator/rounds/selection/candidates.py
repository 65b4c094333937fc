"""What a strategy may know of the hands it chooses from: what the model already has, as plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from annotator.correcting.next_keypoint import expected_gain
from annotator.correcting.plausibility import measures
from annotator.hand.mesh import HandMesh
from annotator.model import Model
from annotator.network.crop_camera import CropView, cameras
from annotator.network.hand_meshes import CachedFeatures, for_keeping, on_cpu
from annotator.network.parametric import Estimate
from annotator.rounds.selection.disagreement import without_landmarks_keypoints
from annotator.vision.crops import CROP_SIZE, Crop, extract_all

# Further views of a hand: turned (rad), scaled, shifted (of the crop's side). Mild: a sure answer does not depend on
# them.
VIEWS = ((0.25, 1.12, 0.03), (-0.25, 0.92, -0.03))


@dataclass(frozen=True, eq=False)
class Candidates:
    """N hands that a person could be asked about.

    ids: their names; gains (N, 21) m^2: by how much a correction of each keypoint is expected to shrink the joints'
    summed variance (`correcting.next_keypoint.expected_gain`, disagreement: where views disagree); sigma (N,) crop
    px: a typical keypoint's; stages (N,) crop px: between the parametric stage's keypoints and the last ones; views
    (N,) crop px: between the answers on turned and scaled crops, and without landmarks; severity (N,): of the worst
    plausibility
    measure, 1 = its threshold; features (N, G): the network's global description; taught (M, G): those of the hands
    that have taught already.
    """

    ids: tuple[str, ...]
    gains: np.ndarray
    sigma: np.ndarray
    stages: np.ndarray
    views: np.ndarray
    severity: np.ndarray
    features: np.ndarray
    taught: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def joints(self) -> np.ndarray:
        """(N,) the keypoint whose correction is expected to help each hand most."""
        return self.gains.argmax(1)


@dataclass(frozen=True, eq=False)
class CandidateFeatures:
    """What the model says of one hand now: hand, its own fresh answer (crop as given, no correction told); features
    (G,); views (21,): crop px, root mean square, see `Candidates`; zeros where no other view was asked for."""

    hand: HandMesh
    features: np.ndarray
    views: np.ndarray


@torch.inference_mode()
def look(model: Model, photo: np.ndarray, crop: Crop, K: np.ndarray, views: bool = True) -> CandidateFeatures:
    """Asks the model about a crop of a photo (H, W, 3) uint8 with intrinsics K (3, 3). views: also about turned and
    scaled crops, and about what it would say without landmarks. A flipped crop is a left hand's."""
    side = "left" if crop.flip else "right"
    crops = [crop]
    for turn, scale, shift in VIEWS if views else ():
        moved = shift * crop.size
        crops.append(Crop(crop.cx + moved, crop.cy - moved, crop.size * scale, crop.angle + turn, crop.flip))
    seen = [CropView.of(one, K) for one in crops]
    features = model.finder.features(extract_all(photo, crops))
    answer = on_cpu(model.network.answer(features, *cameras(seen, model.device)))
    kept = for_keeping(features)
    start = Estimate(*(field[:1] for field in answer.parametric))
    remembered = CachedFeatures(kept.select(slice(0, 1)), start, seen[0], crop)
    presence = float(np.nan_to_num(kept.presence[0].item(), nan=1.0))
    first = model.hand_of(answer, 0, remembered, K, side, presence, {})
    apart = np.zeros(21)
    if views:
        # Without landmarks: where they mislead, the answer from the picture alone lies elsewhere; of all signs of a
        # wrong keypoint this is the best (docs/active_learning.md).
        places = [without_landmarks_keypoints(model, first)]
        places += [
            model.records.of(answer, k, CachedFeatures(kept, start, seen[k], crops[k]), K, side, presence, {}).keypoints
            for k in range(1, len(crops))
        ]
        apart = (
            np.sqrt(np.mean([((place - first.keypoints) ** 2).sum(1) for place in places], axis=0))
            * CROP_SIZE
            / crop.size
        )
    return CandidateFeatures(first, start.hidden[0].numpy(), apart)


def described(model: Model, hand: HandMesh, states: Sequence[str] | None, seen: CandidateFeatures) -> dict:
    """One hand's row of `Candidates` as a dict; hand: as it stands, with what was corrected; states (21,)."""
    assert seen.hand.parametric is not None
    scale = CROP_SIZE / hand.crop_size
    apart = np.linalg.norm(seen.hand.keypoints - seen.hand.parametric.keypoints, axis=1) * scale
    return {
        "gains": expected_gain(hand, model.hand, states, disagreement=seen.views / scale),
        "sigma": float(np.median(seen.hand.keypoint_sigma)) * scale,
        "stages": float(apart.mean()),
        "views": float(seen.views.mean()),
        "severity": max(reason.severity for reason in measures(seen.hand, model.hand)),
        "features": seen.features,
    }


def gathered(ids: Sequence[str], rows: Sequence[dict], taught: Sequence[np.ndarray] = ()) -> Candidates:
    """Rows of `described` as one record."""
    columns = {
        name: np.array([row[name] for row in rows])
        for name in ("gains", "sigma", "stages", "views", "severity", "features")
    }
    width = columns["features"].shape[1] if len(rows) else 0
    known = np.array(taught) if len(taught) else np.empty((0, width))
    return Candidates(ids=tuple(ids), taught=known, **columns)
