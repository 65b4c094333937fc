"""Labels of a known hand, and how far an answer is from it."""

from __future__ import annotations

import numpy as np

from annotator.correcting.kinematics.angles import limit_excess, rotations_to_angles
from annotator.hand.mesh import HandMesh
from annotator.hand.rotations import rotation_matrices


def crop_px(hand: HandMesh, a, b) -> np.ndarray:
    """How far places (N,2) photo px are apart, in px of the hand's crop."""
    return np.linalg.norm(np.asarray(a) - np.asarray(b), axis=-1) * 224 / hand.crop_size


def excess_degrees(hand: HandMesh, model) -> float:
    """How far the worst joint is beyond its limits."""
    rotations = rotation_matrices(hand.parameters.pose)[1:]
    return float(np.rad2deg(limit_excess(rotations_to_angles(rotations, model.anatomical_axes), model.limits).max()))


def some(hand: HandMesh, joints, move=0.0) -> dict[int, tuple[float, float]]:
    """Labels at these of the hand's own keypoints, photo px, moved by so much."""
    return {int(k): tuple(hand.keypoints[k] + move) for k in joints}
