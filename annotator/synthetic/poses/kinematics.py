"""Forward kinematics of many poses at the mean shape, finger pads and backs, and a cheap test for
penetration."""

from __future__ import annotations

import numpy as np
import torch

from annotator.hand.layer import HandLayer
from annotator.hand.limits import angles_to_rotations, clamp_angles
from annotator.hand.topology import HAND
from annotator.synthetic.skin import palm_frame
from annotator.synthetic.solids import Solid, distances

#: First row of each finger in the (15, 3) angles (MANO's order: index, middle, little, ring, thumb).
FINGER_BASES = {finger: rows.start for finger, rows in HAND.articulated_of.items()}
THUMB = slice(12, 15)
_KEYPOINTS = {"thumb": 1, "index": 5, "middle": 9, "ring": 13, "little": 17}

# m: half thickness of the bones from base to tip
_RADII = np.array(
    [
        [0.012, 0.0095, 0.0085],
        [0.009, 0.008, 0.007],
        [0.009, 0.008, 0.007],
        [0.0085, 0.0075, 0.0065],
        [0.0075, 0.0065, 0.006],
    ]
)
_ALONG = np.array([0.25, 0.5, 0.75, 1.0])


class Kinematics:
    """Vectorised posing of a `HandModel` at its mean shape, wrist joint at the origin, hand in rest
    orientation.

    rest (21,3) rest joints; frame (3,3) rows radial, along, palmar.
    """

    def __init__(self, model) -> None:
        self.layer = HandLayer(model)
        self.axes = torch.tensor(model.anatomical_axes)
        self.limits = np.array(model.limits)
        self.rest = self.pose(np.zeros((1, 15, 3)))[0][0]
        self.frame = palm_frame(self.rest)

    def clip(self, angles: np.ndarray) -> np.ndarray:
        """Angles (n,15,3) moved into the hand's coupled limits."""
        return clamp_angles(torch.as_tensor(angles), self.limits).numpy()

    def rotations(self, angles: np.ndarray) -> np.ndarray:
        """(n,15,3) angles -> (n,15,3,3) local rotations."""
        return angles_to_rotations(torch.as_tensor(angles), self.axes).numpy()

    def pose(self, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n,15,3) angles -> keypoints (n,21,3) m and global bone rotations (n,15,3,3)."""
        local = self.rotations(angles)
        full = np.tile(np.eye(3), (len(local), 16, 1, 1))
        full[:, 1:] = local
        with torch.no_grad():
            whole = torch.from_numpy(full).float()
            points = self.layer.keypoints_from_pose(whole, whole.new_zeros(len(local), 10)).double().numpy()
        turned = local.copy()
        for base in FINGER_BASES.values():
            turned[:, base + 1] = turned[:, base] @ local[:, base + 1]
            turned[:, base + 2] = turned[:, base + 1] @ local[:, base + 2]
        return points, turned

    def back(self, rotations: np.ndarray, finger: str, level: int) -> np.ndarray:
        """Unit vectors (n,3) out of the back of bone `level` (0 to 2) of a finger."""
        base, first = FINGER_BASES[finger], _KEYPOINTS[finger]
        bone = self.rest[first + level + 1] - self.rest[first + level]
        flexion = self.axes[base + level, 0].numpy()
        pad = np.cross(flexion, bone / np.linalg.norm(bone))
        return -rotations[:, base + level] @ (pad / np.linalg.norm(pad))

    def pad(self, points: np.ndarray, rotations: np.ndarray, finger: str) -> tuple[np.ndarray, np.ndarray]:
        """Middle of the fingertip's pad (n,3) on the skin, and the direction (n,3) it faces."""
        first = _KEYPOINTS[finger]
        facing = -self.back(rotations, finger, 2)
        middle = 0.7 * points[:, first + 3] + 0.3 * points[:, first + 2]
        return middle + facing * (0.0075 if finger == "thumb" else 0.0065), facing

    def bones(self, points: np.ndarray) -> np.ndarray:
        """Points along the bones (n,5,3,4,3): finger (thumb first), bone, place, xyz."""
        chains = points[:, 1:].reshape(len(points), 5, 4, 3)
        start, end = chains[:, :, :-1, None], chains[:, :, 1:, None]
        return start + (end - start) * _ALONG[:, None]

    def penetrates(self, points: np.ndarray) -> np.ndarray:
        """(n,) whether fingers run through each other or far into the palm."""
        bones = self.bones(points)
        tips = bones[:, :, 2, -1] - bones[:, :, 2, -2]
        bones[:, :, 2, -1] -= 1.2 * tips  # the last point lies on the skin, not on the bone
        bad = np.zeros(len(points), bool)
        for a in range(5):
            for b in range(a + 1, 5):
                first, second = bones[:, a], bones[:, b]
                radius_a, radius_b = np.repeat(_RADII[a], 4), np.repeat(_RADII[b], 4)
                first, second = first.reshape(len(points), 12, 3), second.reshape(len(points), 12, 3)
                if a == 0:  # the thumb's metacarpal lies in the palm
                    first, radius_a = first[:, 4:], radius_a[4:]
                distance = np.linalg.norm(first[:, :, None] - second[:, None], axis=-1)
                bad |= (distance < 0.72 * (radius_a[:, None] + radius_b)).any(axis=(1, 2))
        return bad | self._in_palm(bones)

    def _in_palm(self, bones: np.ndarray) -> np.ndarray:
        radial, along, palmar = self.frame
        joints = self.rest
        length = joints[9] @ along
        edge_low, edge_high = joints[17] @ radial, joints[5] @ radial
        # outer bones of the fingers, and of the thumb past its MCP joint
        points = bones[:, :, 1:].reshape(len(bones), -1, 3)
        u, v = points @ radial, points @ along / length
        height = (points - joints[9] * v[..., None]) @ palmar
        inside = (v > 0.1) & (v < 0.97) & (u > edge_low) & (u < edge_high - 0.004)
        return (inside & (np.abs(height) < 0.0145)).any(axis=1)

    def clearance(self, points: np.ndarray, solids: list[Solid]) -> np.ndarray:
        """Least distance (n,5,3) between each bone's skin and the pose's solid (all of one kind); negative
        inside."""
        return distances(solids, self.bones(points)).min(axis=-1) - 0.9 * _RADII
