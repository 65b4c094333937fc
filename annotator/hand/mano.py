"""MANO's 21 joints as MANO's own code has them: what every reader of MANO data sets computes.

MANO's 16 joints are those of its kinematic chain: regressed from the resting, shaped mesh and posed with the bones.
Joints regressed from the posed mesh are not these: skinning and pose blend shapes move vertices, by millimetres at a
bent knuckle. FreiHAND alone has these others: its own hand model regresses the posed mesh (`FROM_POSED_MESH`). Tips
have no joint: vertices of the posed mesh stand for them, and each data set has its own choice
(`joints.MANO_TIP_VERTICES`).
smplx gives the same 21 (`smplx.MANO` with `joint_regressor` and `vertex_ids["mano"]`).

Source: J. Romero et al., 'Embodied Hands', 2017; vertex numbers as in smplx 0.1.28, `vertex_ids.py`.
"""

from __future__ import annotations

import numpy as np

from annotator.errors import InputError
from annotator.hand.joints import LEFT_TIP_VERTICES, MANO_TIP_VERTICES, MANO_TO_KEYPOINTS
from annotator.hand.mesh import HandParameters
from annotator.hand.model import HandModel
from annotator.hand.rotations import rotation_matrices

MIRROR = np.array([-1.0, 1.0, 1.0])
FROM_POSED_MESH = ("freihand",)  # whose 16 joints are regressed from the posed mesh (`utils/model.py`, `_calc_coords`)


def chain_joints(model: HandModel, parameters: HandParameters, side: str = "right") -> np.ndarray:
    """(16, 3) m, MANO's order, camera frame: the joints of the kinematic chain of a hand of any model.

    parameters: ours, those of its mirror image for a left hand.
    """
    _, _, chain = model.bone_transforms(rotation_matrices(parameters.pose), parameters.shape)
    return (chain + parameters.translation) * (MIRROR if side == "left" else 1.0)


def tips_of(vertices: np.ndarray, tips: str = "smplx", side: str = "right") -> np.ndarray:
    """(..., 5, 3): the fingertips on MANO's meshes (..., 778, 3) of hands of this side; tips: whose vertices
    (`MANO_TIP_VERTICES`).

    InputError for an unknown name of tips.
    """
    if tips not in MANO_TIP_VERTICES:
        raise InputError(f"unknown tips {tips!r}: expected one of {', '.join(MANO_TIP_VERTICES)}")
    numbers = MANO_TIP_VERTICES[tips]
    return vertices[..., list(LEFT_TIP_VERTICES.get(tips, numbers) if side == "left" else numbers), :]


def in_order(chain: np.ndarray, tips: np.ndarray) -> np.ndarray:
    """(..., 21, 3), keypoint order, of the chain's joints (..., 16, 3) and the fingertips (..., 5, 3)."""
    return np.concatenate([chain, tips], axis=-2)[..., list(MANO_TO_KEYPOINTS), :]


def mano_joints(model: HandModel, parameters: HandParameters, side: str = "right", tips: str = "smplx") -> np.ndarray:
    """(21, 3) m, keypoint order, camera frame, of a hand of `model`, a MANO. parameters: as above; tips: whose joints
    (`MANO_TIP_VERTICES`, `FROM_POSED_MESH`)."""
    vertices = model.vertices(parameters, side)
    posed = tips in FROM_POSED_MESH
    own = model.joint_regressor @ vertices if posed else chain_joints(model, parameters, side)
    return in_order(own, tips_of(vertices, tips, side))
