"""Hands mirrored in depth, part by part: where the search for other hands with the same picture starts.

From afar a bone looks the same when its direction is mirrored along the line of sight. So a finger of three
bones has eight poses with one picture, and a palm, being nearly flat, has two tilts. Which of these a hand
can take is read off its joints in closed form: at each joint the bend and the tilt that turn the bone into
the wanted direction.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from annotator.correcting.kinematics.angles import (
    angles_to_rotations,
    clamp_angles,
    coupled_limits,
    limit_excess,
    rotations_to_angles,
)
from annotator.correcting.kinematics.chain import chain_of
from annotator.hand.joints import FINGERS, KEYPOINT_OF_MANO
from annotator.hand.mesh import HandMesh, HandParameters
from annotator.hand.model import HandModel
from annotator.hand.rotations import rotation_matrices, rotation_vectors

KEYPOINT = np.array(KEYPOINT_OF_MANO)
# The three model joints of each finger, in the order of FINGERS (the model's order is another one).
JOINTS_OF = {
    "thumb": (13, 14, 15),
    "index": (1, 2, 3),
    "middle": (4, 5, 6),
    "ring": (10, 11, 12),
    "little": (7, 8, 9),
}
BEYOND = math.radians(25.0)  # a start may be this far outside the limits in all: settling it will bend it in
FLAT = math.radians(12.0)  # a bone nearer to the picture plane than this has no other side to speak of
# A relaxed hand's bends (rad), finger by finger: what a pose is compared with where nothing else is known.
RELAXED = {name: (0.35, 0.5, 0.3) for name in FINGERS} | {"thumb": (0.1, 0.2, 0.2)}
EASE = 0.6


@dataclass(frozen=True, eq=False)
class Pose:
    """angles (3,3) rad of one finger's joints; beyond: their excess in all, rad; unusual: squared distance
    from a relaxed finger; mirrored: which bones are.
    """

    angles: np.ndarray
    beyond: float
    unusual: float
    mirrored: tuple[bool, bool, bool]


class Mirroring:
    """A hand's bones and the frames to read them in. All in the frame of the parameters (a left hand's is
    mirrored).
    """

    def __init__(self, hand: HandMesh, model: HandModel):
        self.hand, self.model, self.axes = hand, model, model.anatomical_axes
        sign = np.array([-1.0 if hand.side == "left" else 1.0, 1.0, 1.0])
        self.joints = hand.joints * sign
        self.rays = self.joints / np.linalg.norm(self.joints, axis=1, keepdims=True)
        chain = chain_of(model)
        rest = chain.rest(hand.parameters.shape, hand.parameters.offsets)
        self.rest = chain.pose(np.tile(np.eye(3), (16, 1, 1)), rest).keypoints
        rotations = rotation_matrices(hand.parameters.pose)
        self.palm = rotations[0]
        self.angles = rotations_to_angles(rotations[1:], self.axes)

    def turned_palm(self) -> np.ndarray:
        """The whole hand's rotation (3,3) after a turn that mirrors its palm's plane in depth."""
        knuckles = self.joints[[0, 5, 9, 13, 17]]
        ray = knuckles.mean(axis=0)
        ray /= np.linalg.norm(ray)
        _, _, axes = np.linalg.svd(knuckles - knuckles.mean(axis=0))
        flat = axes[:2]
        mirrored = flat - 2 * np.outer(flat @ ray, ray)
        before, after = (np.stack([p[0], p[1], np.cross(p[0], p[1])], axis=1) for p in (flat, mirrored))
        return after @ before.T @ self.palm

    def finger_poses(self, finger: str, palm: np.ndarray) -> list[Pose]:
        """Poses of a finger on a palm of rotation (3,3) that from afar look the same, likeliest first."""
        joints = JOINTS_OF[finger]
        keypoints = KEYPOINT[list(joints)]
        bones = self.joints[keypoints + 1] - self.joints[keypoints]
        toward = np.einsum("ka,ka->k", bones, self.rays[keypoints])
        steep = np.abs(toward) > math.sin(FLAT) * np.linalg.norm(bones, axis=1)
        other = bones - 2 * toward[:, None] * self.rays[keypoints]
        poses = []
        for choice in itertools.product(*((False, True) if s else (False,) for s in steep)):
            wanted = np.where(np.array(choice)[:, None], other, bones)
            angles = self._reach(joints, wanted, palm)
            whole = self.angles.copy()
            whole[np.array(joints) - 1] = angles
            beyond = float(limit_excess(whole, self.model.limits)[np.array(joints) - 1].sum())
            unusual = float(np.sum(((angles[:, 0] - RELAXED[finger]) / EASE) ** 2))
            poses.append(Pose(angles, beyond, unusual, (choice[0], choice[1], choice[2])))
        return sorted(poses, key=lambda pose: pose.unusual + (pose.beyond / math.radians(5.0)) ** 2)

    def _reach(self, joints: tuple[int, ...], wanted: np.ndarray, palm: np.ndarray) -> np.ndarray:
        """Angles (3,3) that turn a finger's bones, palm outward, into the wanted directions (3,3)."""
        turned, angles = palm, np.zeros((3, 3))
        for row, joint in enumerate(joints):
            axes, keypoint = self.axes[joint - 1], KEYPOINT[joint]
            bone = axes @ (self.rest[keypoint + 1] - self.rest[keypoint])
            aim = axes @ (turned.T @ wanted[row])
            angles[row, :2] = bend_and_tilt(bone / np.linalg.norm(bone), aim / np.linalg.norm(aim))
            # A hinge that cannot tilt as far as that bends as well as it may.
            low, high = self.model.limits[joint - 1, 1]
            angles[row, 1] = np.clip(angles[row, 1], low - BEYOND / 3, high + BEYOND / 3)
            turned = turned @ angles_to_rotations(angles[row : row + 1], axes[None])[0]
        return angles

    def parameters(self, palm: np.ndarray, poses: dict[str, Pose]) -> HandParameters:
        """The hand with another palm rotation and other poses of some fingers, drawn into the limits."""
        angles = self.angles.copy()
        for finger, pose in poses.items():
            angles[np.array(JOINTS_OF[finger]) - 1] = pose.angles
        least, most = coupled_limits(self.angles, self.model.limits)
        untouched = np.ones(15, dtype=bool)
        for finger in poses:
            untouched[np.array(JOINTS_OF[finger]) - 1] = False
        drawn = clamp_angles(angles, self.model.limits)
        drawn[untouched] = np.where(untouched[:, None], self.angles, drawn)[untouched]
        rotations = np.concatenate([palm[None], angles_to_rotations(drawn, self.axes)])
        return self.hand.parameters.replace(pose=rotation_vectors(rotations))


