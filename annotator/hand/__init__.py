"""What a hand is: names and orders of joints, the parametric hand model, mesh records, rotations.

The torch parts, `annotator.hand.layer` (HandLayer) and `annotator.hand.limits`, are imported by their own
names, so that this package loads without torch.
"""

from annotator.hand.joints import (
    BONES,
    FINGERS,
    JOINT_NAMES,
    KEYPOINT_OF_MANO,
    MANO_JOINT_NAMES,
    MANO_PARENTS,
    MANO_TO_KEYPOINTS,
    PARENT,
    SIDES,
    TIPS,
    check_side,
    joint_index,
)
from annotator.hand.mesh import HandMesh, HandParameters, ParametricEstimate
from annotator.hand.model import OFFSET_LEVEL, USER_HANDS, HandModel, MeshLevel, load_hand, user_hand_file
from annotator.hand.rotations import rotation_matrices, rotation_vectors
from annotator.hand.topology import HAND, HandTopology

__all__ = [
    "BONES",
    "FINGERS",
    "HAND",
    "JOINT_NAMES",
    "KEYPOINT_OF_MANO",
    "MANO_JOINT_NAMES",
    "MANO_PARENTS",
    "MANO_TO_KEYPOINTS",
    "OFFSET_LEVEL",
    "PARENT",
    "SIDES",
    "TIPS",
    "USER_HANDS",
    "HandMesh",
    "HandModel",
    "HandParameters",
    "HandTopology",
    "MeshLevel",
    "ParametricEstimate",
    "check_side",
    "joint_index",
    "load_hand",
    "rotation_matrices",
    "rotation_vectors",
    "user_hand_file",
]
