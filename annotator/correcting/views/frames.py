"""A hand from one camera's frame into another's: the mesh is the same, its parameters turn.

A left hand's parameters are those of its mirror image (x -> -x), so the motion between the frames is mirrored for it.
"""

from __future__ import annotations

import numpy as np

from annotator.hand.mesh import HandParameters
from annotator.hand.rotations import rotation_matrices, rotation_vectors
from annotator.vision.rigs import RigCamera

MIRROR = np.array([-1.0, 1.0, 1.0])


def between(first: RigCamera, second: RigCamera) -> tuple[np.ndarray, np.ndarray]:
    """R (3,3), t (3,): a point X of the first camera's frame is R X + t in the second's."""
    turn = second.R @ first.R.T
    return turn, second.t - turn @ first.t


def mirrored(R: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same motion as the mirror image sees it."""
    return MIRROR[:, None] * R * MIRROR, MIRROR * t


def moved(parameters: HandParameters, side: str, R: np.ndarray, t: np.ndarray) -> HandParameters:
    """The hand's parameters in a frame where a point X of theirs is R X + t."""
    if side == "left":
        R, t = mirrored(R, t)
    pose = np.array(parameters.pose)
    pose[0] = rotation_vectors(R @ rotation_matrices(pose[0]))
    return parameters.replace(pose=pose, translation=R @ parameters.translation + t)
