"""UmeTrack's hand (Han et al. 2022): landmarks by its own skeleton, which HOT3D gives with every clip."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from annotator.errors import InputError
from annotator.formats.core.base import field_array
from annotator.hand.rotations import rotation_matrices

MM = 0.001
FINGERS, JOINTS = 5, 4  # of each finger; the frames that landmarks hang on begin at the second
LANDMARKS = 20
# our keypoint k is landmark LANDMARK_OF[k]; the thumb's base has none
LANDMARK_OF = (5, -1, 6, 7, 0, 8, 9, 10, 1, 11, 12, 13, 2, 14, 15, 16, 3, 17, 18, 19, 4)


class UmeTrackHand:
    """One person's hand: rest positions of joints and landmarks, mm, as a left hand."""

    def __init__(self, profile: Mapping):
        """profile: `umetrack` of a clip's hand shapes. InputError for missing fields and wrong shapes."""
        count = FINGERS * JOINTS
        self.axes = _rows("joint_rotation_axes", profile, count)
        self.rest = _rows("joint_rest_positions", profile, count) * MM
        self.landmarks = _rows("landmark_rest_positions", profile, LANDMARKS) * MM
        indices = np.array(profile["landmark_rest_bone_indices"])
        weights = np.array(profile["landmark_rest_bone_weights"], np.float64)
        frames = 2 + FINGERS * (JOINTS - 1)
        if indices.ndim != 2 or indices.shape != weights.shape or len(indices) < LANDMARKS:
            raise InputError(f"landmark_rest_bone_weights have shape {weights.shape}, indices {indices.shape}")
        if not ((indices >= 0) & (indices < frames)).all() or not np.isfinite(weights).all():
            raise InputError(f"landmark_rest_bone_indices are not all 0..{frames - 1}")
        self.weights = np.zeros((LANDMARKS, frames))
        for row in range(LANDMARKS):
            np.add.at(self.weights[row], indices[row].astype(int), weights[row])

    def joints(self, angles: np.ndarray, wrist: np.ndarray, side: str) -> np.ndarray:
        """(21, 3) m where `wrist` (4, 4) takes the hand; the thumb's base, which it has not, is NaN.

        angles: at least 20, radians, finger by finger from the thumb.
        """
        angles = np.ravel(np.array(angles, np.float64))[: FINGERS * JOINTS]
        if angles.shape != (FINGERS * JOINTS,) or not np.isfinite(angles).all():
            raise InputError(f"joint_angles are {angles.size} numbers, expected {FINGERS * JOINTS}, all finite")
        turns = rotation_matrices(self.axes * angles[:, None])
        local = np.tile(np.eye(4), (FINGERS * JOINTS, 1, 1))
        local[:, :3, :3] = turns
        local[:, :3, 3] = self.rest - np.einsum("jab,jb->ja", turns, self.rest)  # about the joint's own place
        frames = [np.eye(4), np.eye(4)]
        for finger in range(FINGERS):
            place = np.eye(4)
            for joint in range(JOINTS):
                place = place @ local[finger * JOINTS + joint]
                if joint:
                    frames.append(place)
        points = np.concatenate([self.landmarks, np.ones((LANDMARKS, 1))], axis=1)
        posed = np.einsum("lf,fab,lb->la", self.weights, np.array(frames), points)[:, :3]
        if side == "right":
            posed = posed * (-1.0, 1.0, 1.0)
        posed = posed @ wrist[:3, :3].T + wrist[:3, 3] * self.weights.sum(1, keepdims=True)
        return np.where(np.array(LANDMARK_OF)[:, None] < 0, np.nan, posed[list(LANDMARK_OF)])


def _rows(name: str, profile: Mapping, count: int) -> np.ndarray:
    """The first (count, 3) of a field."""
    found = np.array(profile[name], np.float64)
    return field_array(name, found[:count] if found.ndim == 2 else found, (count, 3))
