"""How well a person's label says where a joint is: a random part, and one that the labeller repeats every time.

The random part is a person's hand on the mouse and eye on the photo; it grows with the hand in the photo. The repeated
part is what the labeller means by the joint's name: as long as it is not learned it is not known, see
`hand.definitions`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotator.hand.definitions import JointDefinition
from annotator.hand.mesh import HandMesh
from annotator.vision.crop_size import CROP_SIZE


@dataclass(frozen=True)
class LabelAccuracy:
    """One sigma of a label along each axis.

    random: share of the longer side of the keypoints' box (people who label the same photo twice differ by 1 to 2 % of
    it in all, two axes together);
    least: px of the crop, however small the hand: nobody is better than that.
    """

    random: float = 0.012
    least: float = 1.5


def random_sigma(hand: HandMesh, accuracy: LabelAccuracy) -> float:
    """px of the crop: the random part alone."""
    scale = CROP_SIZE / hand.crop_size
    return max(accuracy.random * float(np.ptp(hand.keypoints, axis=0).max()) * scale, accuracy.least)


def label_sigma(hand: HandMesh, definition: JointDefinition, accuracy: LabelAccuracy | None = None) -> np.ndarray:
    """(21,) px of the crop: one sigma along each axis of a label of this hand by somebody of this definition."""
    accuracy = accuracy or LabelAccuracy()
    scale = CROP_SIZE / hand.crop_size
    focal = np.sqrt(hand.camera[0, 0] * hand.camera[1, 1])
    repeated = definition.spread * focal * scale / np.maximum(hand.joints[:, 2], 1e-3)
    return np.hypot(random_sigma(hand, accuracy), repeated)