def bend_and_tilt(bone: np.ndarray, aim: np.ndarray) -> tuple[float, float]:
    """Flexion and abduction (rad) that turn the unit vector `bone` (3,) into `aim` (3,), both in anatomical
    axes.

    R = F(flexion) A(abduction): the tilt alone sets the first component, the bend then the other two. Where
    no tilt reaches the first component, the nearest one is taken.
    """
    reach = math.hypot(bone[0], bone[2])
    phase = math.atan2(bone[2], bone[0])
    swing = math.acos(min(max(aim[0] / max(reach, 1e-9), -1.0), 1.0))
    tilt = min((_wrapped(phase - swing), _wrapped(phase + swing)), key=abs)
    z = -bone[0] * math.sin(tilt) + bone[2] * math.cos(tilt)
    return _wrapped(math.atan2(aim[2], aim[1]) - math.atan2(z, bone[1])), tilt


def _wrapped(angle: float) -> float:
    return math.remainder(angle, 2 * math.pi)


def _called(finger: str) -> str:
    return "the thumb" if finger == "thumb" else f"the {finger} finger"


def candidates(hand: HandMesh, model: HandModel) -> Iterator[tuple[str, HandParameters]]:
    """Words and parameters to start from, of hands that from afar look the same."""
    mirroring = Mirroring(hand, model)
    for finger in FINGERS:
        for pose in mirroring.finger_poses(finger, mirroring.palm):
            if any(pose.mirrored) and pose.beyond < BEYOND:
                yield (
                    f"{_called(finger)} bent the other way in depth",
                    mirroring.parameters(mirroring.palm, {finger: pose}),
                )
                break
    palm = mirroring.turned_palm()
    best = {finger: mirroring.finger_poses(finger, palm)[0] for finger in FINGERS}
    yield "the palm tilted the other way", mirroring.parameters(palm, best)
