"""A track as curves over time: joint angles, the turn of the whole hand, its place; and hands from them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from annotator.correcting.kinematics.angles import angles_to_rotations, rotations_to_angles
from annotator.correcting.solver.coordinates import ANGLES, PLACE, TURN
from annotator.correcting.solver.prior import ProposalPrior
from annotator.hand.mesh import HandMesh, HandParameters
from annotator.hand.model import HandModel
from annotator.hand.rotations import rotation_matrices, rotation_vectors
from annotator.hand.topology import ARTICULATED, HAND
from annotator.vision.camera import project
from annotator.vision.crop_size import CROP_SIZE
from annotator.vision.crops import Crop

# A finger's nine angles move together and are doubted together: their numbers among `ANGLES`.
FINGER_ANGLES = {finger: np.arange(3 * rows.start, 3 * rows.stop) for finger, rows in HAND.articulated_of.items()}


@dataclass(frozen=True, eq=False)
class Curves:
    """N frames of a hand of one side and one hand model.

    seconds (N,); angles (N, 45) rad, continuous in time: flexion, abduction, twist of the joints; turns (N, 3, 3): of
    the whole hand; place (N, 3): the wrist as X/Z, Y/Z, log Z; shape (N, 10); sigma (N, 61): one standard deviation of
    each, in the order of `correcting.solver.coordinates`.
    """

    seconds: np.ndarray
    angles: np.ndarray
    turns: np.ndarray
    place: np.ndarray
    shape: np.ndarray
    sigma: np.ndarray

    def __len__(self) -> int:
        return len(self.seconds)

    def changed(self, **fields: np.ndarray) -> Curves:
        """A copy with other arrays."""
        return replace(self, **fields)


def curves_of(hands: Sequence[HandMesh], seconds: np.ndarray, model: HandModel) -> Curves:
    """The curves of a track's hands (all of one side)."""
    rotations = rotation_matrices(np.array([hand.parameters.pose for hand in hands]))
    angles = np.array([rotations_to_angles(one[1:], model.anatomical_axes) for one in rotations])
    translation = np.array([hand.parameters.translation for hand in hands])
    depth = np.maximum(translation[:, 2], 1e-3)
    place = np.column_stack([translation[:, :2] / depth[:, None], np.log(depth)])
    sigma, prior = [], ProposalPrior()
    for hand in hands:
        scale = CROP_SIZE / hand.crop_size
        focal = float(np.sqrt(hand.camera[0, 0] * hand.camera[1, 1])) * scale
        sigma.append(prior.sigmas(focal, float(np.median(hand.keypoint_sigma)) * scale, np.ones(21)))
    return Curves(
        np.asarray(seconds, np.float64),
        np.unwrap(angles.reshape(len(hands), -1), axis=0),
        rotations[:, 0],
        place,
        np.array([hand.parameters.shape for hand in hands]),
        np.array(sigma),
    )


def parameters_at(curves: Curves, row: int, offsets: np.ndarray, model: HandModel) -> HandParameters:
    """The hand model's parameters in frame number `row` of the curves; offsets (M, 3) m of its surface."""
    local = angles_to_rotations(curves.angles[row].reshape(ARTICULATED, 3), model.anatomical_axes)
    depth = np.exp(curves.place[row, 2])
    return HandParameters(
        pose=rotation_vectors(np.concatenate([curves.turns[row][None], local])),
        shape=curves.shape[row],
        translation=depth * np.array([*curves.place[row, :2], 1.0]),
        offsets=offsets,
    )


def hand_at(
    curves: Curves,
    row: int,
    like: HandMesh,
    model: HandModel,
    factor: float = 1.0,
    offsets: np.ndarray | None = None,
) -> HandMesh:
    """The hand in frame `row`, skinned and projected. like: the hand whose camera, side and labels it has, and its
    surface, unless `offsets` (M, 3) m say another; factor: by which its uncertainty is that of `like`. Its crop follows
    its keypoints."""
    parameters = parameters_at(curves, row, like.parameters.offsets if offsets is None else offsets, model)
    vertices = model.vertices(parameters, like.side)
    joints = model.joints(vertices)
    keypoints = project(joints, like.camera)
    crop = Crop.from_landmarks(keypoints, like.side == "left")
    return like.replace(
        vertices=vertices, joints=joints, keypoints=keypoints, parameters=parameters, features=None, parametric=None,
        keypoint_sigma=like.keypoint_sigma * factor, vertex_sigma=like.vertex_sigma * factor,
        crop_center=np.array([crop.cx, crop.cy]), crop_size=crop.size, crop_angle=crop.angle,
    )  # fmt: skip


__all__ = ["ANGLES", "FINGER_ANGLES", "PLACE", "TURN", "Curves", "curves_of", "hand_at", "parameters_at"]
